"""Facts about school days and the three-day rule (art. 7)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.school_days import (
    AbsenceCount,
    AbsenceDay,
    AbsenceKind,
    AbsenceRule,
    NotCounted,
    SchoolCalendar,
    count_unexcused,
    require_threshold,
)
from gateway.domain.working_days import CalendarDay, DayKind, WorkingCalendar

MONDAY_23 = date(2026, 11, 23)
WORKING = WorkingCalendar(
    [
        CalendarDay(date(2026, 10, 7), DayKind.HOLIDAY, "国庆节", "notice"),
        CalendarDay(date(2026, 10, 10), DayKind.WORKDAY, "国庆节", "notice"),
    ]
)
SCHOOL = SchoolCalendar(WORKING)
CUMULATIVE = AbsenceRule(cumulative_in_days=30)
november = st.dates(min_value=date(2026, 11, 1), max_value=MONDAY_23)


def nov(day: int) -> date:
    """Name a day of November 2026; the 23rd is a Monday."""
    return date(2026, 11, day)


def absent(*days: date, kind: AbsenceKind = AbsenceKind.UNEXCUSED) -> list[AbsenceDay]:
    """Report days of one kind."""
    return [AbsenceDay(day, kind) for day in days]


def count(days: list[AbsenceDay], rule: AbsenceRule | None = None) -> AbsenceCount:
    """Count on Monday 23 November 2026."""
    return count_unexcused(days, SCHOOL, today=MONDAY_23, rule=rule or AbsenceRule())


def test_scenario_1_three_days_in_a_row() -> None:
    """Wednesday to Friday without a reason reach the threshold on Friday evening."""
    days = absent(nov(18), nov(19), nov(20))
    found = require_threshold(days, SCHOOL, today=nov(20))
    assert found == AbsenceCount((nov(18), nov(19), nov(20)), ())
    assert found.reached_on(3) == nov(20)


def test_scenario_2_sick_leave_and_weekend() -> None:
    """Two days of sick leave leave one that counts; the answer lists all; withdrawn, three do."""
    sick = absent(nov(19), nov(20), kind=AbsenceKind.SICK_LEAVE)
    with pytest.raises(Refusal) as caught:
        require_threshold([*sick, *absent(nov(23))], SCHOOL, today=MONDAY_23)
    assert caught.value.reason is Reason.BELOW_THRESHOLD
    assert caught.value.metadata == {
        "threshold": "3",
        "counted": "2026-11-23",
        "not_counted": "2026-11-19=EXCUSED,2026-11-20=EXCUSED",
    }
    withdrawn = absent(*(nov(day) for day in range(19, 24)))
    found = require_threshold(withdrawn, SCHOOL, today=MONDAY_23)
    assert found.counted == (nov(19), nov(20), nov(23))
    assert found.not_counted == (
        (nov(21), NotCounted.NOT_A_SCHOOL_DAY),
        (nov(22), NotCounted.NOT_A_SCHOOL_DAY),
    )


def test_a_day_of_attendance_breaks_the_run() -> None:
    """Monday, Tuesday and Thursday are no three days in a row when the child came on Wednesday."""
    found = count(absent(nov(16), nov(17), nov(19)))
    assert found.counted == (nov(19),)
    assert found.not_counted == (
        (nov(16), NotCounted.NOT_CONSECUTIVE),
        (nov(17), NotCounted.NOT_CONSECUTIVE),
    )


def test_an_excused_day_breaks_the_run() -> None:
    """A day of leave between unexcused days neither counts nor joins them."""
    leave = absent(nov(18), kind=AbsenceKind.PERSONAL_LEAVE)
    found = count([*absent(nov(17), nov(19), nov(20)), *leave])
    assert found.counted == (nov(19), nov(20))
    assert dict(found.not_counted)[nov(18)] is NotCounted.EXCUSED


def test_a_duty_once_arisen_stays() -> None:
    """A run of three counts although the child came afterwards and was absent again."""
    found = count(absent(nov(16), nov(17), nov(18), nov(20)))
    assert found.counted == (nov(16), nov(17), nov(18))
    assert found.not_counted == ((nov(20), NotCounted.NOT_CONSECUTIVE),)


def test_duplicates_and_days_to_come_do_not_count() -> None:
    """A day reported twice counts once, a day after today not at all."""
    found = count(absent(nov(20), nov(20), nov(24)))
    assert found.counted == (nov(20),)
    assert found.not_counted == (
        (nov(20), NotCounted.DUPLICATE),
        (nov(24), NotCounted.IN_THE_FUTURE),
    )


def test_contradictions_and_empty_reports_are_refused() -> None:
    """One day with two kinds says nothing, and so does a report without days."""
    both = [*absent(nov(20)), *absent(nov(20), kind=AbsenceKind.OTHER_EXCUSED)]
    for days, metadata in ((both, {"date": "2026-11-20"}), ([], {})):
        with pytest.raises(Refusal) as caught:
            count(days)
        assert caught.value.reason is Reason.MALFORMED_ABSENCE
        assert caught.value.metadata == metadata


def test_the_cumulative_rule_adds_days_within_its_window() -> None:
    """As an option, scattered days add up within 30 days; older ones stay outside."""
    days = absent(date(2026, 10, 16), nov(3), nov(10), nov(17))
    assert count(days).counted == (nov(17),)
    found = count(days, CUMULATIVE)
    assert found.counted == (nov(3), nov(10), nov(17))
    assert found.not_counted == ((date(2026, 10, 16), NotCounted.OUTSIDE_WINDOW),)


def test_the_window_counts_both_its_ends() -> None:
    """Thirty days ending on 17 November begin on 19 October."""
    days = absent(date(2026, 10, 19), nov(3), nov(17))
    assert count(days, CUMULATIVE).reached_on(3) == nov(17)


def test_holidays_and_made_up_days_in_a_run() -> None:
    """A holiday does not break a run; the made-up Saturday is a school day of it."""
    days = absent(date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 8), date(2026, 10, 9))
    found = count([*days, *absent(date(2026, 10, 10))])
    assert [day.day for day in found.counted] == [6, 8, 9, 10]
    assert found.not_counted == ((date(2026, 10, 7), NotCounted.NOT_A_SCHOOL_DAY),)


def test_a_school_has_days_of_its_own() -> None:
    """Closed days do not break a run, extra days belong to it."""
    school = SchoolCalendar(WORKING, closed=frozenset({nov(19)}), extra_open=frozenset({nov(21)}))
    days = absent(nov(18), nov(20), nov(21))
    assert count_unexcused(days, school, today=MONDAY_23).counted == (nov(18), nov(20), nov(21))
    with pytest.raises(ValueError, match="open and closed"):
        SchoolCalendar(WORKING, closed=frozenset({nov(19)}), only_open=frozenset({nov(19)}))


def test_a_block_timetable_replaces_the_week() -> None:
    """A school with ten days on and four off teaches on Sundays, and rests on Tuesdays."""
    blocks = frozenset({*(nov(day) for day in range(1, 11)), *(nov(day) for day in range(15, 25))})
    school = SchoolCalendar(WORKING, only_open=blocks)
    found = count_unexcused(absent(nov(9), nov(10), nov(15)), school, today=MONDAY_23)
    assert found.counted == (nov(9), nov(10), nov(15))
    assert not school.is_school_day(nov(12))


@pytest.mark.parametrize("numbers", [(0, None), (3, 0), (3, -1)])
def test_rules_are_at_least_one_day(numbers: tuple[int, int | None]) -> None:
    """A threshold or window below one day is a fault of the configuration."""
    with pytest.raises(ValueError, match="at least one day"):
        AbsenceRule(*numbers)


@given(
    st.dictionaries(
        st.dates(min_value=date(2026, 10, 1), max_value=date(2026, 12, 10)),
        st.sampled_from(AbsenceKind),
        min_size=1,
    ),
    st.sampled_from([None, 5, 30]),
)
def test_every_reported_day_is_accounted_for(
    kinds: dict[date, AbsenceKind], window: int | None
) -> None:
    """Each day counts or has its reason; what counts is a past unexcused school day."""
    days = [AbsenceDay(day, kind) for day, kind in kinds.items()]
    found = count(days, AbsenceRule(cumulative_in_days=window))
    assert sorted([*found.counted, *(day for day, _ in found.not_counted)]) == sorted(kinds)
    assert list(found.counted) == sorted(set(found.counted))
    for day in found.counted:
        assert kinds[day] is AbsenceKind.UNEXCUSED
        assert SCHOOL.is_school_day(day)
        assert day <= MONDAY_23
    if window is None and found.counted:
        first, last = found.counted[0], found.counted[-1]
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        assert [day for day in span if SCHOOL.is_school_day(day)] == list(found.counted)


@given(st.sets(november, min_size=1), november, st.sampled_from([None, 10]))
def test_one_more_unexcused_day_never_harms_a_report(
    reported: set[date], more: date, window: int | None
) -> None:
    """A report that reaches the threshold still does with a further day of absence."""
    rule = AbsenceRule(cumulative_in_days=window)
    if count(absent(*reported), rule).reached_on(3):
        assert count(absent(*{*reported, more}), rule).reached_on(3)
