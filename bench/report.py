"""The table of results: on the terminal, and as the page docs/benchmarks.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_HEAD = """# What the gateway costs

Written by `make bench`; its sections are the items of `python -m bench --help`. CPU is that of all
processes together (client, nodes, broker), in milliseconds for one operation. A figure is the median of
several runs with its 95 % interval; beside a floor, of ratios pair by pair, run in alternation. The
floor (`bench/floor.py`) is a single-file path without any of the gateway's features on the same parts.

"""


@dataclass(frozen=True)
class Line:
    """One result: what was measured, the figure, what it is to reach, and remarks."""

    item: str
    figure: str
    target: str = ""
    reached: bool | None = None
    remark: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        verdict = {True: "reached", False: "missed", None: ""}[self.reached]
        return (self.item, self.figure, self.target, verdict, self.remark)


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table in Markdown."""
    rows = [("Measured", "Figure", "To reach", "", "Remarks"), *(line.cells() for line in lines)]
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---|---|---|---|---|", *body, ""])


def write_page(lines: Sequence[Line], machine: str) -> Path:
    """Write the page; return where it is."""
    text = f"{_HEAD}Measured {date.today().isoformat()}: {machine}.\n\n{table(lines)}"  # noqa: DTZ011
    _PAGE.write_text(text, "utf-8")
    return _PAGE
