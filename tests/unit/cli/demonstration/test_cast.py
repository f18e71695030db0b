"""The cast of the demonstration, on whatever day it is run."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.demonstration import cast
from gateway.cli.demonstration.cast import Cast, SchoolDays
from gateway.data.calendars import load_working_calendar
from gateway.domain.identifiers import EnrolmentNumber, IdNumber
from gateway.domain.school_days import AbsenceDay, AbsenceKind, SchoolCalendar, require_threshold

CALENDAR = load_working_calendar()
DAYS = st.dates(date(2026, 1, 1), date(2035, 12, 31))


@given(DAYS)
def test_the_days_count_on_any_day(today: date) -> None:
    """Three school days in a row are absent, and the child is back on the next one up to today."""
    days = SchoolDays.before(today, CALENDAR)
    count = require_threshold(
        [AbsenceDay(day, AbsenceKind.UNEXCUSED) for day in days.absent],
        SchoolCalendar(CALENDAR),
        today=today,
    )
    assert count.counted == days.absent
    assert days.absent[-1] < days.back <= today
    assert CALENDAR.is_working_day(days.back)


@pytest.mark.parametrize(
    ("today", "back"),
    [
        (date(2026, 11, 23), date(2026, 11, 23)),  # a Monday
        (date(2026, 11, 22), date(2026, 11, 20)),  # a Sunday
        (date(2026, 10, 5), date(2026, 9, 30)),  # National Day holidays
    ],
)
def test_on_a_day_off_the_child_came_back_before(today: date, back: date) -> None:
    """The last school day up to today is the first day attended."""
    assert SchoolDays.before(today, CALENDAR).back == back


@given(DAYS)
def test_the_children_are_plausible(today: date) -> None:
    """Their numbers have the right form and differ, and they are of school age."""
    children = Cast.of(Path("estate"), today, CALENDAR).children
    assert len({child.id_number for child in children}) == len(children)
    for child in children:
        assert IdNumber.parse(child.id_number, not_after=today).birth_date == child.birth_date
        EnrolmentNumber.parse(child.enrolment_number)
        assert 12 <= today.year - child.birth_date.year <= 13


def test_four_nodes_are_home_to_all_players() -> None:
    """Everyone who acts is at home on exactly one of the four nodes, and none has the broker."""
    planned = cast.plan(Cast.of(Path("estate"), date(2026, 11, 23), CALENDAR))
    at_home = [str(home.organisation.id) for node in planned.nodes for home in node.homes]
    assert len(planned.nodes) == 4
    assert len(at_home) == len(set(at_home))
    assert {str(org) for org in cast.PLAYERS} <= set(at_home)
    assert not planned.bundled
