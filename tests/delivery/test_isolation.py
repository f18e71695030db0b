"""One slow, absent or poisoned organisation delays nobody else's mail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RECEIPT
from gateway.ports.bus import BusUnavailable, Disposition
from gateway.ports.outbox import MessageState
from gateway.service import pack_lanes
from gateway.service.relay import Relay
from gateway.store import tables
from gateway.v1 import letter_pb2
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, header_of
from tests.world.estate import SHUIFU, WUHUA, ZHENXIONG
from tests.world.memory_bus import MemoryBus
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
BACKLOG = 10_000
PATIENCE = 60.0


class Streets(MemoryBus):
    """A carrier on which single letter-boxes are full or silent, and others are not."""

    def __init__(self) -> None:
        super().__init__()
        self.full: set[OrgId] = set()
        self.silent: set[OrgId] = set()
        self.refused = 0
        self.arrived = asyncio.Event()

    async def publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        """Take items, unless that letter-box does not."""
        if receiver in self.full:
            self.refused += 1
            raise BusUnavailable
        if receiver in self.silent:
            await asyncio.Event().wait()
        await super().publish(receiver, items)
        self.arrived.set()

    def lanes(self) -> set[tuple[str, str]]:
        """Return (sender, receiver) of every message carried."""
        headers = (header_of(item) for _, item in self.carried)
        return {(header.sender, header.receiver) for header in headers if header is not None}

    async def until_carried(self, sender: OrgId, receiver: OrgId) -> None:
        """Wait until a message of that lane was carried."""
        async with asyncio.timeout(PATIENCE):
            while (str(sender), str(receiver)) not in self.lanes():
                self.arrived.clear()
                await self.arrived.wait()


@pytest.fixture
def streets(province: Province) -> Streets:
    """The carrier of the node of WUHUA."""
    return Streets()


@asynccontextmanager
async def relaying(province: Province, streets: Streets) -> AsyncIterator[None]:
    """Run the relay of the node of WUHUA on these streets."""
    node = province.node_of[WUHUA]
    task = asyncio.create_task(Relay(node.store, streets, node.tools).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def pile_up(province: Province, receiver: OrgId) -> None:
    """Put a long queue of messages for the receiver into the outbox of WUHUA, all due."""
    signed = province.node_of[WUHUA].tools.signer.sign(WUHUA, RECEIPT, b"x").SerializeToString()

    def work(work: Any) -> None:
        rows = [
            {
                "message_id": f"m{number}",
                "sender": str(WUHUA),
                "receiver": str(receiver),
                "incarnation": 1,
                "sequence": number,
                "digest": "d",
                "envelope": signed,
                "state": MessageState.READY,
                "attempts": 0,
                "next_attempt": tables.AT_ONCE,
                "waits_since": province.clock.now(),
            }
            for number in range(1, BACKLOG + 1)
        ]
        work._connection.execute(insert(tables.outbox), rows)

    await province.node_of[WUHUA].store.write(work)


@pytest.mark.fault("M11")
@pytest.mark.parametrize("how", ["full", "silent"])
async def test_a_long_queue_for_an_absent_peer_delays_no_letter(
    province: Province, streets: Streets, how: str
) -> None:
    """Ten thousand messages for a county whose letter-box is full, or never answers: a letter to
    another county leaves meanwhile.
    """
    inquiry = await Inquiry(province, county=SHUIFU).settled("determined")
    await pile_up(province, ZHENXIONG)
    getattr(streets, how).add(ZHENXIONG)
    async with relaying(province, streets):
        await inquiry.dispatched()
        await streets.until_carried(WUHUA, SHUIFU)
    assert ZHENXIONG not in {receiver for receiver, _ in streets.carried}


@pytest.mark.fault("M11")
async def test_the_queue_itself_drains_when_the_peer_is_back(
    province: Province, streets: Streets
) -> None:
    """In order, every message once, in portions."""
    await Inquiry(province).settled("submitted")
    await pile_up(province, ZHENXIONG)
    node = province.node_of[WUHUA]
    await Relay(node.store, streets, node.tools).send_due()
    assert len(streets.carried) == BACKLOG


async def test_nobodys_bulk_is_packed_before_anybodys_letter(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While more waits than is packed at once, each lane packs its share."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    node = province.node_of[WUHUA]
    waiting = await province.look(WUHUA, lambda desk: desk.work.outbox.waiting(1))
    event_id = waiting[0].event_id

    def crowd(work: Any) -> list[int]:
        work.outbox.deliver(WUHUA, [ZHENXIONG] * 9, event_id)
        work.outbox.deliver(WUHUA, [SHUIFU], event_id)
        more = pack_lanes.pack_lanes(province.desk(work, WUHUA, "SYSTEM"))
        assert more
        return [work.outbox.lane(WUHUA, to).next_sequence for to in (ZHENXIONG, SHUIFU)]

    monkeypatch.setattr(pack_lanes, "_MOST_WAITING", 4)
    monkeypatch.setattr(pack_lanes, "_SHARE", 1)
    before = await province.look(
        WUHUA, lambda desk: desk.work.outbox.lane(WUHUA, ZHENXIONG).next_sequence
    )
    assert await node.store.write(crowd) == [before + 1, 2]


@pytest.mark.fault("M11")
async def test_a_peer_that_does_not_take_its_receipts_keeps_back_nobody(
    province: Province, streets: Streets, fates: Fates
) -> None:
    """Its letter-box is full: the others of the batch are answered, nothing stays on the bus, and
    when it asks again it gets the receipt it missed.
    """
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    mails = [
        forge.mail(
            sender,
            WUHUA,
            forge.carried(forge.event(sender, FactKind.LETTER_NOTED, NOTED, [of_case(case)])),
        )
        for sender in (SHUIFU, ZHENXIONG)
    ]
    room = province.node_of[WUHUA].mail_room
    streets.full.add(SHUIFU)
    room._bus = streets
    dispositions = await room.handle(WUHUA, [mail.data for mail in mails])
    assert list(dispositions) == [Disposition.DONE] * 2
    assert {receiver for receiver, _ in streets.carried} == {ZHENXIONG}
    room._bus = province.bus
    assert answers(await hand_over(province, WUHUA, mails[0].data)) == ["APPLIED"]


async def test_a_letter_box_that_refuses_is_tried_once_a_round(
    province: Province, streets: Streets
) -> None:
    """However much waits for it: so the backlog leaves at full pace when it is taken again."""
    await Inquiry(province).settled("submitted")
    await pile_up(province, ZHENXIONG)
    streets.full.add(ZHENXIONG)
    node = province.node_of[WUHUA]
    sender = Relay(node.store, streets, node.tools)
    await sender.send_due()
    assert streets.refused == 1
    streets.full.clear()
    await sender.send_due()
    assert (streets.refused, len(streets.carried)) == (1, BACKLOG)
