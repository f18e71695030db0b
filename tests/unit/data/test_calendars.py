"""Facts about the vendored working-day calendar."""

from datetime import date, timedelta

import pytest

from gateway.data.calendars import load_working_calendar

CALENDAR = load_working_calendar()


def working_days(year: int) -> int:
    """Count a year's working days."""
    return CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31))


def test_the_national_day_of_2026() -> None:
    """1 to 7 October are off; Sunday 20 September and Saturday 10 October are worked."""
    off = [date(2026, 10, 1) + timedelta(days=n) for n in range(7)]
    assert not any(map(CALENDAR.is_working_day, off))
    assert {CALENDAR.holiday_name(day) for day in off} == {"国庆节"}
    assert CALENDAR.is_working_day(date(2026, 9, 20))
    assert CALENDAR.is_working_day(date(2026, 10, 10))
    assert not CALENDAR.is_working_day(date(2026, 10, 11))
    assert CALENDAR.add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)


@pytest.mark.parametrize(
    ("first", "days"), [("01-01", 3), ("02-15", 9), ("04-04", 3), ("05-01", 5), ("06-19", 3)]
)
def test_the_other_feasts_of_2026(first: str, days: int) -> None:
    """Each feast has the days off that its notice gives, and work goes on after it."""
    begin = date.fromisoformat(f"2026-{first}")
    off = [begin + timedelta(days=n) for n in range(days)]
    assert not any(map(CALENDAR.is_working_day, off))
    assert CALENDAR.holiday_name(begin - timedelta(days=1)) is None
    assert CALENDAR.holiday_name(off[-1] + timedelta(days=1)) is None


def test_the_made_up_days_of_2026() -> None:
    """Six weekend days of 2026 are worked, no other."""
    weekends = (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
    worked = [day for day in weekends if day.weekday() > 4 and CALENDAR.is_working_day(day)]
    assert [f"{day:%m-%d}" for day in worked] == [
        *("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
    ]


def test_the_working_days_of_a_year() -> None:
    """2025 and 2026 have 248 working days each: 261 weekdays less 13 days off by law."""
    assert (working_days(2025), working_days(2026)) == (248, 248)


def test_which_years_rest_on_a_notice() -> None:
    """2025 and 2026 are announced; other years say that they are provisional."""
    provisional = {year: CALENDAR.is_provisional(year) for year in range(2024, 2029)}
    assert provisional == {2024: True, 2025: False, 2026: False, 2027: True, 2028: True}


def test_the_feasts_of_provisional_years() -> None:
    """2027 keeps its lunar feasts by law; a year without rows keeps the solar ones."""
    for day in (date(2027, 2, 5), date(2027, 2, 8), date(2027, 6, 9), date(2027, 10, 1)):
        assert not CALENDAR.is_working_day(day)
    assert CALENDAR.is_working_day(date(2027, 2, 9))
    assert not CALENDAR.is_working_day(date(2031, 10, 1))
    assert not CALENDAR.is_working_day(date(2031, 5, 1))


def test_the_last_week_of_november_2026_is_plain() -> None:
    """23 November 2026 is a Monday and a working day; five working days lead to the next."""
    monday = date(2026, 11, 23)
    assert monday.weekday() == 0
    assert CALENDAR.is_working_day(monday)
    assert CALENDAR.add_working_days(monday, 5) == date(2026, 11, 30)
