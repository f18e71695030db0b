"""Loads the division table of Yunnan from the vendored file."""

import csv
from datetime import date
from functools import cache
from importlib.resources import files

from gateway.domain.divisions import Division, DivisionTable, Level

COLUMNS = ("code", "name", "level", "parent", "valid_from", "valid_to", "successor")
"""Columns of `divisions.csv`; an empty field means none."""


@cache
def load_divisions() -> DivisionTable:
    """Return the divisions of Yunnan, province to township, with retired codes.

    The file is read once for each process.

    Raises:
        ValueError: the file contradicts itself.
    """
    text = files("gateway.data").joinpath("divisions.csv").read_text(encoding="utf-8")
    return DivisionTable(_division(row) for row in csv.DictReader(text.splitlines()))


def _division(row: dict[str, str]) -> Division:
    return Division(
        code=row["code"],
        name=row["name"],
        level=Level(row["level"]),
        parent=row["parent"] or None,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        successor=row["successor"] or None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
