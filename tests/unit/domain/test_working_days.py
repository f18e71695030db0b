"""Facts about working days and the day in Asia/Shanghai."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.working_days import CalendarDay, DayKind, WorkingCalendar, shanghai_date

CALENDAR = WorkingCalendar(
    [
        CalendarDay(date(2026, 10, 7), DayKind.HOLIDAY, "国庆节", "notice"),
        CalendarDay(date(2026, 10, 10), DayKind.WORKDAY, "国庆节", "notice"),
        CalendarDay(date(2027, 2, 5), DayKind.STATUTORY, "春节", "law"),
    ]
)
days = st.dates(min_value=date(2026, 1, 1), max_value=date(2028, 12, 31))


def test_a_day_in_shanghai_begins_at_sixteen_hours_utc() -> None:
    """An evening in UTC is the next day in Asia/Shanghai."""
    assert shanghai_date(datetime(2026, 11, 20, 15, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert shanghai_date(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == date(2026, 11, 21)
    with pytest.raises(ValueError, match="time zone"):
        shanghai_date(datetime(2026, 11, 20, 16, 0))  # noqa: DTZ001  its absence is the point


def test_holidays_weekends_and_made_up_days() -> None:
    """A holiday on a Wednesday is off, a made-up Saturday is on, a plain Sunday is off."""
    assert not CALENDAR.is_working_day(date(2026, 10, 7))
    assert CALENDAR.is_working_day(date(2026, 10, 10))
    assert not CALENDAR.is_working_day(date(2026, 10, 11))
    assert CALENDAR.holiday_name(date(2026, 10, 7)) == "国庆节"
    assert CALENDAR.holiday_name(date(2026, 10, 10)) is None


def test_a_year_without_a_notice_is_provisional() -> None:
    """Without a notice there are weekends and feasts by law, and the calendar says so."""
    assert not CALENDAR.is_provisional(2026)
    assert CALENDAR.is_provisional(2027)
    assert not CALENDAR.is_working_day(date(2027, 2, 5))
    assert not CALENDAR.is_working_day(date(2027, 10, 1))
    assert CALENDAR.is_working_day(date(2027, 2, 9))
    # In a year with a notice, the notice alone speaks.
    assert CALENDAR.is_working_day(date(2026, 10, 1))


def test_counting_forward_leaves_the_first_day_out() -> None:
    """Two working days after Tuesday 6 October skip the holiday and end on Friday the 9th."""
    assert CALENDAR.add_working_days(date(2026, 10, 6), 2) == date(2026, 10, 9)
    assert CALENDAR.add_working_days(date(2026, 10, 6), 3) == date(2026, 10, 10)
    assert CALENDAR.add_working_days(date(2026, 10, 11), 0) == date(2026, 10, 11)
    with pytest.raises(ValueError, match="forward"):
        CALENDAR.add_working_days(date(2026, 10, 6), -1)


@given(days, st.integers(1, 60))
def test_adding_and_counting_agree(start: date, n: int) -> None:
    """The n-th working day is a working day, and n working days lead to it."""
    end = CALENDAR.add_working_days(start, n)
    assert CALENDAR.is_working_day(end)
    assert CALENDAR.working_days_between(start, end) == n
    assert CALENDAR.working_days_between(start, end - timedelta(days=1)) == n - 1


def test_a_day_has_one_row() -> None:
    """Two rows for one day are a fault of the table."""
    row = CalendarDay(date(2026, 1, 1), DayKind.HOLIDAY, "元旦", "notice")
    with pytest.raises(ValueError, match="two rows"):
        WorkingCalendar([row, row])
