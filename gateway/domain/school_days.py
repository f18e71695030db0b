"""School days and the three-day rule (art. 7): which reported days of absence count.

School days are each school's own: autonomous prefectures have feasts of their own, mountain
boarding schools teach in long blocks. All dates are days in Asia/Shanghai.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from gateway.domain.errors import Reason, Refusal
from gateway.domain.working_days import WorkingCalendar

__all__ = [
    "AbsenceCount",
    "AbsenceDay",
    "AbsenceKind",
    "AbsenceRule",
    "NotCounted",
    "SchoolCalendar",
    "WorkingCalendar",
    "count_unexcused",
    "require_threshold",
]

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SchoolCalendar:
    """The school days of one school.

    Attributes:
        working: the country's calendar: Monday to Friday without holidays, with make-up days.
        closed: days on which this school does not teach (feasts of the prefecture, vacations).
        extra_open: days on which it teaches besides.
        only_open: when given, the whole timetable, for schools that teach in blocks; the
            country's calendar then plays no part.
    """

    working: WorkingCalendar
    closed: frozenset[date] = field(default_factory=frozenset)
    extra_open: frozenset[date] = field(default_factory=frozenset)
    only_open: frozenset[date] | None = None

    def __post_init__(self) -> None:
        """Check that no day is both open and closed.

        Raises:
            ValueError: one is.
        """
        if self.closed & (self.extra_open | (self.only_open or frozenset())):
            raise ValueError("a school day cannot be open and closed at once")

    def is_school_day(self, day: date) -> bool:
        """Say whether this school teaches on that day."""
        if day in self.closed or day in self.extra_open:
            return day in self.extra_open
        return self.working.is_working_day(day) if self.only_open is None else day in self.only_open


class AbsenceKind(StrEnum):
    """Why a child was absent, as the school knows it."""

    UNEXCUSED = "UNEXCUSED"
    SICK_LEAVE = "SICK_LEAVE"
    PERSONAL_LEAVE = "PERSONAL_LEAVE"
    OTHER_EXCUSED = "OTHER_EXCUSED"


@dataclass(frozen=True, slots=True)
class AbsenceDay:
    """One day on which a child was absent."""

    date: date
    kind: AbsenceKind


class NotCounted(StrEnum):
    """Why a reported day does not count."""

    NOT_A_SCHOOL_DAY = "NOT_A_SCHOOL_DAY"
    EXCUSED = "EXCUSED"
    NOT_CONSECUTIVE = "NOT_CONSECUTIVE"
    DUPLICATE = "DUPLICATE"
    IN_THE_FUTURE = "IN_THE_FUTURE"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"


@dataclass(frozen=True, slots=True)
class AbsenceRule:
    """How days of absence are counted.

    Attributes:
        threshold: school days from which on the school must report (art. 7: three).
        cumulative_in_days: None counts consecutive school days only, because the regulation does
            not say whether its three days must follow each other (policy). A number lets days
            add up as well, within that many calendar days ending on an unexcused one.
    """

    threshold: int = 3
    cumulative_in_days: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: one is below 1.
        """
        window = 1 if self.cumulative_in_days is None else self.cumulative_in_days
        if min(self.threshold, window) < 1:
            raise ValueError("thresholds and windows are at least one day")


@dataclass(frozen=True, slots=True)
class AbsenceCount:
    """The outcome of counting.

    Attributes:
        counted: the school days that count, in order.
        not_counted: every other reported day with the reason, in order.
    """

    counted: tuple[date, ...]
    not_counted: tuple[tuple[date, NotCounted], ...]

    def reached_on(self, threshold: int) -> date | None:
        """Return the day on which the threshold was reached; None below it.

        The school's time for the first entry runs from the close of that day.
        """
        return self.counted[threshold - 1] if len(self.counted) >= threshold else None


_DEFAULT_RULE = AbsenceRule()


def count_unexcused(
    days: Iterable[AbsenceDay],
    calendar: SchoolCalendar,
    *,
    today: date,
    rule: AbsenceRule = _DEFAULT_RULE,
) -> AbsenceCount:
    """Count the unexcused school days of a report (art. 7).

    Days count in runs. Two unexcused days belong to one run when this school taught on no day
    between them: weekends, holidays and closed days neither count nor break a run, while a school
    day not reported as absent (the child came) or excused breaks it. The run counted is the
    latest one that reaches the threshold, because the duty to report, once it has arisen, does
    not end with a day of attendance (B26: late reports are taken); if none does, the latest run.
    Where the rule lets days add up, windows ending on an unexcused day are chosen the same way.

    Args:
        days: the reported days of one child, in any order.
        calendar: the school days of the child's school.
        today: the present day in Asia/Shanghai.
        rule: threshold and window.

    Raises:
        Refusal: MALFORMED_ABSENCE, no day at all, or one day with two different kinds.
    """
    kinds: dict[date, AbsenceKind] = {}
    left_out: list[tuple[date, NotCounted]] = []
    for reported in days:
        if reported.date in kinds:
            left_out.append((reported.date, NotCounted.DUPLICATE))
        if kinds.setdefault(reported.date, reported.kind) is not reported.kind:
            raise _malformed("One day is reported with two kinds of absence.", reported.date)
    if not kinds:
        raise _malformed("The report holds no day of absence.")

    unexcused: list[date] = []
    for day, kind in sorted(kinds.items()):
        if day > today:
            left_out.append((day, NotCounted.IN_THE_FUTURE))
        elif not calendar.is_school_day(day):
            left_out.append((day, NotCounted.NOT_A_SCHOOL_DAY))
        elif kind is not AbsenceKind.UNEXCUSED:
            left_out.append((day, NotCounted.EXCUSED))
        else:
            unexcused.append(day)

    counted, why = _chosen(unexcused, calendar, rule)
    left_out += [(day, why) for day in unexcused if day not in counted]
    return AbsenceCount(tuple(counted), tuple(sorted(left_out)))


def require_threshold(
    days: Iterable[AbsenceDay],
    calendar: SchoolCalendar,
    *,
    today: date,
    rule: AbsenceRule = _DEFAULT_RULE,
) -> AbsenceCount:
    """Count as `count_unexcused` does, and refuse a report below the threshold (art. 4, 7).

    Raises:
        Refusal: MALFORMED_ABSENCE, or BELOW_THRESHOLD with the metadata `threshold` (a number),
            `counted` (days, comma-separated) and `not_counted` (day=reason, comma-separated).
    """
    count = count_unexcused(days, calendar, today=today, rule=rule)
    if count.reached_on(rule.threshold) is None:
        raise Refusal(
            Reason.BELOW_THRESHOLD,
            f"{len(count.counted)} unexcused school days count; the rule asks for "
            f"{rule.threshold}.",
            "Report when the threshold is reached, or correct the days that were not counted.",
            field="days",
            threshold=str(rule.threshold),
            counted=",".join(map(str, count.counted)),
            not_counted=",".join(f"{day}={why}" for day, why in count.not_counted),
        )
    return count


def _malformed(message: str, day: date | None = None) -> Refusal:
    days = {} if day is None else {"date": str(day)}
    advice = "Report each day of absence once, with the kind that the attendance register shows."
    return Refusal(Reason.MALFORMED_ABSENCE, message, advice, field="days", **days)


def _runs(unexcused: Sequence[date], calendar: SchoolCalendar) -> list[list[date]]:
    """Cut sorted unexcused days into runs without a school day between."""
    runs = [[day] for day in unexcused[:1]]
    for before, day in pairwise(unexcused):
        between = (before + _ONE_DAY * n for n in range(1, (day - before).days))
        if any(calendar.is_school_day(gap) for gap in between):
            runs.append([])
        runs[-1].append(day)
    return runs


def _chosen(
    unexcused: Sequence[date], calendar: SchoolCalendar, rule: AbsenceRule
) -> tuple[Sequence[date], NotCounted]:
    """Return the days that count, and why the other unexcused ones do not."""
    if not unexcused:
        return (), NotCounted.NOT_CONSECUTIVE
    runs = _runs(unexcused, calendar)
    if rule.cumulative_in_days is None or any(len(run) >= rule.threshold for run in runs):
        return _latest(runs, rule.threshold), NotCounted.NOT_CONSECUTIVE
    back = _ONE_DAY * rule.cumulative_in_days
    windows = [[day for day in unexcused if end - back < day <= end] for end in unexcused]
    return _latest(windows, rule.threshold), NotCounted.OUTSIDE_WINDOW


def _latest(groups: Sequence[Sequence[date]], threshold: int) -> Sequence[date]:
    """Return the latest group that reaches the threshold, else the latest of all."""
    return next((days for days in reversed(groups) if len(days) >= threshold), groups[-1])
