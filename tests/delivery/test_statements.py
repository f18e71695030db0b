"""Signed heartbeats: a lost last message is found, and who lost its memory, by word of the peer."""

from typing import Any

import pytest

from gateway.codec.lanes import encode_head
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST, LANE_STATEMENT, MESSAGE
from gateway.ports.outbox import MessageState
from gateway.service import lane_statements, take_mail
from gateway.service.desk import Desk
from gateway.v1 import letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.backups import backup, restore
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, receipts_in, take_aside
from tests.world.estate import PLATFORM, SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
FAR = 2**63 - 1
Lost = list[tuple[OrgId, OrgId, LaneHead]]


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Lost:
    """Who was found to have lost its memory, by which peer and head; recovery itself stays out."""
    found: Lost = []

    def note(desk: Desk, peer: OrgId, head: LaneHead) -> None:
        found.append((desk.org, peer, head))

    monkeypatch.setattr(lane_statements, "doubt_memory", note)
    return found


async def sent(province: Province, sender: OrgId, receiver: OrgId) -> LaneHead:
    """Return what the sender has numbered."""
    lane = await province.look(sender, lambda desk: desk.work.outbox.lane(sender, receiver))
    head: LaneHead = lane.head
    return head


async def received(province: Province, receiver: OrgId, sender: OrgId) -> LaneHead:
    """Return what the receiver has taken."""
    lane = await province.look(receiver, lambda desk: desk.work.inbox.lane(receiver, sender))
    head: LaneHead = lane.head
    return head


async def states(province: Province, sender: OrgId, receiver: OrgId) -> list[MessageState]:
    """Return the states of the lane's messages at their sender."""
    messages = await province.look(
        sender, lambda desk: desk.work.outbox.between(sender, receiver, 1, 1, 999)
    )
    return [message.state for message in messages]


async def reasons(province: Province, org: OrgId) -> list[Reason]:
    """Return why each dead letter of the organisation is one."""
    letters = await province.look(org, lambda desk: desk.work.dead_letters.page(org))
    return [letter.reason for letter in letters]


def statement(province: Province, author: OrgId, peer: OrgId, **said: Any) -> bytes:
    """Return a statement under the author's key; `said` are fields that differ from nothing."""
    tools = province.node_of[author].tools
    values: dict[str, Any] = {
        "author": str(author),
        "peer": str(peer),
        "sent": encode_head(LaneHead()),
        "received": encode_head(LaneHead()),
    }
    wire = message_pb2.LaneStatement(**(values | said))
    wire.stated_at.FromDatetime(province.clock.now())
    signed = tools.signer.sign(author, LANE_STATEMENT, wire.SerializeToString())
    return signed.SerializeToString()


def kinds(items: list[bytes]) -> list[str]:
    """Return the payload types of items from the bus."""
    return [SignedEnvelope.FromString(item).payload_type for item in items]


async def test_a_lost_last_message_is_found_without_a_later_one(province: Province) -> None:
    """No number follows it and no time passes: the heartbeat alone shows it and heals it."""
    inquiry = await Inquiry(province).settled("submitted")
    await inquiry.confirmed()
    await province.send()
    assert take_aside(province, WUHUA, WUHUA_SCHOOL)  # and never given back
    await province.settle()
    before = await received(province, WUHUA_SCHOOL, WUHUA)
    await province.state_lanes()
    await province.settle()
    assert await received(province, WUHUA_SCHOOL, WUHUA) != before
    assert await received(province, WUHUA_SCHOOL, WUHUA) == await sent(
        province, WUHUA, WUHUA_SCHOOL
    )


async def test_each_statement_is_answered_once(province: Province) -> None:
    """What asks is answered, the answer asks for nothing, and nobody else hears of it."""
    await Inquiry(province).settled("submitted")
    await province.state_lanes()
    asking = [item for item in province.bus.waiting if kinds([item[1]]) == [LANE_STATEMENT]]
    assert (WUHUA, WUHUA_SCHOOL) in {
        (
            OrgId.parse(
                message_pb2.LaneStatement.FromString(SignedEnvelope.FromString(data).payload).author
            ),
            to,
        )
        for to, data in asking
    }
    province.bus.waiting.clear()
    (to, data) = asking[0]
    said = await hand_over(province, to, data)
    assert kinds(said) == [LANE_STATEMENT]
    answer = message_pb2.LaneStatement.FromString(SignedEnvelope.FromString(said[0]).payload)
    assert not await hand_over(province, OrgId.parse(answer.peer), said[0])


@pytest.mark.sqlite_alone
async def test_a_peer_that_lost_what_it_receipted_gets_it_again(
    province: Province, lost: Lost
) -> None:
    """The receiver's store is a day old: what it denies and once signed for is sent again, takes
    effect in the old store, and is receipted anew.
    """
    inquiry = await Inquiry(province).settled("submitted")
    old = await backup(province, ZHENXIONG)
    province.clock.advance(hours=1)
    await inquiry.confirmed()
    await inquiry.determined()
    await inquiry.dispatched()
    await province.settle()
    assert set(await states(province, WUHUA, ZHENXIONG)) == {MessageState.APPLIED}
    await restore(province, ZHENXIONG, old)
    assert await received(province, ZHENXIONG, WUHUA) == LaneHead()
    province.clock.advance(hours=1)
    await province.node_of[WUHUA].lane_keeper.state_lanes()
    await province.deliver()
    await province.deliver()
    assert set(await states(province, WUHUA, ZHENXIONG)) == {MessageState.SENT}
    await province.settle()
    assert set(await states(province, WUHUA, ZHENXIONG)) == {MessageState.APPLIED}
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id


async def test_a_statement_that_comes_late_denies_nothing(province: Province) -> None:
    """Made before the receipt was given, delivered after: no alarm, and nothing is sent again."""
    await Inquiry(province).settled("submitted")
    said = statement(province, WUHUA, WUHUA_SCHOOL)
    inquiry = await Inquiry(province, 2).settled("submitted")
    assert inquiry.case_id
    before = await states(province, WUHUA_SCHOOL, WUHUA)
    assert kinds(await hand_over(province, WUHUA_SCHOOL, said)) == []
    assert await states(province, WUHUA_SCHOOL, WUHUA) == before


@pytest.mark.sqlite_alone
@pytest.mark.parametrize("by", ["statement", "receipt"])
async def test_own_lost_memory_is_shown_by_the_peer(
    province: Province, lost: Lost, by: str
) -> None:
    """The sender's store is old: the peer has taken numbers that it never gave, or gives anew."""
    await Inquiry(province).settled("submitted")
    old = await backup(province, WUHUA_SCHOOL)
    await Inquiry(province, 2).settled("submitted")
    taken = await received(province, PLATFORM, WUHUA_SCHOOL)
    await restore(province, WUHUA_SCHOOL, old)
    assert not lost
    if by == "statement":
        await province.node_of[PLATFORM].lane_keeper.state_lanes()
    else:
        await Inquiry(province, 3).submitted()  # it takes a number that was given before
    await province.settle()
    assert (WUHUA_SCHOOL, PLATFORM, taken) in lost
    refused = {Reason.EQUIVOCATION} if by == "receipt" else set()
    assert set(await reasons(province, WUHUA_SCHOOL)) == refused


@pytest.mark.parametrize(
    ("head", "alarm"),
    [
        (LaneHead(1, 1, "f" * 64), True),
        (LaneHead(1, FAR, "f" * 64), True),
        (LaneHead(2, 0, ""), True),
        (LaneHead(0, FAR, ""), False),
        (LaneHead(-(2**63), -(2**63), ""), False),
        (LaneHead(1, 0, ""), False),
    ],
)
async def test_whatever_a_peer_claims_is_judged(
    province: Province, lost: Lost, head: LaneHead, alarm: bool
) -> None:
    """Another history or higher numbers raise the alarm; nonsense does no harm."""
    await Inquiry(province).settled("submitted")
    said = statement(province, WUHUA, WUHUA_SCHOOL, received=encode_head(head))
    await hand_over(province, WUHUA_SCHOOL, said)
    assert bool(lost) == alarm


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        (LaneHead(1, 3, "f" * 64), [(1, 1, 3)]),
        (LaneHead(2, FAR, "f" * 64), [(2, 1, FAR)]),
        (LaneHead(1, 0, ""), []),
        (LaneHead(0, FAR, ""), []),
        (LaneHead(1, -(2**63), ""), []),
    ],
)
async def test_what_a_peer_has_numbered_is_asked_for(
    province: Province, head: LaneHead, asked: list[tuple[int, int, int]]
) -> None:
    """From the first that is missing to the last, also of a lane begun anew."""
    said = await hand_over(
        province, WUHUA, statement(province, SHUIFU, WUHUA, sent=encode_head(head))
    )
    requests = [
        message_pb2.GapRequest.FromString(SignedEnvelope.FromString(item).payload)
        for item in said
        if kinds([item]) == [GAP_REQUEST]
    ]
    found = [(r.lane_incarnation, r.first_missing, r.last_missing) for r in requests]
    assert found == asked
    # And whoever is asked for the impossible does no more than look.
    for item in said:
        assert not await hand_over(province, SHUIFU, item)


async def test_a_statement_in_anothers_name_is_set_aside(province: Province, lost: Lost) -> None:
    """Only its author may say it, and only to its peer."""
    await Inquiry(province).settled("submitted")
    envelope = SignedEnvelope.FromString(
        statement(province, WUHUA, WUHUA_SCHOOL, received=encode_head(LaneHead(9, 9, "")))
    )
    tools = province.node_of[SHUIFU].tools
    forged = tools.signer.sign(SHUIFU, LANE_STATEMENT, envelope.payload).SerializeToString()
    assert not await hand_over(province, WUHUA_SCHOOL, forged)
    assert not await hand_over(province, ZHENXIONG, envelope.SerializeToString())
    assert not lost
    assert await reasons(province, WUHUA_SCHOOL) == [Reason.SIGNER_MISMATCH]
    assert await reasons(province, ZHENXIONG) == [Reason.WRONG_RECEIVER]


async def test_a_long_gap_begins_at_once_and_follows_as_mail(
    province: Province, fates: Fates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a long gap the first messages come back as the answer, the others through the relay."""
    monkeypatch.setattr(take_mail, "_MOST_RESENT", 1)
    inquiry = await Inquiry(province).settled("submitted")
    for step in (inquiry.confirmed, inquiry.determined):
        await step()
        await province.send()
    assert len(take_aside(province, WUHUA, WUHUA_SCHOOL)) > 1
    await province.state_lanes()
    await province.settle()
    assert await received(province, WUHUA_SCHOOL, WUHUA) == await sent(
        province, WUHUA, WUHUA_SCHOOL
    )


async def test_every_receipt_says_how_far_the_lane_was_taken(
    province: Province, fates: Fates
) -> None:
    """The head in a receipt covers what the receipt itself answers, at no query of its own."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    event = forge.carried(forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)]))
    mails = [forge.mail(SHUIFU, WUHUA, event) for _ in range(3)]
    said = await hand_over(province, WUHUA, *(mail.data for mail in mails))
    assert answers(said) == ["APPLIED"] * 3
    (receipt,) = receipts_in(said)
    assert (receipt.head.incarnation, receipt.head.last_sequence) == (1, 3)
    assert receipt.head.head_hash == mails[-1].digest
    assert kinds([mails[0].data]) == [MESSAGE]
