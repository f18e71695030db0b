"""Art. 7 and 8: who is responsible, and which letters are due."""

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.v1 import case_pb2, jurisdiction_pb2, letter_pb2
from tests.world.estate import SHUIFU, SHUIFU_TOWNSHIP, WUHUA
from tests.world.running import RunningProvince
from tests.world.story import HANDOVER, NOTIFICATION, Story
from tests.world.waiting import eventually

HERE = case_pb2.WHEREABOUTS_KIND_IN_ENROLMENT_COUNTY
THERE = case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY
ELSEWHERE = case_pb2.WHEREABOUTS_KIND_OTHER_COUNTY_YN
PROVINCE = case_pb2.WHEREABOUTS_KIND_OTHER_PROVINCE
UNKNOWN = case_pb2.WHEREABOUTS_KIND_UNKNOWN
ASSISTANCE = jurisdiction_pb2.LETTER_KIND_ASSISTANCE
EXTERNAL = jurisdiction_pb2.LETTER_KIND_EXTERNAL


def test_notification_moves_no_duty(world: RunningProvince, story: Story) -> None:
    """Scenario 4, row J2.

    Given a child enrolled in 530102, registered in 530681, at home in 530102; when the bureau
    determines; then 530102 holds the case and one notification to 530681 is due; when 530681
    notes it, nothing else changes; and an order of 530681 is refused: it is not the holder.
    """
    decision = story.due("530681", HERE)
    assert (decision.row, decision.responsible) == ("J2", str(WUHUA))
    (due,) = decision.letters_due
    assert (due.kind, due.recipient) == (NOTIFICATION, str(SHUIFU))

    story.dispatched(SHUIFU, NOTIFICATION)
    before = story.letter(WUHUA, "DELIVERED"), story.case(WUHUA)
    story.registered(SHUIFU)
    world.act(
        SHUIFU, "LetterService/NoteLetter", letter_pb2.NoteLetterRequest(letter_id=story.letter_id)
    )

    assert story.letter(WUHUA, "NOTED").lines[0].state == letter_pb2.LINE_STATE_NOTED
    case = story.case(WUHUA)
    assert case == before[1]
    assert (case.holder, case.may_act) == (str(WUHUA), True)
    assert not story.case(SHUIFU).may_act
    refused = story.refused(
        SHUIFU, "RetrievalService/IssueOrder", story.order_request(SHUIFU, SHUIFU_TOWNSHIP)
    )
    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, Reason.NOT_HOLDER)
    assert refused.facts["holder"] == str(WUHUA)


def test_handover_passes_the_title_with_acceptance(world: RunningProvince, story: Story) -> None:
    """Scenario 5, row J3.

    Given the same child now living in 530681; when the hand-over letter is signed, dispatched,
    registered and accepted; then the case passes to 530681 with the acceptance, both counties see
    the same title, the former holder only reads; and 530681 confirms itself and orders its own
    township.
    """
    decision = story.due("530681")
    assert (decision.row, decision.responsible) == ("J3", str(SHUIFU))
    assert [(due.kind, due.recipient) for due in decision.letters_due] == [(HANDOVER, str(SHUIFU))]

    story.dispatched(SHUIFU)
    story.registered(SHUIFU)
    assert story.case(WUHUA).may_act, "an unanswered offer leaves the holder in charge"
    assert not story.case(SHUIFU).may_act
    story.accepted(SHUIFU)

    new, former = story.seen_by(SHUIFU, "ASSIGNED"), story.seen_by(WUHUA, "ASSIGNED")
    assert (new.holder, new.may_act) == (str(SHUIFU), True)
    assert (former.holder, former.may_act) == (str(SHUIFU), False)
    assert new.title == former.title
    assert (new.title.epoch.term, new.title.epoch.number) == (1, 1)
    assert former.open_letter_id == ""
    for org in (WUHUA, SHUIFU):
        line = eventually(lambda org=org: granted(story, org), f"the line granted at {org}")  # type: ignore[misc]
        assert line.case_id == story.case_id

    order = story.ordered(SHUIFU, SHUIFU_TOWNSHIP)
    assert order.township == str(SHUIFU_TOWNSHIP)
    assert story.seen_by(SHUIFU_TOWNSHIP, "IN_RETRIEVAL").holder == str(SHUIFU)


def granted(story: Story, org: object) -> letter_pb2.LetterLine | None:
    """The letter's first line, once it says that the title was granted."""
    line = story.letter(org).lines[0]  # type: ignore[arg-type]
    return line if line.state == letter_pb2.LINE_STATE_GRANTED else None


@pytest.mark.parametrize(
    ("county", "kind", "division", "row"),
    [
        ("530681", UNKNOWN, "", "J9"),
        ("", HERE, "", "J10"),
        ("44", HERE, "", "J8"),
        ("44", PROVINCE, "44", "J7"),
    ],
)
def test_gap_of_the_rule_waits_for_a_person(
    story: Story, county: str, kind: case_pb2.WhereaboutsKind.ValueType, division: str, row: str
) -> None:
    """A row that the gateway does not decide answers with its number; the holder stays."""
    story.confirmed()
    story.hukou(county)
    story.whereabouts(kind, division)

    refused = story.refused(WUHUA, "JurisdictionService/Determine", story.determine_request())

    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.reason is Reason.NEEDS_DECISION
    assert refused.facts == {"row": row, "holder": str(WUHUA)}
    assert row in refused.message
    case = story.case(WUHUA)
    assert (case.state, case.holder) == (case_pb2.CASE_STATE_CONFIRMED, str(WUHUA))


@pytest.mark.parametrize(
    ("county", "kind", "location", "row", "responsible", "letters"),
    [
        ("530102", HERE, "", "J1", "530102/edu", []),
        ("530681", HERE, "", "J2", "530102/edu", [(NOTIFICATION, "530681/edu")]),
        ("530681", THERE, "", "J3", "530681/edu", [(HANDOVER, "530681/edu")]),
        ("530102", PROVINCE, "44", "J4", "530102/edu", []),
        (
            *("530681", ELSEWHERE, "533102", "J5", "530681/edu"),
            [(HANDOVER, "530681/edu"), (ASSISTANCE, "533102/edu")],
        ),
        ("530681", PROVINCE, "44", "J6", "530681/edu", [(HANDOVER, "530681/edu")]),
        ("44", PROVINCE, "44", "J7", "530102/edu", [(EXTERNAL, "")]),
        ("44", HERE, "", "J8", "530102/edu", [(EXTERNAL, "")]),
        ("530681", UNKNOWN, "", "J9", "530102/edu", []),
        ("", HERE, "", "J10", "530102/edu", []),
    ],
)
def test_dry_run_names_row_body_and_letters(
    world: RunningProvince,
    county: str,
    kind: case_pb2.WhereaboutsKind.ValueType,
    location: str,
    row: str,
    responsible: str,
    letters: list[tuple[int, str]],
) -> None:
    """Evaluate applies the table J1 to J10 to given facts and changes nothing."""
    facts = jurisdiction_pb2.JurisdictionFacts(
        enrolment_county="530102", hukou_county=county, whereabouts_kind=kind, location=location
    )
    decision = world.ask(
        WUHUA, "JurisdictionService/Evaluate", jurisdiction_pb2.EvaluateRequest(facts=facts)
    ).decision

    assert (decision.row, decision.responsible) == (row, responsible)
    assert [(due.kind, due.recipient) for due in decision.letters_due] == letters
    assert decision.needs_decision == (row in {"J7", "J8", "J9", "J10"})
    assert decision.explanation
    assert decision.explanation_zh


def test_no_letter_to_oneself(story: Story) -> None:
    """Row J4: a child of the own county that is elsewhere needs no letter, and gets none."""
    story.confirmed()
    story.hukou("530102")
    story.whereabouts(PROVINCE, "44")
    assert not story.determined().letters_due

    draft = letter_pb2.CreateDraftRequest(
        kind=HANDOVER, recipient=str(WUHUA), case_ids=[story.case_id]
    )
    refused = story.refused(WUHUA, "LetterService/CreateDraft", draft)
    assert (refused.code, refused.reason, refused.field) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        Reason.SELF_LETTER,
        "recipient",
    )
