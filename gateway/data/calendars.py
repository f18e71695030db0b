"""Loads the working-day calendar from the vendored file."""

import csv
from datetime import date
from functools import cache
from importlib.resources import files

from gateway.domain.working_days import CalendarDay, DayKind, WorkingCalendar

COLUMNS = ("date", "kind", "name", "source")
"""Columns of `holidays.csv`."""


@cache
def load_working_calendar() -> WorkingCalendar:
    """Return the country's working days; years without a notice are provisional.

    The file is read once for each process.

    Raises:
        ValueError: the file contradicts itself.
    """
    text = files("gateway.data").joinpath("holidays.csv").read_text(encoding="utf-8")
    return WorkingCalendar(
        CalendarDay(
            day=date.fromisoformat(row["date"]),
            kind=DayKind(row["kind"]),
            name=row["name"],
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )
