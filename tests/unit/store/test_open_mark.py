"""The mark beside an open store: it tells a removed write-ahead log from one that was ended."""

import os
from pathlib import Path

import pytest

from gateway.ports.condition import Code
from gateway.store.open_mark import OpenMark

MORNING, NOON, EVENING = 1_000_000.0, 1_010_000.0, 1_020_000.0


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a database last written in the morning, with its log."""
    store = tmp_path / "node.db"
    store.touch()
    os.utime(store, (MORNING, MORNING))
    (tmp_path / "node.db-wal").touch()
    return store


@pytest.fixture
def mark(store: Path) -> OpenMark:
    """Return its mark, set, with a commit at noon."""
    mark = OpenMark(store)
    mark.begin()
    mark.committed(NOON)
    return mark


def code(mark: OpenMark) -> Code | None:
    """Return what the mark has found."""
    finding = mark.finding()
    return finding.code if finding else None


def test_with_its_log_nothing_is_missing(mark: OpenMark) -> None:
    """A killed node leaves mark and log: SQLite goes on from the log."""
    assert code(mark) is None


def test_without_its_log_what_was_committed_is_missing(mark: OpenMark, store: Path) -> None:
    """The database is older than the last commit: its log was removed."""
    store.with_name("node.db-wal").unlink()
    assert code(mark) is Code.STORE_LOG_MISSING


def test_a_log_written_into_the_database_is_not_missing(mark: OpenMark, store: Path) -> None:
    """Whoever closes the database writes the log into it: it is newer than the last commit."""
    store.with_name("node.db-wal").unlink()
    os.utime(store, (EVENING, EVENING))
    assert code(mark) is None


def test_after_a_proper_end_there_is_no_mark(mark: OpenMark, store: Path) -> None:
    """A store that was closed has no log, and nothing is said."""
    store.with_name("node.db-wal").unlink()
    mark.end()
    mark.end()
    assert not mark.path.exists()
    assert code(mark) is None


def test_a_log_that_somebody_keeps_open_keeps_the_mark(mark: OpenMark, store: Path) -> None:
    """Another program reads while the node stops: what is in the log is not in the database yet."""
    mark.end()
    store.with_name("node.db-wal").unlink()
    assert code(mark) is Code.STORE_LOG_MISSING


def test_a_killed_nodes_mark_outlives_the_next_start(mark: OpenMark, store: Path) -> None:
    """What was committed before the kill may still be in the log alone."""
    OpenMark(store).begin()
    store.with_name("node.db-wal").unlink()
    assert code(mark) is Code.STORE_LOG_MISSING


def test_before_the_first_commit_nothing_is_missing(store: Path) -> None:
    """A node that was killed at its start had acknowledged nothing."""
    mark = OpenMark(store)
    mark.begin()
    store.with_name("node.db-wal").unlink()
    assert code(mark) is None


def test_the_mark_is_not_swept_away_with_the_companions(mark: OpenMark, store: Path) -> None:
    """`rm node.db-*` removes log and index, and not the mark."""
    assert mark.path not in set(store.parent.glob("node.db*"))
