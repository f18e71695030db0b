"""Every lane is counted: what does not add up is found, whatever went wrong in the store."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent
from gateway.ports.outbox import MessageState
from gateway.service import keep_lanes
from gateway.store import tables
from gateway.v1 import delivery_pb2
from tests.delivery.inquiry import Inquiry
from tests.world.estate import WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

_o, _i, _r = tables.outbox, tables.inbox, tables.receipts


async def counted(province: Province, org: OrgId) -> delivery_pb2.ReconcileLanesResponse:
    """Ask for the count."""
    request = delivery_pb2.ReconcileLanesRequest()
    answer: delivery_pb2.ReconcileLanesResponse = await province.ask(
        org, "DeliveryService/ReconcileLanes", request
    )
    return answer


def lane_to(answer: delivery_pb2.ReconcileLanesResponse, peer: OrgId) -> delivery_pb2.LaneBalance:
    """Return the count of the lanes with one peer."""
    (lane,) = [lane for lane in answer.lanes if lane.peer == str(peer)]
    return lane


async def test_every_message_stands_in_one_column(province: Province) -> None:
    """On its way, then receipted; either way the lane adds up, and so does the way back."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    answer = await counted(province, WUHUA)
    lane = lane_to(answer, ZHENXIONG)
    assert (lane.numbered, lane.in_flight, lane.receipted) == (1, 1, 0)
    await province.settle()
    answer = await counted(province, WUHUA)
    lane = lane_to(answer, ZHENXIONG)
    assert (lane.numbered, lane.stored, lane.in_flight, lane.receipted) == (1, 1, 0, 1)
    school = lane_to(answer, WUHUA_SCHOOL)
    assert school.received == school.answered > 0
    assert answer.balanced
    assert all(lane.balanced for lane in answer.lanes)
    assert (await counted(province, ZHENXIONG)).balanced


DAMAGES: dict[str, Any] = {
    "message gone": delete(_o).where(_o.c.receiver == str(ZHENXIONG)),
    "receipt gone": delete(_r).where(_r.c.org == str(WUHUA), _r.c.peer == str(ZHENXIONG)),
    "answer gone": delete(_r).where(_r.c.org == str(WUHUA), _r.c.peer == str(WUHUA_SCHOOL)),
    "forgotten": update(_o)
    .where(_o.c.receiver == str(ZHENXIONG))
    .values(state=MessageState.SENT, next_attempt=None),
    "taken twice over": update(tables.receiving_lanes)
    .where(tables.receiving_lanes.c.receiver == str(WUHUA))
    .values(next_sequence=tables.receiving_lanes.c.next_sequence + 1),
    "unknown state": update(_o).where(_o.c.receiver == str(ZHENXIONG)).values(state="LOST"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_does_not_add_up_is_an_alarm(
    province: Province, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Asked for or counted by the day: the lane is named, the others are not."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.settle()

    def harm(work: Any) -> None:
        work._connection.execute(DAMAGES[damage])

    node = province.node_of[WUHUA]
    await node.store.write(harm)
    answer = await counted(province, WUHUA)
    wrong = {lane.peer for lane in answer.lanes if not lane.balanced}
    assert wrong
    assert not answer.balanced
    alarms: list[str] = []

    def hear(event: LogEvent, **fields: Any) -> None:
        if event is LogEvent.LANE_UNBALANCED:
            alarms.append(fields["lane"])

    monkeypatch.setattr(keep_lanes, "log", hear)
    await node.lane_keeper.tend()
    assert {f"{WUHUA}:{peer}" for peer in wrong} <= set(alarms)
    known = list(alarms)
    await node.lane_keeper.tend()
    assert alarms == known  # once a day
    province.clock.advance(days=1)
    await node.lane_keeper.tend()
    assert alarms == known * 2
