"""What callers are shown of records: every field says what the record says."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import absences, cases, enums, jurisdiction, placements, subjects
from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.cases import CaseState, DropoutCase, OpenOffer, WhereaboutsKind
from gateway.domain.errors import Refusal
from gateway.domain.jurisdiction import Facts, evaluate
from gateway.domain.organisations import OrgId
from gateway.domain.placements import Placement, PlacementKind, PlacementState
from gateway.domain.school_days import AbsenceDay, AbsenceKind
from gateway.domain.subjects import EnrolmentAssertion, Subject
from gateway.domain.titles import Epoch, TitleRef
from gateway.v1 import absence_pb2, case_pb2, jurisdiction_pb2

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
E, H = OrgId.parse("530102/edu"), OrgId.parse("530627/edu")
SCHOOL = OrgId.parse("530102/sch/3153000123")
CASE = DropoutCase("case", "child", CaseState.SUSPECTED, SCHOOL, "530102", NOW, NOW)


def test_a_case_says_to_whom_it_is_shown_whether_he_may_act() -> None:
    """The holder may act, everybody else may read."""
    held = replace(
        CASE,
        state=CaseState.ASSIGNED,
        holder=E,
        title=TitleRef(Epoch(1, 2), "ab" * 32, E),
        offer=OpenOffer("letter", 1, H, "ab" * 32),
    )
    shown = cases.encode_case(held, E)
    assert (shown.may_act, shown.holder, shown.open_letter_id) == (True, str(E), "letter")
    assert (shown.title.epoch.term, shown.title.epoch.number) == (1, 2)
    assert not cases.encode_case(held, H).may_act
    assert not cases.encode_case(CASE, E).may_act


def test_missing_recipients_are_shown_while_they_are_missing() -> None:
    """Art. 7: only a suspected case lacks recipients."""
    assert list(cases.encode_case(CASE, E).missing_recipients) == ["EDU", "TWN"]
    verifying = replace(CASE, state=CaseState.VERIFYING)
    assert not cases.encode_case(verifying, E).missing_recipients


@pytest.mark.parametrize("state", CaseState)
def test_every_state_can_be_shown(state: CaseState) -> None:
    """The name on the wire is the name in the domain."""
    shown = cases.encode_case(replace(CASE, state=state), E).state
    assert case_pb2.CaseState.Name(shown) == f"CASE_STATE_{state.name}"


def test_an_absence_is_shown_with_its_days() -> None:
    """The counted days are those of the report."""
    days = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
    report = Absence("absence", "child", SCHOOL, AbsenceState.REPORTED, days, NOW, NOW)
    shown = absences.encode_absence(report)
    assert list(shown.counted_days) == ["2026-11-18", "2026-11-19", "2026-11-20"]
    assert shown.recorded_at.ToDatetime(tzinfo=UTC) == NOW


@given(
    st.lists(
        st.builds(AbsenceDay, st.dates(), st.sampled_from(AbsenceKind)), min_size=1, max_size=5
    )
)
def test_reported_days_are_read_as_they_were_sent(days: list[AbsenceDay]) -> None:
    """Order and doubles are kept: the counting judges them."""
    wire = [
        absence_pb2.AbsenceDay(date=day.date.isoformat(), kind=enums.wire(day.kind)) for day in days
    ]
    assert absences.decode_days(wire) == days


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ([], "days"),
        (
            [absence_pb2.AbsenceDay(date="2026-11-18", kind=absence_pb2.ABSENCE_KIND_UNEXCUSED)]
            * 121,
            "days",
        ),
        ([absence_pb2.AbsenceDay(date="2026-11-18")], "days[0].kind"),
        (
            [
                absence_pb2.AbsenceDay(date="2026-11-18", kind=absence_pb2.ABSENCE_KIND_UNEXCUSED),
                absence_pb2.AbsenceDay(date="18.11.", kind=absence_pb2.ABSENCE_KIND_UNEXCUSED),
            ],
            "days[1].date",
        ),
    ],
)
def test_a_day_out_of_form_is_named_by_its_place(
    days: list[absence_pb2.AbsenceDay], field: str
) -> None:
    """Which day of the list is to blame is said."""
    with pytest.raises(Refusal) as caught:
        absences.decode_days(days)
    assert caught.value.field == field


def test_a_placement_is_shown_as_it_stands() -> None:
    """Kind, school and watch period."""
    placement = Placement(
        *("placement", "case", "child", SCHOOL, PlacementState.STARTED, NOW, 3),
        kind=PlacementKind.REGULAR_CLASS,
        watch_until="2027-02-21",
    )
    shown = placements.encode_placement(placement)
    assert (shown.school, shown.version, shown.watch_until) == (str(SCHOOL), 3, "2027-02-21")
    assert enums.maybe(PlacementKind, shown.kind) is PlacementKind.REGULAR_CLASS


def test_a_child_is_shown_without_identity() -> None:
    """A record by token: the last enrolment, and no name."""
    subject = Subject("child", NOW).with_enrolment(
        EnrolmentAssertion("530102", SCHOOL, 7, "", SCHOOL), NOW
    )
    shown = subjects.encode_subject(subject)
    assert (shown.enrolment.grade, shown.enrolment.school) == (7, str(SCHOOL))
    assert not shown.HasField("hukou")
    assert not shown.HasField("identity")


counties = st.sampled_from(["530102", "530627", ""])


@given(
    st.builds(
        Facts,
        enrolment=counties,
        hukou=counties | st.just("44"),
        whereabouts=st.sampled_from(WhereaboutsKind),
        location=counties | st.just("44"),
        foreign_national=st.booleans(),
    )
)
def test_a_decision_shows_the_facts_it_was_made_of(facts: Facts) -> None:
    """Facts go there and back; a dry run has no time."""
    decision = evaluate(facts)
    shown = jurisdiction.encode_decision(decision, None)
    assert jurisdiction.decode_facts(shown.facts) == facts
    assert not shown.HasField("decided_at")
    assert (shown.row, shown.needs_decision) == (decision.row, decision.needs_decision)
    assert [due.sender for due in shown.letters_due] == [str(d.sender) for d in decision.letters]


def test_facts_name_counties_by_code() -> None:
    """A name in place of a code is refused."""
    wire = jurisdiction_pb2.JurisdictionFacts(
        enrolment_county="五华区", whereabouts_kind=case_pb2.WHEREABOUTS_KIND_AT_HOME
    )
    with pytest.raises(Refusal) as caught:
        jurisdiction.decode_facts(wire)
    assert caught.value.field == "facts.enrolment_county"
