"""Administrative divisions (GB/T 2260) with their history.

A division is known by its code: 2 digits for the province, 4 for a prefecture, 6 for a county,
9 for a township. Codes change when a county becomes a city or a district, so every row says from
when to when it held and which code followed. The rule for all callers: route on the code valid
when a thing is sent; a retired code still resolves, and is never routed on anew.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.division_codes import (
    LOOK_UP,
    VILLAGE_DIGITS,
    Division,
    Level,
    canonical_code,
    segments,
)
from gateway.domain.errors import Reason, Refusal

__all__ = [
    "Division",
    "DivisionTable",
    "Level",
    "Resolution",
    "Status",
    "canonical_code",
    "segments",
]


class Status(StrEnum):
    """What a code is worth on a given day."""

    CURRENT = "CURRENT"
    RETIRED = "RETIRED"
    NOT_YET = "NOT_YET"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a code means on a day.

    Attributes:
        status: whether the code may be written on that day.
        division: the row the code names; its township or county when `exact` is False.
        current: where things for it go on that day. It differs from `division` for a retired
            code, and while old and new code live side by side.
        chain: codes from `division` to `current`, both included.
        exact: False when only a superior of the code is in the table (a village, or a township
            of a retired county).
    """

    status: Status
    division: Division
    current: Division
    chain: tuple[str, ...]
    exact: bool = True


class DivisionTable:
    """The divisions of one or more provinces, past and present; immutable."""

    def __init__(self, rows: Iterable[Division]) -> None:
        """Index the rows.

        Raises:
            ValueError: a parent or successor is missing, a code does not fit its level or parent,
                or a chain of successors runs in a circle.
        """
        self._rows: dict[str, tuple[Division, ...]] = {}
        for row in rows:
            known = (*self._rows.get(row.code, ()), row)
            # Oldest first: the last row in force on a day is the one that names the code.
            self._rows[row.code] = tuple(sorted(known, key=lambda r: r.valid_from or date.min))
        self._children: dict[str, list[Division]] = {}
        for row in self:
            self._check(row)
            if row.parent is not None and row.valid_to is None:
                self._children.setdefault(row.parent, []).append(row)
        for code in self._rows:
            self._newest(code)

    def __iter__(self) -> Iterator[Division]:
        """Go through all rows, by code and then by age."""
        return (row for code in sorted(self._rows) for row in self._rows[code])

    def _check(self, row: Division) -> None:
        parent = "".join(segments(row.code)[:-1]) or None
        fits = Level.of(row.code) is row.level and row.parent == parent
        linked = all(code is None or code in self._rows for code in (parent, row.successor))
        if not (fits and linked and (row.valid_to is None or row.successor is not None)):
            raise ValueError(f"division row {row.code} does not fit the table")

    def _newest(self, code: str) -> Division:
        """Follow the successors of a code to the row that holds today (no end date)."""
        row, seen = self._rows[code][-1], {code}
        while row.valid_to is not None and row.successor is not None:
            if row.successor in seen:
                raise ValueError(f"the successors of {code} run in a circle")
            seen.add(row.successor)
            row = self._rows[row.successor][-1]
        return row

    def _known(self, code: str) -> str:
        """Return the canonical code itself, or the nearest superior that stands in for it."""
        code = canonical_code(code)
        if code in self._rows:
            return code
        if len(code) == VILLAGE_DIGITS:
            return self._known(code[: Level.TOWNSHIP.digits])
        county = code[: Level.COUNTY.digits]
        rows = self._rows.get(county, ())
        # The townships of a retired county are not in the table under its prefix: its successor
        # stands in for them. Under a living county an unlisted township is simply unknown.
        if len(code) == Level.TOWNSHIP.digits and rows and rows[-1].valid_to is not None:
            return county
        raise Refusal(
            Reason.UNKNOWN_DIVISION,
            f"The division code {code} is not in the division table.",
            LOOK_UP,
            field="division",
            division=code,
        )

    def get(self, code: str) -> Division | None:
        """Return the newest row of a code, retired or not; None when the table has none."""
        try:
            rows = self._rows.get(canonical_code(code))
        except Refusal:
            return None
        return rows[-1] if rows else None

    def resolve(self, code: str, at: date) -> Resolution:
        """Say what a code means on a day, however old the code is.

        Raises:
            Refusal: UNKNOWN_DIVISION, the code never was in the table.
        """
        known = self._known(code)
        rows = self._rows[known]
        held = [row for row in rows if row.in_force(at)]
        begun = [row for row in rows if row.valid_from is None or row.valid_from <= at]
        division = (held or begun or rows[:1])[-1]
        status = Status.CURRENT if held else Status.RETIRED if begun else Status.NOT_YET
        current, chain = division, [division.code]
        while current.successor is not None:
            after = [row for row in self._rows[current.successor] if row.in_force(at)]
            # B18: while both codes live, delivery already goes to the successor. Before the
            # successor's time the code stands for itself, as it does before a mere renaming.
            if (not after and current.in_force(at)) or current in after[-1:]:
                break
            current = after[-1] if after else self._rows[current.successor][-1]
            if current.code != chain[-1]:
                chain.append(current.code)
        return Resolution(status, division, current, tuple(chain), known == canonical_code(code))

    def require_current(self, code: str, at: date) -> Division:
        """Return the division to which a thing sent on that day under that code goes.

        Raises:
            Refusal: UNKNOWN_DIVISION, or RETIRED_DIVISION whose metadata names the `successor`.
        """
        found = self.resolve(code, at)
        written = canonical_code(code)
        if found.status is Status.RETIRED:
            raise Refusal(
                Reason.RETIRED_DIVISION,
                f"The division code {written} is retired; {found.current.code} "
                f"{found.current.name} took its place.",
                f"Address {found.current.code} instead.",
                field="division",
                division=written,
                successor=found.current.code,
                retired_after=str(found.division.valid_to),
            )
        if found.status is Status.NOT_YET or not found.exact:
            raise Refusal(
                Reason.UNKNOWN_DIVISION,
                f"The division code {written} is not in the division table for {at}; "
                f"the nearest known one is {found.current.code} {found.current.name}.",
                LOOK_UP,
                field="division",
                division=written,
                nearest=found.current.code,
            )
        return found.current

    def superiors(self, code: str) -> tuple[Division, ...]:
        """Return the divisions above a code as they stand now, nearest first.

        Raises:
            Refusal: UNKNOWN_DIVISION.
        """
        known = self._known(code)
        above = [] if known == canonical_code(code) else [self._newest(known)]
        parent = self._rows[known][-1].parent
        while parent is not None:
            above.append(self._newest(parent))
            parent = above[-1].parent
        return tuple(above)

    def _at_level(self, code: str, level: Level) -> Division:
        row = self._newest(self._known(code))
        for division in (row, *self.superiors(row.code)):
            if division.level is level:
                return division
        raise Refusal(
            Reason.UNKNOWN_DIVISION,
            f"The division {row.code} lies above the level {level}.",
            f"Give a code of the level {level} or below.",
            field="division",
            division=row.code,
        )

    def county_of(self, code: str) -> Division:
        """Return the present county of a code, history mapped (the comparison art. 8 needs).

        Raises:
            Refusal: UNKNOWN_DIVISION, also for a prefecture or province.
        """
        return self._at_level(code, Level.COUNTY)

    def prefecture_of(self, code: str) -> Division:
        """Return the present prefecture of a code, history mapped.

        Raises:
            Refusal: UNKNOWN_DIVISION, also for a province.
        """
        return self._at_level(code, Level.PREFECTURE)

    def children(self, code: str, level: Level | None = None) -> tuple[Division, ...]:
        """Return the present divisions below a code: the next tier, or all of a lower `level`.

        Raises:
            Refusal: UNKNOWN_DIVISION.
        """
        below = list(self._children.get(self._newest(self._known(code)).code, ()))
        if level is not None:
            while below and below[0].level is not level:
                below = [child for row in below for child in self._children.get(row.code, ())]
        return tuple(below)

    def nearest_common_superior(self, a: str, b: str) -> Division:
        """Return the lowest division above both: who decides between two that disagree (J16).

        Two counties of one prefecture have the prefecture, two others the province.

        Raises:
            Refusal: UNKNOWN_DIVISION, also when nothing in the table is above both.
        """
        above_b = self.superiors(b)
        for division in self.superiors(a):
            if division in above_b:
                return division
        raise Refusal(
            Reason.UNKNOWN_DIVISION,
            "The two divisions have no superior in common in the division table.",
            LOOK_UP,
            field="division",
        )

    def in_province(self, code: str) -> bool:
        """Say whether a code lies in a province of this table, known or not; else it is outside.

        Raises:
            Refusal: UNKNOWN_DIVISION, the text is not a division code at all.
        """
        return canonical_code(code)[: Level.PROVINCE.digits] in self._rows
