"""Facts about the dropout case as a value."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.cases import (
    HELD_STATES,
    OPEN_STATES,
    CaseState,
    CaseTrigger,
    DropoutCase,
    OpenOffer,
)
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
E, H = OrgId.parse("530102/edu"), OrgId.parse("530627/edu")
TWN = OrgId.parse("530102001/twn")
CASE = DropoutCase(
    id="case",
    subject_id="child",
    state=CaseState.SUSPECTED,
    school=OrgId.parse("530102/sch/3153000123"),
    enrolment_county="530102",
    opened_at=NOW,
    changed_at=NOW,
)


def reason_of(act: Callable[[], object]) -> Reason:
    """Return why an act is refused."""
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.advice
    return caught.value.reason


def test_a_change_is_the_next_version_at_its_time() -> None:
    """Every change raises the version by one, notes the time and leaves the old value alone."""
    later = NOW + timedelta(hours=1)
    moved = replace(CASE, state=CaseState.VERIFYING).moved(CaseTrigger.CONFIRM, later)
    assert (moved.version, moved.changed_at, moved.state) == (2, later, CaseState.CONFIRMED)
    assert (CASE.version, CASE.state) == (1, CaseState.SUSPECTED)


def test_a_case_moves_by_its_table_only() -> None:
    """A trigger that the state does not take is refused."""
    assert reason_of(lambda: CASE.moved(CaseTrigger.ISSUE_ORDER, NOW)) is Reason.ILLEGAL_TRANSITION


def test_bureau_and_township_both_have_to_be_informed() -> None:
    """Art. 7: what is missing is named by role until both have the submission."""
    assert CASE.missing_recipients == ("EDU", "TWN")
    assert replace(CASE, informed=(E,)).missing_recipients == ("TWN",)
    assert replace(CASE, informed=(TWN,)).missing_recipients == ("EDU",)
    assert replace(CASE, informed=(TWN, E)).missing_recipients == ()


def test_only_the_present_version_may_be_acted_on() -> None:
    """An outdated version is refused and the present one named."""
    CASE.require_version(1)
    with pytest.raises(Refusal) as caught:
        replace(CASE, version=4).require_version(3)
    assert caught.value.reason is Reason.STALE_VERSION
    assert caught.value.metadata == {"version": "4"}
    assert caught.value.field == "version"


def test_only_the_holder_acts() -> None:
    """Whoever is not the holder is refused, also while nobody holds the case."""
    replace(CASE, holder=E).require_holder(E)
    assert reason_of(lambda: replace(CASE, holder=E).require_holder(H)) is Reason.NOT_HOLDER
    assert reason_of(lambda: CASE.require_holder(E)) is Reason.NOT_HOLDER


def test_nothing_else_is_offered_while_an_offer_is_open() -> None:
    """A case has at most one open offer (title, rule 3)."""
    CASE.require_no_offer()
    offered = replace(CASE, offer=OpenOffer("letter", 1, H, "ab"))
    assert reason_of(offered.require_no_offer) is Reason.OFFER_OPEN


def test_a_held_case_is_open() -> None:
    """Holding begins with confirmation and ends with the case (D.3)."""
    assert set(OPEN_STATES) - set(HELD_STATES) == {CaseState.SUSPECTED, CaseState.VERIFYING}
    closed = {s for s in CaseState if s.startswith("CLOSED_")} | {CaseState.NOT_DROPOUT}
    assert set(CaseState) - set(OPEN_STATES) == closed
    assert CaseState.DEFERRED in HELD_STATES  # art. 8: retrieval continues
