"""Lanes on real stores: gaps are asked for, repetitions recognised, forgeries set aside."""

from typing import Any

import pytest

from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST
from gateway.v1 import letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, Mail, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, receipts_in, take_aside
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

pytestmark = pytest.mark.every_store

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")


def gaps_in(items: list[bytes]) -> list[tuple[int, int]]:
    """Return the gaps asked for among items from the bus."""
    requests = [
        message_pb2.GapRequest.FromString(envelope.payload)
        for envelope in map(SignedEnvelope.FromString, items)
        if envelope.payload_type == GAP_REQUEST
    ]
    return [(request.first_missing, request.last_missing) for request in requests]


async def quarantine(province: Province, org: OrgId) -> list[str]:
    """Return the reasons for which something was set aside."""
    found = await province.look(org, lambda desk: desk.work.dead_letters.page(org))
    return [letter.reason for letter in found]


async def next_number(province: Province, receiver: OrgId, sender: OrgId) -> int:
    """Return the number that the receiver expects next."""
    lane = await province.look(receiver, lambda desk: desk.work.inbox.lane(receiver, sender))
    number: int = lane.next_sequence
    return number


@pytest.fixture
async def mails(province: Province, fates: Fates) -> list[Mail]:
    """Return five messages of one lane, each with a fact that just takes effect."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    return [
        forge.mail(
            SHUIFU,
            WUHUA,
            forge.carried(forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])),
        )
        for _ in range(5)
    ]


@pytest.mark.fault("M2")
async def test_a_gap_is_asked_for_and_sent_again(province: Province) -> None:
    """The last of a lane's messages arrives alone: the receiver keeps it and asks, the sender
    sends again from its own store, and all take effect in order.
    """
    inquiry = await Inquiry(province).settled("submitted")
    for step in (inquiry.confirmed, inquiry.determined):
        await step()
        await province.send()
    lane = take_aside(province, WUHUA, WUHUA_SCHOOL)
    assert len(lane) > 1
    said = await hand_over(province, WUHUA_SCHOOL, lane[-1])
    first = await next_number(province, WUHUA_SCHOOL, WUHUA)
    assert gaps_in(said) == [(first, first + len(lane) - 2)]
    again = await hand_over(province, WUHUA, said[-1])
    assert again == lane[:-1]
    await hand_over(province, WUHUA_SCHOOL, *again)
    assert (await inquiry.case(WUHUA_SCHOOL)).jurisdiction_row == "J3"
    assert await next_number(province, WUHUA_SCHOOL, WUHUA) == first + len(lane)


async def test_gaps_of_one_batch_are_asked_for_as_one(
    province: Province, mails: list[Mail]
) -> None:
    """Two holes seen in one batch are both within what is asked for."""
    said = await hand_over(province, WUHUA, mails[4].data, mails[2].data)
    assert gaps_in(said) == [(1, 4)]
    assert not receipts_in(said)
    said = await hand_over(province, WUHUA, mails[2].data)
    assert gaps_in(said) == [(1, 2)]


@pytest.mark.fault("M2")
async def test_what_came_early_is_taken_when_its_turn_comes(
    province: Province, mails: list[Mail]
) -> None:
    """Kept messages follow the one that closes the gap, and one receipt answers them all."""
    await hand_over(province, WUHUA, mails[2].data, mails[1].data)
    assert await next_number(province, WUHUA, SHUIFU) == 1
    said = await hand_over(province, WUHUA, mails[0].data)
    assert await next_number(province, WUHUA, SHUIFU) == 4
    (receipt,) = receipts_in(said)
    assert [item.message_id for item in receipt.items] == [m.message_id for m in mails[:3]]


@pytest.mark.fault("M1")
async def test_a_hundred_repetitions_are_answered_with_the_same_bytes(
    province: Province, mails: list[Mail]
) -> None:
    """One effect, a hundred identical receipts."""
    first = await hand_over(province, WUHUA, mails[0].data)
    end = await province.look(WUHUA, lambda desk: desk.work.events.end(WUHUA))
    for _ in range(50):
        assert await hand_over(province, WUHUA, *[mails[0].data] * 2) == first * 2
    assert await province.look(WUHUA, lambda desk: desk.work.events.end(WUHUA)) == end
    assert answers(first) == ["APPLIED"]


async def test_a_repetition_within_the_batch_is_answered_with_it(
    province: Province, mails: list[Mail]
) -> None:
    """A message that comes twice before it was answered gets its one receipt."""
    said = await hand_over(province, WUHUA, *[mails[0].data] * 3)
    assert answers(said) == ["APPLIED"]


async def test_a_batch_of_many_messages_gets_receipts_of_bounded_size(
    province: Province, fates: Fates
) -> None:
    """Receipts, too, have to fit the carrier: one answers at most fifty messages."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    event = forge.carried(forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)]))
    batch = [forge.mail(SHUIFU, WUHUA, event).data for _ in range(60)]
    said = receipts_in(await hand_over(province, WUHUA, *batch))
    assert [len(receipt.items) for receipt in said] == [50, 10]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lane_sequence": 1}, "EQUIVOCATION"),
        ({"previous_message_hash": b"\0" * 32}, "LANE_BROKEN"),
        ({"previous_message_hash": b""}, "LANE_BROKEN"),
        ({"lane_incarnation": 0}, "LANE_BROKEN"),
        ({"lane_incarnation": 2**31}, "LANE_BROKEN"),
        ({"lane_incarnation": 2, "lane_sequence": 1}, "LANE_BROKEN"),
        ({"lane_sequence": 0}, "LANE_BROKEN"),
        ({"lane_sequence": -(2**63)}, "LANE_BROKEN"),
    ],
)
async def test_a_forged_place_is_refused_in_the_open(
    province: Province, mails: list[Mail], change: dict[str, Any], reason: str
) -> None:
    """Another message under a taken number, or one outside the chain, is kept as evidence and
    refused by its digest, always with the same bytes; its number stays free for the true one.
    """
    await hand_over(province, WUHUA, mails[0].data)
    place: dict[str, Any] = {
        "lane_sequence": 2,
        "previous_message_hash": mails[0].digest,
    }
    forged = Forge(province).mail(SHUIFU, WUHUA, **(place | change))
    said = await hand_over(province, WUHUA, forged.data, forged.data)
    assert answers(said) == [f"REFUSED {reason}"]
    assert receipts_in(said)[0].items[0].message_digest == forged.digest
    assert await hand_over(province, WUHUA, forged.data) == said
    assert await quarantine(province, WUHUA) == [reason]
    assert answers(await hand_over(province, WUHUA, mails[1].data)) == ["APPLIED"]


@pytest.mark.fault("M7")
async def test_a_message_twice_under_two_numbers_is_equivocation(
    province: Province, mails: list[Mail]
) -> None:
    """The same identifier with other bytes is refused, whatever number it takes; also within the
    batch of the first, whose own receipt stays as it is.
    """
    twin = Forge(province).mail(
        *(SHUIFU, WUHUA),
        message_id=mails[0].message_id,
        lane_sequence=2,
        previous_message_hash=mails[0].digest,
    )
    said = await hand_over(province, WUHUA, mails[0].data, twin.data)
    assert answers(said) == ["APPLIED", "REFUSED EQUIVOCATION"]
    assert [item.message_digest for item in receipts_in(said)[0].items] == [
        mails[0].digest,
        twin.digest,
    ]
    assert await quarantine(province, WUHUA) == ["EQUIVOCATION"]
    (letter,) = await province.look(WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA))
    assert (letter.peer, letter.message_id) == (SHUIFU, twin.message_id)
    assert (letter.digest, letter.earlier_digest) == (twin.digest.hex(), mails[0].digest.hex())


async def test_what_was_kept_under_a_broken_chain_is_never_taken(
    province: Province, mails: list[Mail]
) -> None:
    """An early message that names another predecessor is refused when its turn comes, and its
    number goes to the message that does continue the lane.
    """
    forged = Forge(province).mail(SHUIFU, WUHUA, lane_sequence=2, previous_message_hash=b"\1" * 32)
    await hand_over(province, WUHUA, forged.data)
    said = await hand_over(province, WUHUA, mails[0].data)
    assert answers(said) == ["APPLIED", "REFUSED LANE_BROKEN"]
    assert answers(await hand_over(province, WUHUA, forged.data)) == answers(said)
    assert await quarantine(province, WUHUA) == ["LANE_BROKEN"]
    assert await next_number(province, WUHUA, SHUIFU) == 2
    assert answers(await hand_over(province, WUHUA, mails[1].data)) == ["APPLIED"]


async def test_which_of_two_early_twins_is_true_is_decided_when_their_turn_comes(
    province: Province, mails: list[Mail]
) -> None:
    """A forgery that came first keeps nobody out: the second gets no refusal until it is certain,
    and the evidence holds both.
    """
    forged = Forge(province).mail(SHUIFU, WUHUA, lane_sequence=2, previous_message_hash=b"\1" * 32)
    assert not answers(await hand_over(province, WUHUA, forged.data, mails[1].data))
    (listed,) = await province.look(WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA))
    kept = await province.look(WUHUA, lambda desk: desk.work.dead_letters.get(WUHUA, listed.id))
    assert (kept.envelope, kept.evidence) == (mails[1].data, forged.data)
    said = await hand_over(province, WUHUA, mails[0].data, mails[1].data)
    assert sorted(answers(said)) == ["APPLIED", "APPLIED", "REFUSED LANE_BROKEN"]


async def test_a_lane_begun_anew_is_taken_from_its_first_message(
    province: Province, mails: list[Mail]
) -> None:
    """A higher incarnation begins at number 1; what comes early of it is kept and asked for, and
    what is left of the one before is refused.
    """
    await hand_over(province, WUHUA, mails[0].data)
    forge = Forge(province)
    anew = [forge.mail(SHUIFU, WUHUA, lane_incarnation=3) for _ in range(2)]
    assert gaps_in(await hand_over(province, WUHUA, anew[1].data)) == [(1, 1)]
    assert answers(await hand_over(province, WUHUA, anew[0].data)) == ["APPLIED", "APPLIED"]
    lane = await province.look(WUHUA, lambda desk: desk.work.inbox.lane(WUHUA, SHUIFU))
    assert (lane.incarnation, lane.next_sequence) == (3, 3)
    assert answers(await hand_over(province, WUHUA, mails[1].data)) == ["REFUSED LANE_BROKEN"]


async def test_lanes_do_not_wait_for_each_other(province: Province, mails: list[Mail]) -> None:
    """A gap on one lane keeps back that lane alone."""
    case = (await Inquiry(province, 2).settled("submitted")).case_id
    await hand_over(province, WUHUA, mails[3].data)
    forge = Forge(province)
    reference = of_case(
        await province.look(WUHUA, lambda desk: desk.work.cases.require(WUHUA, case))
    )
    event = forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [reference])
    said = await hand_over(province, WUHUA, forge.mail(ZHENXIONG, WUHUA, forge.carried(event)).data)
    assert answers(said) == ["APPLIED"]
