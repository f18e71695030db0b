"""Reading a change log by its serial: no change is missed, none is out of turn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from adapters.connectors.faults import UnreadableRecord
from gateway.adapter_api import Change, Changes

Row = TypeVar("Row")


@dataclass(frozen=True)
class LogEntry:
    """One row of a change log; `change` is None when the row is of no concern to the gateway."""

    serial: int
    recorded_at: datetime
    change: Change | None


def position_of(cursor: str) -> int:
    """Return the serial after which to read; the empty cursor is the beginning.

    Raises:
        ValueError: the text was not given out as a cursor.
    """
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise ValueError("not a cursor of this adapter")
    return int(cursor or "0")


def page_of(
    rows: Iterable[Row],
    after: int,
    read: Callable[[Row], LogEntry],
    *,
    now: datetime,
    patience: timedelta,
) -> Changes:
    """Turn rows in the order of their serials into a page of changes.

    A database gives out serials before it commits, so that 6 may be seen before 5. At a gap the
    page ends, until what lies behind it is older than `patience`: then 5 was rolled back.

    A row that cannot be read ends the page too, and fails the next one: passing over it would lose
    a change for good, while a mended mapping or record lets the feed go on.

    Args:
        rows: what the log holds after that serial, lowest serial first.
        after: the serial up to which everything was read before.
        read: reads one row.
        now: the moment of reading, aware.
        patience: how long a transaction of the agency may take.

    Raises:
        UnreadableRecord: the very first row cannot be read.
    """
    changes: list[Change] = []
    position = after
    for row in rows:
        try:
            entry = read(row)
        except UnreadableRecord:
            if position == after:
                raise
            break
        if entry.serial != position + 1 and now - entry.recorded_at < patience:
            break
        position = entry.serial
        if entry.change is not None:
            changes.append(entry.change)
    return Changes(changes, str(position))
