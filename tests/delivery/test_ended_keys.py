"""Keys that end while letters wait: everything still arrives, once, and nobody back-dates."""

from datetime import timedelta

import pytest

from gateway.codec import fields
from gateway.domain.facts import FactKind
from gateway.domain.letters import LetterState
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.v1 import letter_pb2, message_pb2, retrieval_pb2
from gateway.v1.event_pb2 import Event
from tests.delivery.audit import rows
from tests.delivery.conftest import Fates
from tests.delivery.dead_list import KIND, listed, redrive
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, header_of, take_aside
from tests.delivery.rotation import Ending, end_key, expired, revoked, rotate, without_keys
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
TOWNSHIP = OrgId.parse("530627001/twn")
ENDINGS = pytest.mark.parametrize("ending", [expired, revoked])


async def logged(province: Province, carried: message_pb2.CarriedEvent) -> bool:
    """Say whether the bureau has the fact in its log."""
    event_id = Event.FromString(carried.event.payload).event_id
    return await province.look(WUHUA, lambda d: d.work.events.get(WUHUA, event_id)) is not None


@ENDINGS
async def test_mail_under_a_key_that_ended_still_arrives_once(
    province: Province, ending: Ending
) -> None:
    """Sent again it bears the present key, over the same bytes: a copy from before that arrives
    late is set aside, the repeat is taken, and a further one is the same message.
    """
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    (before,) = take_aside(province, WUHUA, ZHENXIONG)
    rotate(province, WUHUA, ending)
    assert not answers(await hand_over(province, ZHENXIONG, before))
    province.clock.advance(minutes=1)
    await province.send()
    (again,) = take_aside(province, WUHUA, ZHENXIONG)
    assert again != before
    assert header_of(again) == header_of(before)
    said = await hand_over(province, ZHENXIONG, again, again)
    assert answers(said) == ["APPLIED"]
    await hand_over(province, WUHUA, *said)
    await province.settle()
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id
    assert (await inquiry.letter(WUHUA)).state is LetterState.DELIVERED
    dead = await listed(province, ZHENXIONG)
    assert {letter.kind for letter in dead} == {KIND.DEAD_LETTER_KIND_UNAUTHENTIC}


@ENDINGS
async def test_what_was_never_sent_goes_out_under_the_present_key(
    province: Province, ending: Ending
) -> None:
    """Packed while the carrier was away, and a gap that is asked for, alike."""
    inquiry = await Inquiry(province).settled("determined")
    province.bus.away = True
    await inquiry.dispatched()
    await province.send()
    province.bus.away = False
    rotate(province, WUHUA, ending)
    await province.send()
    lost = take_aside(province, WUHUA, ZHENXIONG)
    rotate(province, WUHUA, ending)
    await province.state_lanes()
    await province.settle()
    assert lost
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id
    assert not await listed(province, ZHENXIONG)


@ENDINGS
async def test_a_receipt_given_again_bears_the_present_key(
    province: Province, ending: Ending
) -> None:
    """The receipt was lost and its key has ended: the next one says the same and is taken."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    items = take_aside(province, WUHUA, ZHENXIONG)
    await hand_over(province, ZHENXIONG, *items)
    province.bus.waiting.clear()
    rotate(province, ZHENXIONG, ending)
    province.clock.advance(minutes=1)
    await province.settle()
    assert (await inquiry.letter(WUHUA)).state is LetterState.DELIVERED
    assert not await listed(province, WUHUA)


@ENDINGS
async def test_an_old_case_goes_on_after_its_keys_have_ended(
    province: Province, ending: Ending
) -> None:
    """Titles and facts of the time before travel on: the new holder gets the chain its maker signed
    and answers, and the lanes balance.
    """
    inquiry = await Inquiry(province).settled("determined")
    for step in (inquiry.dispatched, inquiry.accepted):
        for org in (WUHUA, ZHENXIONG):
            rotate(province, org, ending)
        await step()
        await province.settle()
    assert (await inquiry.case(ZHENXIONG)).holder == ZHENXIONG
    assert (await inquiry.case(WUHUA_SCHOOL)).holder == ZHENXIONG


async def test_a_sender_without_a_good_key_waits_and_then_sends(province: Province) -> None:
    """The old key ended and there is no new one yet: nothing leaves that nobody would take, other
    senders of the node go on, and it leaves when there is a key.
    """
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    take_aside(province, WUHUA, ZHENXIONG)
    end_key(province, WUHUA, expired)
    province.clock.advance(minutes=1)
    before = len(province.bus.carried)
    await province.send()
    assert len(province.bus.carried) == before
    rotate(province, WUHUA, expired)
    province.clock.advance(minutes=2)
    await province.settle()
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id


async def test_a_fact_under_an_ended_key_is_judged_by_the_moment_of_its_record(
    province: Province, fates: Fates
) -> None:
    """Stated before the end it counts, stated after it does not, in mail under a good key."""
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    now = province.clock.now()
    moments = (fields.timestamp(now), fields.timestamp(now + timedelta(minutes=5)))
    carried = [
        forge.carried(
            forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], recorded_at=moment)
        )
        for moment in moments
    ]
    province.clock.advance(minutes=1)
    rotate(province, SHUIFU, revoked)
    province.clock.advance(minutes=10)
    (said,) = answers(await hand_over(province, WUHUA, forge.mail(SHUIFU, WUHUA, *carried).data))
    assert said == "REFUSED KEY_REVOKED"
    taken = [await logged(province, fact) for fact in carried]
    assert taken == [True, False]


@pytest.mark.parametrize(
    ("ending", "said"), [(revoked, "REFUSED KEY_REVOKED"), (expired, "PARKED MATTER_UNKNOWN")]
)
async def test_nobody_brings_anothers_fact_under_a_revoked_key(
    province: Province, ending: Ending, said: str
) -> None:
    """Whoever got hold of it would write a date from before; one that ran out is not in other
    hands, and what a case was told under it is passed on with the case.
    """
    inquiry = await Inquiry(province).settled("confirmed")
    forge = Forge(province)
    kind, body = FactKind.RETRIEVAL_STEP_RECORDED, retrieval_pb2.RetrievalStepRecorded()
    step = forge.event(TOWNSHIP, kind, body, [of_case(await inquiry.case())])
    rotate(province, TOWNSHIP, ending)
    chain = await province.look(WUHUA, lambda d: d.work.titles.chain(WUHUA, inquiry.case_id))
    mail = forge.mail(WUHUA, ZHENXIONG, forge.carried(step, titles=chain))
    assert answers(await hand_over(province, ZHENXIONG, mail.data)) == [said]


async def test_bytes_set_aside_are_taken_up_by_the_keys_of_their_own_time(
    province: Province, fates: Fates
) -> None:
    """The directory learned of the key too late; when an operator takes the message up it has
    ended, but it was good when the message came.
    """
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    mail = forge.mail(SHUIFU, WUHUA, forge.carried(event))
    with without_keys(province, WUHUA, SHUIFU):
        assert not answers(await hand_over(province, WUHUA, mail.data))
        (letter,) = await listed(province, WUHUA)
        assert letter.kind == KIND.DEAD_LETTER_KIND_UNAUTHENTIC
    rotate(province, SHUIFU, revoked)
    with without_keys(province, WUHUA, SHUIFU):
        await redrive(province, WUHUA, letter.dead_letter_id)
    await redrive(province, WUHUA, letter.dead_letter_id)
    assert await logged(province, forge.carried(event))
    assert not await listed(province, WUHUA)


async def test_a_title_under_a_key_that_is_not_listed_yet_waits(province: Province) -> None:
    """A directory read some minutes late refuses no letter: it takes effect with the next edition."""
    story = await Inquiry(province).settled("accepted")
    case = await story.case(ZHENXIONG)
    titles = [
        row.envelope for row in await rows(province, tables.titles) if row.org == str(ZHENXIONG)
    ]
    forge = Forge(province)
    event = forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    mail = forge.mail(ZHENXIONG, SHUIFU, forge.carried(event, titles=titles))
    with without_keys(province, SHUIFU, WUHUA):
        assert answers(await hand_over(province, SHUIFU, mail.data)) == ["PARKED KEY_UNKNOWN"]
    province.clock.advance(hours=2)
    await province.tend()
    # Its title holds now; the letter that it notes was never written to this bureau.
    assert answers(await hand_over(province, SHUIFU, mail.data)) == ["REFUSED NOT_FOUND"]
