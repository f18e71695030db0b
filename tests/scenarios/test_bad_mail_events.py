"""Mail whose author is certain but whose content is not acceptable: refused by receipt, no effect."""

from typing import Any

import pytest

from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.v1 import (
    case_pb2,
    error_pb2,
    event_pb2,
    letter_pb2,
    message_pb2,
    subject_pb2,
)
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.forger import Forger
from tests.world.letter_box import LetterBox
from tests.world.running import RunningProvince
from tests.world.running_estate import EXPIRED_COUNTY as OTHER_COUNTY
from tests.world.running_estate import HOSTILE_COUNTY, HOSTILE_POLICE, HOSTILE_TOWNSHIP
from tests.world.running_estate import REVOKED_COUNTY as THIRD_COUNTY
from tests.world.story import Story


def only(event: message_pb2.CarriedEvent) -> list[message_pb2.CarriedEvent]:
    """One event as the content of a message."""
    return [event]


def carried(
    forger: Forger, source: object, kind: FactKind, body: object, **changed: object
) -> list[message_pb2.CarriedEvent]:
    """One event of the source without private parts."""
    envelope = forger.event(source, kind, body, **changed)  # type: ignore[arg-type]
    return [message_pb2.CarriedEvent(event=envelope)]


def test_role_that_may_not_state_it(forger: Forger, wuhua_box: LetterBox) -> None:
    """A township confirms a dropout: ROLE_NOT_ALLOWED."""
    confirmed = case_pb2.DropoutConfirmed(criteria="家访联系后仍未到校")
    events = carried(forger, HOSTILE_TOWNSHIP, FactKind.DROPOUT_CONFIRMED, confirmed)
    data = forger.message(HOSTILE_TOWNSHIP, WUHUA, events)
    assert wuhua_box.refused(HOSTILE_TOWNSHIP, data) is Reason.ROLE_NOT_ALLOWED


def test_part_that_does_not_fit(forger: Forger, wuhua_box: LetterBox) -> None:
    """The letter's text exchanged for another than was signed: PART_MISMATCH."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, text="请协助核查")
    other = event_pb2.Narrative(text="请停止核查").SerializeToString()
    letter.carried.parts[0].content = other
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.PART_MISMATCH


def test_part_that_nobody_committed_to(forger: Forger, wuhua_box: LetterBox) -> None:
    """A private part slipped in beside the event: PART_MISMATCH."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    extra = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, text="请停止核查")
    letter.carried.parts.extend(extra.carried.parts)
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.PART_MISMATCH


SEEMINGLY_AN_IDENTITY = [
    b"\xff\xff",
    subject_pb2.PersonIdentity(name="演练", birth_date="2026-99-99").SerializeToString(),
]


@pytest.mark.parametrize("content", SEEMINGLY_AN_IDENTITY)
def test_private_part_that_makes_no_sense(
    forger: Forger, wuhua_box: LetterBox, content: bytes
) -> None:
    """A part that fits its commitment and is nonsense takes no effect and stops no other mail."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, identity=content)
    before = wuhua_box.state()
    item = wuhua_box.answer(
        HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    )
    assert item.outcome != message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.state() == before

    good = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, only(good.carried)))
    assert wuhua_box.has_letter(good.letter_id)


@pytest.mark.parametrize("which", ["occurred_at", "recorded_at"])
def test_event_from_the_future(forger: Forger, wuhua_box: LetterBox, which: str) -> None:
    """A fact dated more than ten minutes ahead: FROM_THE_FUTURE (B33)."""
    ahead: dict[str, Any] = {which: forger.moment(minutes=11)}
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, **ahead)
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.FROM_THE_FUTURE


def test_clock_that_is_a_little_fast(forger: Forger, wuhua_box: LetterBox) -> None:
    """Nine minutes ahead are taken: clocks of agencies differ (B33)."""
    letter = forger.letter(
        forger.title(HOSTILE_COUNTY), WUHUA, recorded_at=forger.moment(minutes=9)
    )
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    item = wuhua_box.answer(HOSTILE_COUNTY, data)
    assert item.outcome == message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.has_letter(letter.letter_id)


def test_event_under_another_name(forger: Forger, wuhua_box: LetterBox) -> None:
    """An event that says it is of 镇雄 but is signed by another: SIGNER_MISMATCH, and kept aside."""
    events = carried(
        forger,
        ZHENXIONG,
        FactKind.DROPOUT_REFUTED,
        case_pb2.DropoutRefuted(reason="已返校"),
        signer=HOSTILE_COUNTY,
    )
    data = forger.message(HOSTILE_COUNTY, WUHUA, events)
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.SIGNER_MISMATCH
    assert wuhua_box.quarantined()[-1] == "SIGNER_MISMATCH"


def test_event_brought_by_a_stranger(forger: Forger, wuhua_box: LetterBox) -> None:
    """A good event of one county, brought by another that may not pass it on: SIGNER_MISMATCH."""
    letter = forger.letter(forger.title(OTHER_COUNTY), WUHUA)
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.SIGNER_MISMATCH


@pytest.mark.fault("M5")
def test_seal_for_somebody_else(forger: Forger, wuhua_box: LetterBox) -> None:
    """Content sealed to another organisation: SEAL_BROKEN; the number is used and answered."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried), seal_for=ZHENXIONG)
    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.SEAL_BROKEN


@pytest.mark.parametrize(
    "changed",
    [{"type": event_pb2.EVENT_TYPE_DROPOUT_REFUTED}, {"event_id": "first"}, {"type": 99}],
)
def test_event_that_contradicts_itself(
    forger: Forger, wuhua_box: LetterBox, changed: dict[str, Any]
) -> None:
    """Type and body disagree, or the identifier is none: refused, kept aside, no effect."""
    letter = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, **changed)
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried))
    reason = wuhua_box.refused(HOSTILE_COUNTY, data)
    assert reason in {Reason.PAYLOAD_INVALID, Reason.INVALID_FIELD}


def test_act_under_an_old_title(forger: Forger, wuhua_box: LetterBox) -> None:
    """A former holder acts on a title that has passed on: STALE_EPOCH (title, rule 5)."""
    first = forger.title(HOSTILE_COUNTY)
    letter = forger.letter(first, WUHUA)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, only(letter.carried)))
    assert wuhua_box.has_letter(letter.letter_id)
    second = forger.next_title(first, ZHENXIONG)

    late = forger.letter(first, WUHUA, titles=[first, second])
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(late.carried))

    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.STALE_EPOCH
    assert not wuhua_box.has_letter(late.letter_id)


def test_act_under_a_title_that_is_still_on_its_way(forger: Forger, wuhua_box: LetterBox) -> None:
    """An unknown newer title parks the act; when the chain arrives by another way, a second,
    linked receipt settles it.
    """
    first = forger.title(HOSTILE_COUNTY)
    known = forger.letter(first, WUHUA)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, only(known.carried)))
    second = forger.next_title(first, OTHER_COUNTY)
    third = forger.next_title(second, HOSTILE_COUNTY)
    early = forger.letter(third, WUHUA, titles=[first])
    data = forger.message(HOSTILE_COUNTY, WUHUA, only(early.carried))

    parked = wuhua_box.answer(HOSTILE_COUNTY, data)
    assert parked.outcome == message_pb2.RECEIPT_OUTCOME_PARKED
    assert parked.exceptions[0].reason == error_pb2.ERROR_REASON_TITLE_UNKNOWN
    assert not wuhua_box.has_letter(early.letter_id)

    granted = forger.event(
        OTHER_COUNTY,
        FactKind.TITLE_GRANTED,
        letter_pb2.TitleGranted(letter_id=known.letter_id, line_no=1, title=third.reference),
        [known.reference],
    )
    chain = message_pb2.CarriedEvent(
        event=granted, titles=[title.envelope for title in (first, second, third)]
    )
    wuhua_box.answer(OTHER_COUNTY, forger.message(OTHER_COUNTY, WUHUA, only(chain)))

    final = wuhua_box.receipt(data, times=2)
    assert final.follows_receipt_id
    assert final.outcome == message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.has_letter(early.letter_id)


def test_two_titles_of_one_number(forger: Forger, wuhua_box: LetterBox) -> None:
    """A holder that hands the same case to two counties is found out: TITLE_INVALID (rule 7)."""
    first = forger.title(HOSTILE_COUNTY)
    one, other = (forger.next_title(first, to) for to in (OTHER_COUNTY, THIRD_COUNTY))
    letter = forger.letter(one, WUHUA, titles=[first, one])
    item = wuhua_box.answer(OTHER_COUNTY, forger.message(OTHER_COUNTY, WUHUA, only(letter.carried)))
    assert item.outcome == message_pb2.RECEIPT_OUTCOME_APPLIED

    second = forger.letter(other, WUHUA, titles=[first, other])
    data = forger.message(THIRD_COUNTY, WUHUA, only(second.carried))
    assert wuhua_box.refused(THIRD_COUNTY, data) is Reason.TITLE_INVALID


def test_answer_to_a_letter_of_others(
    world: RunningProvince, forger: Forger, wuhua_box: LetterBox
) -> None:
    """A county accepts a letter that went to another: refused, the offer stands (rule 3)."""
    story = Story(world)
    story.due("530627")
    letter = story.dispatched(ZHENXIONG)
    line = letter.lines[0]
    accepted = letter_pb2.LetterLinesAccepted(
        letter_id=letter.letter_id,
        lines=[
            letter_pb2.AcceptedLine(
                line_no=1, case_id=line.case_id, title_hash=line.title.title_hash
            )
        ],
    )
    story.letter(WUHUA, "DELIVERED")
    reference = event_pb2.CaseReference(
        case_id=line.case_id, subject_id=line.subject_id, episode=1, title=line.title
    )
    events = carried(
        forger, HOSTILE_COUNTY, FactKind.LETTER_LINES_ACCEPTED, accepted, cases=[reference]
    )
    data = forger.message(HOSTILE_COUNTY, WUHUA, events)

    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.JURISDICTION_NOT_ALLOWED
    case = story.case(WUHUA)
    assert (case.holder, case.open_letter_id) == (str(WUHUA), letter.letter_id)


def test_household_statement_of_a_strange_police(
    world: RunningProvince, forger: Forger, wuhua_box: LetterBox
) -> None:
    """Public security of another county states where a child of 五华区 is registered: refused."""
    story = Story(world)
    story.confirmed()
    case = story.case(WUHUA)
    asserted = subject_pb2.HukouAsserted(
        subject_id=case.subject_id,
        finding=subject_pb2.HUKOU_FINDING_FOUND,
        county="530681",
        snapshot_at=forger.moment(),
        query_id="0190a2b8-0000-7000-8000-000000000000",
        source=str(HOSTILE_POLICE),
    )
    events = carried(forger, HOSTILE_POLICE, FactKind.HUKOU_ASSERTED, asserted)
    data = forger.message(HOSTILE_POLICE, WUHUA, events)

    assert wuhua_box.refused(HOSTILE_POLICE, data) is Reason.JURISDICTION_NOT_ALLOWED
    assert story.case(WUHUA).hukou_county == ""


def test_one_bad_event_spoils_no_other(forger: Forger, wuhua_box: LetterBox) -> None:
    """In a message with several events each is judged for itself."""
    good = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    late = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, recorded_at=forger.moment(hours=1))
    also = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA)
    events = [letter.carried for letter in (good, late, also)]

    item = wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, events))

    assert [exception.event_id for exception in item.exceptions] == [late.event_id]
    assert [wuhua_box.has_letter(one.letter_id) for one in (good, late, also)] == [
        *(True, False, True)
    ]
