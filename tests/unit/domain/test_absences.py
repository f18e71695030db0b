"""Facts about the report of absence and the agency's exchange as values."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.domain.absences import Absence, AbsenceState, AbsenceTrigger
from gateway.domain.errors import Reason, Refusal
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.organisations import OrgId

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
SCHOOL = OrgId.parse("530102/sch/3153000123")


def test_a_report_moves_by_its_table_and_keeps_what_came() -> None:
    """A move is the next version, carries its fields, and is refused where the table has none."""
    report = Absence(
        "absence", "child", SCHOOL, AbsenceState.REPORTED, (date(2026, 11, 18),), NOW, NOW
    )
    later = NOW + timedelta(days=1)
    entered = report.moved(AbsenceTrigger.ENTER, later, platform_entry_no="P1")
    assert (entered.version, entered.changed_at, entered.recorded_at) == (2, later, NOW)
    assert (entered.state, entered.platform_entry_no) == (AbsenceState.UNDER_FOLLOW_UP, "P1")
    with pytest.raises(Refusal) as caught:
        entered.moved(AbsenceTrigger.ENTER, later)
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION


def test_an_exchange_changes_as_a_new_version() -> None:
    """An exchange is a value too: the old one stays as it was."""
    asked = AgencyExchange(
        "event", "hukou", ExchangeState.WAITING, SCHOOL, NOW, NOW, NOW, "query", "child"
    )
    done = asked.changed(NOW, state=ExchangeState.DONE, answer_event_id="answer")
    assert (done.version, done.state, asked.state) == (
        2,
        ExchangeState.DONE,
        ExchangeState.WAITING,
    )
