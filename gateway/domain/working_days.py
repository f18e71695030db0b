"""Working days, for deadlines: the State Council's yearly notice with its make-up days (调休).

All dates are days in Asia/Shanghai. Each school's own days are in `school_days`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5
# China has one time zone without summer time since 1992, so no zone table is needed.
_SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
# 全国年节及纪念日放假办法 art. 2 (2025): the feasts of the solar calendar. Those of the lunar
# calendar have no fixed date and come from the table.
_FIXED_FEASTS: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (1, 1): "元旦",
        (5, 1): "劳动节",
        (5, 2): "劳动节",
        (10, 1): "国庆节",
        (10, 2): "国庆节",
        (10, 3): "国庆节",
    }
)


def shanghai_date(instant: datetime) -> date:
    """Return the day in Asia/Shanghai on which an instant falls.

    Raises:
        ValueError: the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(_SHANGHAI).date()


class DayKind(StrEnum):
    """What a row of the holiday table says of a day."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"
    STATUTORY = "statutory"  # a feast by law in a year whose notice has not appeared


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One row of the holiday table.

    Attributes:
        day: the day.
        kind: off, made up, or off by law alone.
        name: Chinese name of the feast it belongs to.
        source: the notice or law that says so.
    """

    day: date
    kind: DayKind
    name: str
    source: str


class WorkingCalendar:
    """The working days of the country; immutable."""

    def __init__(self, rows: Iterable[CalendarDay]) -> None:
        """Index the table.

        Raises:
            ValueError: a day has two rows.
        """
        self._rows: dict[date, CalendarDay] = {}
        for row in rows:
            if row.day in self._rows:
                raise ValueError(f"two rows for {row.day}")
            self._rows[row.day] = row
        self._announced = {
            row.day.year for row in self._rows.values() if row.kind is not DayKind.STATUTORY
        }

    def is_provisional(self, year: int) -> bool:
        """Say whether the year's notice is missing: weekends and feasts by law only."""
        return year not in self._announced

    def holiday_name(self, day: date) -> str | None:
        """Return the Chinese name of the feast for which the day is off; None on other days."""
        row = self._rows.get(day)
        if row is not None:
            return None if row.kind is DayKind.WORKDAY else row.name
        if self.is_provisional(day.year):
            return _FIXED_FEASTS.get((day.month, day.day))
        return None

    def is_working_day(self, day: date) -> bool:
        """Say whether offices work on that day."""
        row = self._rows.get(day)
        if row is not None and row.kind is DayKind.WORKDAY:
            return True
        return day.weekday() < _SATURDAY and self.holiday_name(day) is None

    def add_working_days(self, start: date, n: int) -> date:
        """Return the n-th working day after `start`, which itself does not count.

        With n = 0 the answer is `start`, working day or not. Whether the answer rests on a
        published notice is told by `is_provisional(answer.year)`.

        Raises:
            ValueError: n is negative.
        """
        if n < 0:
            raise ValueError("working days are counted forward")
        day = start
        while n:
            day += _ONE_DAY
            n -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start` up to and including `end`."""
        span = range(1, (end - start).days + 1)
        return sum(self.is_working_day(start + timedelta(days=n)) for n in span)
