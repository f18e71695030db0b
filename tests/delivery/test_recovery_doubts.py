"""What a peer says of our memory: proved it begins a recovery, unproved it costs its own lane."""

import pytest

from gateway.codec.lanes import encode_head
from gateway.domain.dead_letters import DeadLetterKind
from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import LANE_STATEMENT, RETURNED_FACTS
from gateway.domain.recovery import RecoveryCause
from gateway.ports.outbox import MessageState
from gateway.service.arrived_returns import ArrivedReturn
from gateway.store import tables
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over
from tests.delivery.restoring import Restoring, statements
from tests.delivery.test_recovery_peers import (
    forgotten_grant,
    go_on,
    on_desk,
    running,
    silence,
    waive,
)
from tests.delivery.test_statements import kinds, received, sent, statement
from tests.world.estate import PLATFORM, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

E = "wuhua"

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


async def claims(province: Province, org: OrgId) -> list[OrgId | None]:
    """Return whose claims stand unproved before the operators."""
    found = await province.look(
        org, lambda desk: desk.work.dead_letters.page(org, kind=DeadLetterKind.CLAIM_UNPROVED)
    )
    return [letter.peer for letter in found]


async def lanes_agree(province: Province, sender: OrgId, receiver: OrgId) -> None:
    """Both ends of the lane are at the same place, and everything was answered."""
    there = await received(province, receiver, sender)
    assert not there.closed
    assert there == await sent(province, sender, receiver)
    on_lane = [
        row
        for row in await rows(province, tables.outbox)
        if (row.sender, row.receiver) == (str(sender), str(receiver))
    ]
    done = {MessageState.APPLIED, MessageState.REPLACED}
    assert {row.state for row in on_lane} <= done


@pytest.mark.parametrize(
    "head", [LaneHead(1, 99, "f" * 64), LaneHead(1, 1, "f" * 64), LaneHead(2**31 - 1, 5, "f" * 64)]
)
async def test_a_claim_without_proof_freezes_nobody(
    province: Province, restoring: Restoring, head: LaneHead
) -> None:
    """It is named to the operators; its author is asked, has nothing to show, and mail flows."""
    story = await Inquiry(province).settled("submitted")
    said = statement(province, WUHUA, WUHUA_SCHOOL, received=encode_head(head))
    await hand_over(province, WUHUA_SCHOOL, said)
    await province.settle()
    assert not await restoring.recovering()
    assert await claims(province, WUHUA_SCHOOL) == [WUHUA]
    lane = await sent(province, WUHUA_SCHOOL, WUHUA)
    assert lane.incarnation < 2**26, "a peer's word made the lane jump"
    second = await Inquiry(province, 2).settled("submitted")
    for inquiry in (story, second):
        assert (await inquiry.case(WUHUA)).id == inquiry.case_id
    await lanes_agree(province, WUHUA_SCHOOL, WUHUA)


@pytest.mark.parametrize("incarnation", [1, 2**31 - 1])
async def test_an_answer_that_proves_nothing_costs_its_own_lane(
    province: Province, restoring: Restoring, incarnation: int
) -> None:
    """The two ends differ in their numbers, and no fact was forgotten: only that lane begins anew,
    above what the peer may truly have taken, and what waited on it goes again.
    """
    story = await Inquiry(province).settled("determined")
    province.bus.away = True
    await story.dispatched()
    await province.send()
    province.bus.away = False
    part = ArrivedReturn(
        author=ZHENXIONG,
        recovery_id="01a208ab-a2e7-72cf-b228-147d1bd856f3",
        made_at=province.clock.now(),
        part=1,
        last=True,
        received=LaneHead(incarnation, 5, "f" * 64),
        sent=LaneHead(),
        events=(),
        envelope=b"1",
    )
    await on_desk(province, part)
    assert not await restoring.recovering()
    assert 1 < (await sent(province, WUHUA, ZHENXIONG)).incarnation < 2**26
    await province.settle()
    assert (await story.letter(ZHENXIONG)).id == story.letter_id
    await lanes_agree(province, WUHUA, ZHENXIONG)


async def test_nothing_is_asked_of_a_peer_in_dispute_but_proof(
    province: Province, restoring: Restoring
) -> None:
    """Its mail could make an old store do again what it did, before the proof arrives."""
    await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    await restoring.put_back(E)
    await province.node_of[ZHENXIONG].lane_keeper.state_lanes()
    said = [data for peer, data in province.bus.waiting if peer == WUHUA]
    (asked, answer) = await hand_over(province, WUHUA, said[-1])
    assert kinds([asked, answer]) == [LANE_STATEMENT] * 2
    question = message_pb2.LaneStatement.FromString(SignedEnvelope.FromString(asked).payload)
    assert question.proof_wanted
    (proof,) = await hand_over(province, ZHENXIONG, asked)
    assert kinds([proof]) == [RETURNED_FACTS]
    await hand_over(province, WUHUA, proof)
    assert WUHUA in await restoring.recovering()


@pytest.mark.parametrize("who", [ZHENXIONG, WUHUA])
async def test_a_true_claim_is_proved_before_anything_is_done_again(
    province: Province, restoring: Restoring, who: OrgId
) -> None:
    """Whichever end speaks first: the grant that was forgotten is not made a second time."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    await restoring.put_back(E)
    await province.node_of[who].lane_keeper.state_lanes()
    await province.settle()
    recovery = await running(province, WUHUA)
    assert recovery.cause is RecoveryCause.PEER_AHEAD
    assert recovery.facts_since is None, "it may have gone on after it forgot"
    assert not await claims(province, WUHUA)
    await restoring.settle()
    await restoring.check_titles()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


async def test_a_loss_that_went_on_unseen_is_healed_whole(
    province: Province, restoring: Restoring
) -> None:
    """Weeks after the loss, and after newer facts, what was forgotten is still asked for."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    await restoring.put_back(E)
    province.clock.advance(days=9)
    silence(province, ZHENXIONG)
    await Inquiry(province, 2).settled("confirmed")
    province.bus.meddle = lambda _receiver, item: (item,)
    await province.node_of[ZHENXIONG].lane_keeper.state_lanes()
    await province.settle()
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1
    await restoring.check_titles()


@pytest.mark.parametrize("answers_lost", [False, True])
async def test_a_question_that_comes_after_the_waiver_stops_no_mail(
    province: Province, restoring: Restoring, answers_lost: bool
) -> None:
    """The waived peer takes mail of the renewed lane, then hears the recovery's question and closes
    that lane: the sender learns of it, by the answer or by a receipt, and begins once more.
    """
    await Inquiry(province).settled("dispatched")
    await restoring.back_up(E)
    await restoring.restore(E)
    silence(province, ZHENXIONG)
    await go_on(restoring)
    late = [
        data
        for peer, data in province.bus.carried
        if peer == ZHENXIONG
        if str(WUHUA) in [said.author for said in statements([(peer, data)])]
    ]
    for post in ("OPERATOR", "APPROVER"):
        await waive(province, WUHUA, ZHENXIONG, post)
    await go_on(restoring)
    assert WUHUA not in await restoring.recovering()
    province.bus.meddle = lambda _receiver, item: (item,)
    await restoring.settle()  # the others of its node
    second = await Inquiry(province, 2).settled("dispatched")
    assert (await second.letter(ZHENXIONG)).sender == WUHUA
    closed = await received(province, ZHENXIONG, WUHUA)
    assert closed.incarnation > 1
    if answers_lost:
        silence(province, WUHUA)
    await hand_over(province, ZHENXIONG, late[0])
    assert (await received(province, ZHENXIONG, WUHUA)).closed
    await restoring.step()
    await province.settle()
    province.bus.meddle = lambda _receiver, item: (item,)
    third = Inquiry(province, 3)
    await third.settled("dispatched")
    await restoring.settle()
    province.clock.advance(minutes=11)
    await restoring.settle()
    assert (await third.letter(ZHENXIONG)).sender == WUHUA
    await lanes_agree(province, WUHUA, ZHENXIONG)
    assert (await sent(province, WUHUA, ZHENXIONG)).incarnation > closed.incarnation
    restoring.check_numbers()


async def test_a_peer_whose_return_contradicts_itself_is_not_done(
    province: Province, restoring: Restoring
) -> None:
    """Nobody counts as having answered with a part that cannot be; asked again, it may be whole."""
    await forgotten_grant(province, restoring)
    silence(province, ZHENXIONG)
    await go_on(restoring)
    recovery = await running(province, WUHUA)
    theirs = [row for row in await rows(province, tables.events) if row.source == str(ZHENXIONG)]
    carried = message_pb2.CarriedEvent(event=SignedEnvelope.FromString(theirs[0].envelope))
    part = ArrivedReturn(
        author=ZHENXIONG,
        recovery_id=recovery.id,
        made_at=province.clock.now(),
        part=1,
        last=True,
        received=LaneHead(),
        sent=LaneHead(),
        events=(carried,),
        envelope=b"1",
    )
    await on_desk(province, part)
    await go_on(restoring)
    assert WUHUA in await restoring.recovering()
    province.bus.meddle = lambda _receiver, item: (item,)
    await restoring.settle()


async def test_a_copy_made_in_a_recovery_asks_everybody_again(
    province: Province, restoring: Restoring
) -> None:
    """Who had answered before the copy was made may have more to return after it."""
    silence(province, PLATFORM)
    story = await forgotten_grant(province, restoring)
    await go_on(restoring)
    first = await running(province, WUHUA)
    await restoring.back_up(E)
    await restoring.restore(E)
    second = await running(province, WUHUA)
    assert second.id != first.id
    assert second.facts_since == first.facts_since
    province.bus.meddle = lambda _receiver, item: (item,)
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1
