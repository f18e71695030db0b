"""A peer that means harm in a recovery: a fact held back, a number never sent, other bytes taken."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.codec.lanes import encode_head
from gateway.domain.dead_letters import DeadLetterKind, DeadLetterState
from gateway.domain.facts import FactKind
from gateway.domain.lanes import LaneHead
from gateway.domain.recovery import PeerState, RecoveryCause
from gateway.ports.outbox import MessageState
from gateway.ports.vault import VaultPart
from gateway.service.arrived_returns import ArrivedReturn
from gateway.service.desk import Desk
from gateway.store import tables
from gateway.v1 import letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from tests.delivery.audit import rows
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over
from tests.delivery.restoring import Restoring
from tests.delivery.test_recovery_doubts import claims
from tests.delivery.test_recovery_peers import go_on, on_desk, running, silence, waive
from tests.delivery.test_statements import statement
from tests.world.estate import PLATFORM, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

E = "wuhua"
OUTSIDE = "01a208ab-a2e7-72cf-b228-147d1bd856f3"
NOTED = letter_pb2.LetterNoted(letter_id=OUTSIDE)
FAR = LaneHead(1, 10**9, "f" * 64)

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


def returned(
    province: Province, *events: message_pb2.CarriedEvent, recovery_id: str = OUTSIDE, **other: Any
) -> ArrivedReturn:
    """Return what a peer returns in one part; `other` are fields that differ from the usual."""
    part = ArrivedReturn(
        author=ZHENXIONG,
        recovery_id=recovery_id,
        made_at=province.clock.now(),
        part=1,
        last=True,
        received=LaneHead(),
        sent=LaneHead(),
        events=events,
        envelope=b"1",
    )
    return replace(part, **other)


async def facts_of(province: Province, case_id: str) -> Sequence[SignedEnvelope]:
    """Return the county's own facts about a case, oldest first."""
    found = [
        SignedEnvelope.FromString(row.envelope)
        for row in await rows(province, tables.events)
        if (row.org, row.source) == (str(WUHUA), str(WUHUA))
    ]
    events = [(Event.FromString(one.payload), one) for one in found]
    return [one for event, one in events if case_id in [ref.case_id for ref in event.cases]]


async def test_a_fact_proves_a_loss_once(province: Province, restoring: Restoring) -> None:
    """Held back from the return, it is in the store all the same, and proves nothing again."""
    story = await Inquiry(province).settled("determined")
    fact = Forge(province).event(
        WUHUA, FactKind.LETTER_NOTED, NOTED, [of_case(await story.case(WUHUA))]
    )
    proof = returned(province, *[message_pb2.CarriedEvent(event=fact)] * 2)
    await on_desk(province, proof)
    assert (await running(province, WUHUA)).cause is RecoveryCause.PEER_AHEAD
    await restoring.settle()
    await on_desk(province, proof)
    assert not await restoring.recovering()


async def test_a_proving_fact_has_its_private_parts_in_the_end(
    province: Province, restoring: Restoring
) -> None:
    """The proof comes without them; they come with the return."""
    story = await Inquiry(province).settled("determined")
    await restoring.back_up(E)
    await story.dispatched()
    await province.settle()
    fact = (await facts_of(province, story.case_id))[-1]
    event = Event.FromString(fact.payload)

    def kept(desk: Desk) -> set[VaultPart]:
        return set(desk.work.vault.reveal(WUHUA, event.event_id, purpose="a test"))

    before = await province.look(WUHUA, kept)
    await restoring.put_back(E)
    await on_desk(province, returned(province, message_pb2.CarriedEvent(event=fact)))
    await running(province, WUHUA)
    assert not await province.look(WUHUA, kept)
    await restoring.settle()
    after = await province.look(WUHUA, kept)
    assert after
    assert after <= before, "those that its receiver saw"


@pytest.mark.parametrize("late", [False, True])
async def test_a_waived_peer_is_not_waited_for_again(
    province: Province, restoring: Restoring, late: bool
) -> None:
    """It answers after all, in the recovery or after it, and says to have sent what never comes."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    silence(province, PLATFORM)
    await restoring.restore(E)
    await go_on(restoring)
    recovery = await running(province, WUHUA)
    for post in ("OPERATOR", "APPROVER"):
        await waive(province, WUHUA, PLATFORM, post)
    if late:
        await go_on(restoring)
        assert WUHUA not in await restoring.recovering()
    again = returned(province, recovery_id=recovery.id, author=PLATFORM, sent=FAR)
    await on_desk(province, again)
    await go_on(restoring)
    assert WUHUA not in await restoring.recovering()
    peer = await province.look(
        WUHUA, lambda desk: desk.work.recoveries.peer(WUHUA, recovery.id, PLATFORM)
    )
    assert peer.state is (PeerState.ANSWERED if late else PeerState.WAIVED)
    assert peer.answered_at is not None
    assert (await story.case(WUHUA)).holder == ZHENXIONG


async def test_what_a_peer_took_under_a_disputed_number_is_sent_again(
    province: Province, restoring: Restoring
) -> None:
    """It says to have taken other bytes under the number of a letter: that letter still goes."""
    story = await Inquiry(province).settled("determined")
    province.bus.away = True
    await story.dispatched()
    await province.send()
    province.bus.away = False
    await restoring.back_up(E)
    silence(province, ZHENXIONG)
    await restoring.restore(E)
    recovery = await running(province, WUHUA)
    disputed = LaneHead(1, 5, "f" * 64)
    await on_desk(province, returned(province, recovery_id=recovery.id, received=disputed))
    await go_on(restoring)
    assert WUHUA not in await restoring.recovering()
    on_lane = [
        (row.incarnation > 1, row.state)
        for row in await rows(province, tables.outbox)
        if (row.sender, row.receiver) == (str(WUHUA), str(ZHENXIONG))
    ]
    assert on_lane == [(False, MessageState.REPLACED), (True, MessageState.SENT)]
    province.bus.meddle = lambda _receiver, item: (item,)
    province.clock.advance(minutes=11)
    await restoring.settle()
    assert (await story.letter(ZHENXIONG)).id == story.letter_id


async def test_a_discarded_claim_may_be_made_again(province: Province) -> None:
    """What was given up is that claim; a later one of the same peer is before the operators anew."""
    await Inquiry(province).settled("submitted")

    async def claim() -> None:
        said = statement(province, WUHUA, WUHUA_SCHOOL, received=encode_head(FAR))
        await hand_over(province, WUHUA_SCHOOL, said)
        await province.settle()

    await claim()
    found = await province.look(
        WUHUA_SCHOOL, lambda desk: desk.work.dead_letters.find(WUHUA_SCHOOL, *_CLAIM)
    )
    given_up = replace(found, state=DeadLetterState.DISCARDED)
    await province.node_of[WUHUA_SCHOOL].store.write(
        lambda work: work.dead_letters.put(WUHUA_SCHOOL, given_up)
    )
    assert not await claims(province, WUHUA_SCHOOL)
    province.clock.advance(days=1)
    await claim()
    assert await claims(province, WUHUA_SCHOOL) == [WUHUA]


_CLAIM = (DeadLetterKind.CLAIM_UNPROVED, str(WUHUA))
