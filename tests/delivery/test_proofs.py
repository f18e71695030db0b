"""What a peer shows and returns of our facts: the right ones, of a size that travels, and not too
often for whoever asks.
"""

import pytest

from gateway.domain.dead_letters import DeadLetterKind
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RETURNED_FACTS
from gateway.ports.bus import LARGEST_ITEM
from gateway.ports.store import Work
from gateway.service.recover import Recoverer
from gateway.store import tables
from gateway.v1 import case_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from tests.delivery.audit import rows
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over
from tests.delivery.restoring import Restoring
from tests.delivery.test_statements import kinds, statement
from tests.world.estate import SHUIFU, WUHUA, ZHENXIONG
from tests.world.province import Province

E = "wuhua"
RECOVERIES = ("01a208ab-a2e7-72cf-b228-147d1bd856f3", "01a208ab-a2e7-72cf-b228-147d1bd856f4")
SEEN = case_pb2.WhereaboutsRecorded(
    whereabouts=case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
)


def recoverer(province: Province, org: OrgId) -> Recoverer:
    """Return the recovery loop of the organisation's node."""
    node = province.node_of[org]
    return Recoverer(node.store, province.bus, node.tools)


def lacking(province: Province, author: OrgId, peer: OrgId, recovery_id: str) -> bytes:
    """Return the statement of one who recovers and remembers nothing."""
    return statement(province, author, peer, recovering=True, recovery_id=recovery_id)


@pytest.mark.sqlite_alone  # a store is put back as a file
async def test_what_is_logged_late_hides_no_loss(province: Province) -> None:
    """Old facts that others pass on after the forgotten one do not take its place in the proof."""
    restoring = Restoring(province)
    for number in (2, 3, 4):
        await Inquiry(province, number).settled("determined")
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    logged = await rows(province, tables.events)
    there = {row.event_id for row in logged if row.org == str(ZHENXIONG)}
    older = [
        row for row in logged if row.org == row.source == str(WUHUA) and row.event_id not in there
    ]
    assert len(older) > 10

    def log(work: Work) -> None:
        for row in older:
            work.events.append(
                ZHENXIONG,
                event_id=row.event_id,
                kind=row.type,
                source=row.source,
                case_ids=(),
                logged_at=province.clock.now(),
                envelope=row.envelope,
            )

    await province.node_of[ZHENXIONG].store.write(log)
    await restoring.put_back(E)
    await province.node_of[ZHENXIONG].lane_keeper.state_lanes()
    await province.settle()
    assert WUHUA in await restoring.recovering()
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


@pytest.mark.parametrize("asked", [True, False])
async def test_a_question_is_answered_once_in_a_while(province: Province, *, asked: bool) -> None:
    """Whether it asks for proof or states less than was taken: a small statement costs little."""
    await Inquiry(province).settled("accepted")
    question = statement(province, WUHUA, ZHENXIONG, proof_wanted=asked)
    answered = kinds(await hand_over(province, ZHENXIONG, *[question] * 5))
    assert answered.count(RETURNED_FACTS) == 1
    assert RETURNED_FACTS not in kinds(await hand_over(province, ZHENXIONG, question))
    province.clock.advance(minutes=3)
    assert RETURNED_FACTS in kinds(await hand_over(province, ZHENXIONG, question))


async def largest(province: Province) -> bytes:
    """Return a message from 镇雄县 to 五华区 that one event fills to the last bytes."""
    case = await (await Inquiry(province).settled("accepted")).case(WUHUA)
    lane = await province.look(ZHENXIONG, lambda desk: desk.work.outbox.lane(ZHENXIONG, WUHUA))
    size = LARGEST_ITEM
    while True:
        size -= 50
        forge = Forge(province)
        forge.go_on(ZHENXIONG, WUHUA, lane)
        event = forge.event(
            ZHENXIONG,
            FactKind.WHEREABOUTS_RECORDED,
            SEEN,
            [of_case(case)],
            causation_id="x" * size,
        )
        mail = forge.mail(ZHENXIONG, WUHUA, forge.carried(event))
        if len(mail.data) <= LARGEST_ITEM:
            return mail.data


async def test_a_fact_too_large_to_return_stops_nobody(province: Province) -> None:
    """It is put before the operators; the others go, those of the same peer too."""
    assert answers(await hand_over(province, WUHUA, await largest(province))) == ["APPLIED"]
    for peer, recovery_id in zip((ZHENXIONG, SHUIFU), RECOVERIES, strict=True):
        await hand_over(province, WUHUA, lacking(province, peer, WUHUA, recovery_id))
    before = len(province.bus.carried)
    while await recoverer(province, WUHUA).step():
        pass
    returned = province.bus.carried[before:]
    assert {peer for peer, _ in returned} == {ZHENXIONG, SHUIFU}
    assert all(len(data) <= LARGEST_ITEM for _, data in returned)
    (letter,) = await province.look(
        WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA, kind=DeadLetterKind.UNSENDABLE)
    )
    entry = await province.look(WUHUA, lambda desk: desk.work.events.get(WUHUA, letter.event_id))
    event = Event.FromString(SignedEnvelope.FromString(entry.envelope).payload)
    assert (letter.peer, event.source) == (ZHENXIONG, str(ZHENXIONG))


async def test_what_the_carrier_does_not_take_is_one_peers_trouble(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers to the others still leave."""
    await Inquiry(province).settled("accepted")
    for peer, recovery_id in zip((ZHENXIONG, SHUIFU), RECOVERIES, strict=True):
        await hand_over(province, WUHUA, lacking(province, peer, WUHUA, recovery_id))
    published: list[OrgId] = []

    async def publish(receiver: OrgId, _items: list[bytes]) -> None:
        published.append(receiver)
        if len(published) == 1:
            raise ValueError

    monkeypatch.setattr(province.bus, "publish", publish)
    assert await recoverer(province, WUHUA).step()
    assert set(published) == {ZHENXIONG, SHUIFU}


async def test_a_peer_has_one_return_open(province: Province) -> None:
    """However many recoveries it names, the newest is answered; it is heard after a pause."""
    await Inquiry(province).settled("accepted")
    open_now = []
    for number in (0, 1, 1):
        said = lacking(province, ZHENXIONG, WUHUA, RECOVERIES[number])
        await hand_over(province, WUHUA, said)
        due = await province.look(WUHUA, lambda desk: desk.work.returns.due(9))
        open_now.append([given.recovery_id for _, given in due])
        province.clock.advance(seconds=5 if len(open_now) == 1 else 60)
    first, second = RECOVERIES
    assert open_now == [[first], [first], [second]]
