"""What an organisation must do next, read from the states of what it has before it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.domain import duties
from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.cases import CaseState, DropoutCase, OpenOffer, Whereabouts, WhereaboutsKind
from gateway.domain.duties import Duty
from gateway.domain.four_steps import Ladder, RetrievalStep, ServiceMethod, StepOutcome, StepRecord
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterLine, LetterState
from gateway.domain.orders import OrderState, RetrievalOrder
from gateway.domain.organisations import OrgId
from gateway.domain.placements import Placement, PlacementState

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
E, H = OrgId.parse("530102/edu"), OrgId.parse("530627/edu")
SCHOOL, TWN = OrgId.parse("530102/sch/3153000123"), OrgId.parse("530102001/twn")
CASE = DropoutCase(
    "case", "child", CaseState.CONFIRMED, SCHOOL, "530102", NOW, NOW, absence_id="absence", holder=E
)
KNOWN = Whereabouts(WhereaboutsKind.IN_HUKOU_COUNTY)


def of_case(org: OrgId, *, answered: bool = True, **change: Any) -> Duty | None:
    """Return the duty that a case in some state means to an organisation."""
    item = duties.of_case(replace(CASE, **change), org, hukou_answered=answered)
    return item.duty if item else None


@pytest.mark.parametrize(
    ("org", "change", "answered", "duty"),
    [
        (SCHOOL, {"state": CaseState.SUSPECTED, "holder": None}, False, Duty.ADD_RECIPIENT),
        (E, {"state": CaseState.SUSPECTED, "holder": None}, False, None),
        (E, {"state": CaseState.VERIFYING, "holder": None}, False, Duty.VERIFY_SUSPECTED),
        (H, {"state": CaseState.VERIFYING, "holder": None}, False, None),
        (TWN, {"state": CaseState.VERIFYING, "holder": None}, False, None),
        (E, {}, False, Duty.OBTAIN_HUKOU),
        (E, {}, True, Duty.RECORD_WHEREABOUTS),
        (E, {"whereabouts": KNOWN}, True, Duty.DETERMINE_JURISDICTION),
        (H, {"whereabouts": KNOWN}, True, None),
        (E, {"state": CaseState.JURISDICTION_PENDING}, True, Duty.SEND_LETTER),
        (E, {"state": CaseState.ASSIGNED}, True, Duty.CONFIRM_BODY),
        (E, {"state": CaseState.ASSIGNED, "retrieval_body": E}, True, Duty.ISSUE_ORDER),
        (E, {"state": CaseState.RETURNED}, True, Duty.DECIDE_PLACEMENT),
        (E, {"state": CaseState.WATCH}, True, None),
        (E, {"state": CaseState.CLOSED_RETAINED}, True, None),
    ],
)
def test_a_case_asks_its_next_act_of_the_one_in_charge(
    org: OrgId, change: dict[str, Any], answered: bool, duty: Duty | None
) -> None:
    """Only the next act, and only of whoever may do it."""
    assert of_case(org, answered=answered, **change) is duty


def test_an_open_offer_leaves_nothing_to_do() -> None:
    """While a hand-over waits for its answer, the holder waits too."""
    offer = OpenOffer("letter", 1, H, "ab")
    assert of_case(E, state=CaseState.JURISDICTION_PENDING, offer=offer) is None


def test_a_missing_recipient_is_a_duty_on_the_report() -> None:
    """The command that mends it takes the report, not the case."""
    suspected = replace(CASE, state=CaseState.SUSPECTED, holder=None)
    item = duties.of_case(suspected, SCHOOL, hukou_answered=False)
    assert item is not None
    assert (item.object_id, item.case_id, item.since) == ("absence", "case", NOW)


@pytest.mark.parametrize("state", AbsenceState)
def test_an_open_report_is_to_be_submitted_by_its_school(state: AbsenceState) -> None:
    """Reported and followed up reports wait for the principal; nobody else's."""
    absence = Absence("absence", "child", SCHOOL, state, (date(2026, 11, 18),), NOW, NOW)
    item = duties.of_absence(absence, SCHOOL)
    waits = state in {AbsenceState.REPORTED, AbsenceState.UNDER_FOLLOW_UP}
    assert (item is not None) is waits
    assert duties.of_absence(absence, E) is None


@pytest.mark.parametrize("state", LetterState)
def test_a_letter_waits_for_one_side_at_a_time(state: LetterState) -> None:
    """Draft and signature are the sender's, registration and answer the receiver's."""
    line = LetterLine(1, "case", "child", "530102", "530627", SCHOOL)
    letter = Letter("letter", LetterKind.HANDOVER, state, E, H, "函", (line,), NOW)
    found = [item.duty if (item := duties.of_letter(letter, org)) else None for org in (E, H)]
    assert found == {
        LetterState.DRAFT: [Duty.SIGN_LETTER, None],
        LetterState.SIGNED: [Duty.DISPATCH_LETTER, None],
        LetterState.DELIVERED: [None, Duty.REGISTER_LETTER],
        LetterState.REGISTERED: [None, Duty.ANSWER_LETTER],
    }.get(state, [None, None])


@pytest.mark.parametrize("state", OrderState)
def test_an_order_waits_for_its_township(state: OrderState) -> None:
    """Acknowledge, assign, step; nothing once a step was effective."""
    order = RetrievalOrder("order", "1号", "case", "child", E, TWN, state, NOW, NOW)
    expected = {
        OrderState.ISSUED: Duty.ACKNOWLEDGE_ORDER,
        OrderState.ACKNOWLEDGED: Duty.ASSIGN_OFFICER,
        OrderState.ASSIGNED: Duty.RECORD_STEP,
        OrderState.IN_PROGRESS: Duty.RECORD_STEP,
    }.get(state)
    item = duties.of_order(order, TWN)
    assert (item.duty if item else None) is expected
    assert duties.of_order(order, E) is None
    effective = StepRecord(
        RetrievalStep.EDUCATION, StepOutcome.EFFECTIVE, NOW.date(), ServiceMethod.HOME_VISIT
    )
    over = replace(order, state=OrderState.IN_PROGRESS, ladder=Ladder((effective,)))
    assert duties.of_order(over, TWN) is None


@pytest.mark.parametrize("state", PlacementState)
def test_a_placement_waits_for_its_school(state: PlacementState) -> None:
    """The school confirms the return of a child proposed to it, and starts what was decided."""
    placement = Placement("placement", "case", "child", SCHOOL, state, NOW)
    item = duties.of_placement(placement, SCHOOL)
    expected = {
        PlacementState.PROPOSED: (Duty.CONFIRM_RETURN, "case"),
        PlacementState.DECIDED: (Duty.START_PLACEMENT, "placement"),
    }.get(state)
    assert ((item.duty, item.object_id) if item else None) == expected
    assert duties.of_placement(placement, E) is None


def test_every_duty_says_what_it_rests_on_and_how_it_is_done() -> None:
    """The texts are complete, and every command takes its object."""
    assert set(duties.TEXTS) == set(Duty)
    for text in duties.TEXTS.values():
        assert text.zh
        assert text.basis
        assert text.command.startswith("gateway ")
        assert text.command.count("{}") == 1
