"""Division codes by themselves: their tiers, their written forms, one row of the table.

2 digits are the province, 4 a prefecture, 6 a county, 9 a township (GB/T 2260 and its extension),
12 a village. What a code means on a given day is the business of `divisions`.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Self

from gateway.domain.errors import Reason, Refusal


class Level(StrEnum):
    """The tiers of the published table, highest first. Villages (12 digits) are not in it."""

    PROVINCE = "PROVINCE"
    PREFECTURE = "PREFECTURE"
    COUNTY = "COUNTY"
    TOWNSHIP = "TOWNSHIP"

    @property
    def digits(self) -> int:
        """How many digits a code of this level has."""
        return _DIGITS[self]

    @classmethod
    def of(cls, code: str) -> Self:
        """Return the level of a canonical code.

        Raises:
            ValueError: the code has a length that no level has.
        """
        for level, digits in _DIGITS.items():
            if digits == len(code):
                return cls(level)
        raise ValueError(code)


_DIGITS = {Level.PROVINCE: 2, Level.PREFECTURE: 4, Level.COUNTY: 6, Level.TOWNSHIP: 9}
VILLAGE_DIGITS = 12
"""Digits of a village code (统计用区划代码); villages are in no table here."""
_REMEMBERED = 4096  # codes read lately
_CUTS = (0, 2, 4, 6, 9, VILLAGE_DIGITS)
_CODE = re.compile(r"[1-9][0-9]{1,11}")
LOOK_UP = "Use a code of the published division table; look it up by name or by its parent."


@lru_cache(maxsize=_REMEMBERED)
def canonical_code(text: str) -> str:
    """Return a division code without the zeros that pad it: `530100000000` becomes `5301`.

    Agencies write codes with 2, 4, 6, 9 or 12 digits; all name the same division.

    Raises:
        Refusal: UNKNOWN_DIVISION, the text is not a division code at all.
    """
    code = text.strip()
    if _CODE.fullmatch(code) and len(code) in _CUTS:
        for start, end in reversed(tuple(pairwise(_CUTS))):
            if len(code) == end and start and not int(code[start:]):
                code = code[:start]
        if all(int(part) for part in segments(code)):
            return code
    raise Refusal(
        Reason.UNKNOWN_DIVISION,
        "The text is not a division code: those have 2, 4, 6, 9 or 12 digits, no tier being zero.",
        LOOK_UP,
        field="division",
    )


def segments(code: str) -> tuple[str, ...]:
    """Split a canonical code into its tiers: `530681` into `("53", "06", "81")`."""
    return tuple(code[start:end] for start, end in pairwise(_CUTS) if code[start:end])


@dataclass(frozen=True, slots=True)
class Division:
    """One division under one name for one stretch of time.

    Attributes:
        code: canonical digits; their number gives the level.
        name: Chinese name while the row held.
        level: tier of the code.
        parent: code one tier up; None for the province.
        valid_from: first day; None when it held before the table begins.
        valid_to: last day on which the code may still be written; None while it holds.
        successor: code that followed, the same one after a mere change of name.
    """

    code: str
    name: str
    level: Level
    parent: str | None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None

    def in_force(self, at: date) -> bool:
        """Say whether the row held on that day (both ends included)."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_to is None or at <= self.valid_to)
