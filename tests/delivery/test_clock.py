"""Clocks that jump while a case is on its way: the order of a lane is by number, never by time."""

from datetime import timedelta

import pytest

from gateway.domain.dead_letters import DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.v1 import letter_pb2
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, header_of, take_aside
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

STEPS = ("submitted", "confirmed", "determined", "dispatched", "accepted")
NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")


async def numbers(province: Province, sender: OrgId, receiver: OrgId) -> list[int]:
    """Return the numbers of the lane at its sender, as far as both ends agree on them."""
    sent = await province.look(
        sender, lambda desk: desk.work.outbox.between(sender, receiver, 1, 1, 100)
    )
    lane = await province.look(receiver, lambda desk: desk.work.inbox.lane(receiver, sender))
    assert lane.next_sequence == len(sent) + 1
    return [message.sequence for message in sent]


async def play(province: Province, at: str, jump: timedelta, *, in_flight: bool) -> Inquiry:
    """Play up to the acceptance; the clocks jump while the mail of a step travels, or after it."""
    inquiry = Inquiry(province)
    for step in STEPS:
        await getattr(inquiry, step)()
        if step == at and in_flight:
            province.clock.moment += jump
        await province.settle()
        if step == at and not in_flight:
            province.clock.moment += jump
    return inquiry


async def expect_order(province: Province, inquiry: Inquiry) -> None:
    """One holder for both, and lanes without holes."""
    assert (await inquiry.case(ZHENXIONG)).holder == ZHENXIONG
    assert (await inquiry.case(WUHUA)).holder == ZHENXIONG
    for sender, receiver in ((WUHUA_SCHOOL, WUHUA), (WUHUA, ZHENXIONG), (ZHENXIONG, WUHUA)):
        sent = await numbers(province, sender, receiver)
        assert sent == list(range(1, len(sent) + 1))
        assert sent


@pytest.mark.fault("C1")
@pytest.mark.parametrize("at", STEPS)
@pytest.mark.parametrize("minutes", [-10, 60, 1440])
async def test_a_jump_while_mail_travels_changes_nothing(
    province: Province, at: str, minutes: int
) -> None:
    """Back by what clocks may differ, or forward by any time: everything takes effect in order."""
    jump = timedelta(minutes=minutes)
    await expect_order(province, await play(province, at, jump, in_flight=True))


@pytest.mark.fault("C1")
@pytest.mark.parametrize("at", STEPS)
@pytest.mark.parametrize("minutes", [-60, -1440])
async def test_a_long_jump_back_between_acts_changes_nothing(
    province: Province, at: str, minutes: int
) -> None:
    """What came before is dated later than what follows, and everything takes effect in order."""
    jump = timedelta(minutes=minutes)
    await expect_order(province, await play(province, at, jump, in_flight=False))


@pytest.mark.fault("C1")
async def test_mail_dated_after_a_long_jump_back_is_refused_aloud(province: Province) -> None:
    """A letter an hour ahead of its receiver: refused with its reason, and its sender knows."""
    inquiry = await Inquiry(province).until("dispatched")
    province.clock.advance(hours=-1)
    await province.settle()
    assert not await province.look(ZHENXIONG, lambda d: d.work.letters.page(ZHENXIONG))
    letters = await province.look(WUHUA, lambda d: d.work.dead_letters.page(WUHUA))
    assert [(letter.kind, letter.reason) for letter in letters] == [
        (DeadLetterKind.REFUSED_BY_PEER, Reason.FROM_THE_FUTURE)
    ]
    assert (await inquiry.case(WUHUA)).holder == WUHUA


@pytest.mark.fault("C1")
async def test_a_later_message_with_an_earlier_time_is_taken_in_its_turn(
    province: Province, fates: Fates
) -> None:
    """Three messages, each dated an hour before the one before it: taken in order of number."""
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    mails = []
    for _ in range(3):
        noted = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
        mails.append(forge.mail(SHUIFU, WUHUA, forge.carried(noted)))
        province.clock.advance(hours=-1)
    province.clock.advance(hours=3)
    dated = [header_of(mail.data) for mail in mails]
    assert dated[0] is not None
    assert dated[2] is not None
    assert dated[0].created_at.seconds > dated[2].created_at.seconds
    assert not answers(await hand_over(province, WUHUA, mails[1].data))
    assert answers(await hand_over(province, WUHUA, mails[2].data)) == []
    said = answers(await hand_over(province, WUHUA, mails[0].data))
    assert said == ["APPLIED"] * 3


@pytest.mark.fault("C1")
async def test_mail_lost_before_a_jump_back_is_sent_again(province: Province) -> None:
    """The clock of the sender goes back ten minutes after a message was lost: it comes all the
    same, when the time that was set for the next attempt has passed.
    """
    inquiry = await Inquiry(province).until("dispatched")
    await province.send()
    lost = take_aside(province, WUHUA, ZHENXIONG)
    assert lost
    province.clock.advance(minutes=-10)
    await province.settle()
    assert not await province.look(ZHENXIONG, lambda d: d.work.letters.page(ZHENXIONG))
    province.clock.advance(minutes=11)
    await province.settle()
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id
