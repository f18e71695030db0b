"""Reading a change log by its serial."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.connectors.faults import UnreadableRecord
from adapters.connectors.serial_feed import LogEntry, page_of, position_of
from gateway.adapter_api import Change, Changes, Matter, PlatformEntry

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
PATIENCE = timedelta(seconds=60)
UNREADABLE = -1


def read(row: tuple[int, int]) -> LogEntry:
    """Read a row (serial, age in seconds); an age of UNREADABLE cannot be read."""
    serial, age = row
    if age == UNREADABLE:
        raise UnreadableRecord("unreadable")
    at = NOW - timedelta(seconds=age)
    fact = PlatformEntry(Matter.RETURN, str(serial), "", at)
    return LogEntry(serial, at, Change(str(serial), at, fact))


def page(*rows: tuple[int, int], after: int = 0) -> tuple[list[int], str]:
    """The serials of a page, and its cursor."""
    got: Changes = page_of(rows, after, read, now=NOW, patience=PATIENCE)
    return [int(change.record_key) for change in got.changes], got.cursor


def test_rows_without_a_gap_pass_at_once() -> None:
    """Contiguous serials need no waiting, however young."""
    assert page((1, 0), (2, 0)) == ([1, 2], "2")


def test_young_gap_ends_the_page() -> None:
    """What lies behind a gap waits: the missing serial may still be committed."""
    assert page((1, 5), (3, 5)) == ([1], "1")
    assert page((3, 5), after=1) == ([], "1")
    assert page((2, 5), (3, 5), after=1) == ([2, 3], "3")


def test_old_gap_is_passed() -> None:
    """After the patience the missing serial is taken as rolled back."""
    assert page((1, 90), (3, 60)) == ([1, 3], "3")


def test_row_of_no_concern_uses_its_serial() -> None:
    """A row without a change moves the cursor."""
    got = page_of([4], 3, lambda n: LogEntry(n, NOW, None), now=NOW, patience=PATIENCE)
    assert (list(got.changes), got.cursor) == ([], "4")


def test_unreadable_row_ends_the_page_then_fails() -> None:
    """Rows before an unreadable one are told; from there on the reading fails."""
    assert page((1, 0), (2, UNREADABLE)) == ([1], "1")
    with pytest.raises(UnreadableRecord):
        page((2, UNREADABLE), after=1)


@pytest.mark.parametrize(("cursor", "position"), [("", 0), ("0", 0), ("17", 17)])
def test_cursor_is_a_serial(cursor: str, position: int) -> None:
    """The empty cursor is the beginning."""
    assert position_of(cursor) == position


@pytest.mark.parametrize("cursor", ["-1", "x", "１７", " 1"])
def test_other_texts_are_no_cursor(cursor: str) -> None:
    """Only what was given out is taken back."""
    with pytest.raises(ValueError, match="cursor"):
        position_of(cursor)
