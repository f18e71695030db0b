"""Growth: stores that have seen many cases, made by writing one case's rows many times over.

The case is a real one, carried through by the node. Its rows are then copied with identifiers of
their own, so that keys and indexes are as wide and as scattered as those of real cases.
"""

import re
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import gateway_runs, province
from bench.pairs import Compared, alternate
from bench.province import COUNTY_NODE, OTHER_NODE, SENDER, Province
from gateway.cli.estate import LaidOut

_SMALL = 1_000
_LETTERS = 1_000
_EVENTS_OF_A_CASE = 12  # from the report to the confirmed return
_AT_ONCE = 2_000
_UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_HEX = re.compile(r"^[0-9a-f]{64}$")
_THIN = ("cases", "subjects")
_OF_A_CASE = (
    *_THIN,
    "letters",
    "titles",
    "events",
    "event_cases",
    "deliveries",
    "outbox",
    "inbox",
    "receipts",
    "vault_parts",
    "vault_index",
    "requests",
)
_ROOM = 1_000_000  # rising numbers of copies begin above those of the case itself
_RISING = ("position", "sequence", "number")
Row = dict[str, Any]


@dataclass(frozen=True)
class History:
    """How many cases a store has seen; thin ones left only themselves and the child."""

    cases: int
    thin: bool = False


def compare(directory: Path, pairs: int, history: History) -> Compared:
    """Compare letters on a store with that history with those on a small one, in alternation."""
    with province.running(directory / "one") as running:
        with gateway_runs.caller(running, SENDER) as client:
            gateway_runs.letters(running, client, 1)
        template = {node: _rows(running.store(node)) for node in (COUNTY_NODE, OTHER_NODE)}
    with ExitStack() as stack:

        def grown(name: str, past: History) -> tuple[Province, Any]:
            def fill(laid: LaidOut) -> None:
                for node, tables in template.items():
                    province.new_store(laid, node)
                    _multiply(province.store_of(laid, node), tables, past)

            running = stack.enter_context(province.running(directory / name, fill))
            return running, stack.enter_context(gateway_runs.caller(running, SENDER))

        large, small = grown("large", history), grown("small", History(_SMALL, history.thin))
        return alternate(
            pairs,
            lambda: gateway_runs.letters(*large, _LETTERS),
            lambda: gateway_runs.letters(*small, _LETTERS),
        )


def _rows(store: Path) -> dict[str, list[Row]]:
    """Return the rows of the one case, by table."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return {
            name: [dict(row) for row in database.execute(f"SELECT * FROM {name}")]  # noqa: S608
            for name in _OF_A_CASE
        }


def _multiply(store: Path, tables: dict[str, list[Row]], history: History) -> None:
    """Write the case's rows again for every case of the history."""
    with closing(sqlite3.connect(store, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = off")  # it is filled before anything is promised
        for name, rows in tables.items():
            if not rows or (history.thin and name not in _THIN):
                continue
            if name in {"events", "event_cases"}:
                rows = rows * (_EVENTS_OF_A_CASE // len(rows))  # noqa: PLW2901
            columns = list(rows[0])
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            for start in range(1, history.cases + 1, _AT_ONCE):
                database.execute("BEGIN")
                database.executemany(insert, _copies(rows, start, history.cases))
                database.execute("COMMIT")
        _raise_counters(database)


def _copies(rows: Sequence[Row], start: int, most: int) -> Iterator[list[Any]]:
    for case in range(start, min(start + _AT_ONCE, most + 1)):
        for place, row in enumerate(rows):
            yield [_copied(name, value, case, place, len(rows)) for name, value in row.items()]


def _copied(name: str, value: Any, case: int, place: int, rows: int) -> Any:
    """Return a value of the case's row as that of another case."""
    if name in _RISING and isinstance(value, int):
        return case * rows + place + _ROOM
    if not isinstance(value, str):
        return value
    if _UUID.match(value):
        # The same identifier in two tables stays the same; an event that is repeated does not.
        seed = f"{value}/{case}/{place if name == 'event_id' else ''}"
        return str(uuid.uuid5(uuid.NAMESPACE_OID, seed))
    return f"{case * rows + place:064x}" if _HEX.match(value) else value


def _raise_counters(database: sqlite3.Connection) -> None:
    """Let the log go on after the highest position."""
    database.execute(
        "INSERT OR REPLACE INTO counters (org, name, value) "
        "SELECT org, 'log position', max(position) FROM events GROUP BY org"
    )
