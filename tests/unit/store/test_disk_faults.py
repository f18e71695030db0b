"""What the disk answers: a full or read-only one passes, one that lies ends the process."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from gateway.domain.organisations import OrgId
from gateway.log_events import held_lines
from gateway.ports.condition import Code
from gateway.ports.store import StoreUnavailable, Work
from gateway.store.disk_faults import EXIT_CODE, ailment, heed, is_untrusted
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.store.writer import SqlStore

ORG = OrgId.parse("530102/edu")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return a migrated database."""
    engine = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    migrate(engine)
    return engine


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[SqlStore]:
    """Return a store on it."""
    store = SqlStore(engine, b"k" * 32)
    yield store
    await store.close()


def told_before_writing(engine: Engine, pragma: str) -> None:
    """Have every connection told this before it is used."""

    @event.listens_for(engine, "checkout")
    def tell(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA {pragma}")


def note(size: int) -> Callable[[Work], None]:
    """Return a task that keeps so many characters."""

    def task(work: Work) -> None:
        work.bookmarks.set(ORG, f"note of {size}", "x" * size)

    return task


def state(store: SqlStore) -> tuple[bool, Code]:
    """Return whether the store is ready, and what ailed it last."""
    return store.ready, store.ails


@pytest.mark.parametrize(
    ("pragma", "again", "code"),
    [
        ("max_page_count=1", "max_page_count=100000", Code.DISK_FULL),
        ("query_only=1", "query_only=0", Code.STORE_READ_ONLY),
    ],
)
async def test_a_full_or_read_only_disk_passes(
    engine: Engine, store: SqlStore, pragma: str, again: str, code: Code
) -> None:
    """The caller hears StoreUnavailable, the store says why; when it has passed, it serves."""
    await store.write(note(10))
    assert state(store) == (True, Code.GOOD)
    told_before_writing(engine, pragma)
    with pytest.raises(StoreUnavailable):
        await store.write(note(100_000))
    assert state(store) == (False, code)
    told_before_writing(engine, again)
    await store.write(note(100_001))
    assert store.ready
    assert await store.read(lambda work: len(work.bookmarks.get(ORG, "note of 100000"))) == 0
    assert await store.read(lambda work: len(work.bookmarks.get(ORG, "note of 100001"))) == 100_001


@pytest.mark.parametrize(
    ("name", "untrusted"),
    [
        ("SQLITE_IOERR_FSYNC", True),
        ("SQLITE_IOERR_DIR_FSYNC", True),
        ("SQLITE_IOERR_WRITE", True),
        ("SQLITE_IOERR_READ", True),
        ("SQLITE_CORRUPT", True),
        ("SQLITE_CORRUPT_INDEX", True),
        ("SQLITE_NOTADB", True),
        ("SQLITE_FULL", False),
        ("SQLITE_READONLY", False),
        ("SQLITE_BUSY", False),
        ("SQLITE_INTERRUPT", False),
        ("SQLITE_IOERR_SHMSIZE", False),
    ],
)
def test_which_disks_are_not_used_further(name: str, untrusted: bool) -> None:
    """What was not synced, cannot be read or makes no sense; not what only has no room."""
    assert is_untrusted(getattr(sqlite3, name)) is untrusted


class _Ended(BaseException):
    """Stands for the end of the process."""


def test_a_damaged_page_ends_the_process(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it, by SQLAlchemy or by a prepared statement."""

    def ended(code: int) -> NoReturn:
        assert code == EXIT_CODE
        raise _Ended

    monkeypatch.setattr("os._exit", ended)
    engine.dispose()
    path = tmp_path / "node.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(_Ended), engine.connect().execution_options(reading=True) as connection:
        connection.execute(text("SELECT count(*) FROM bookmarks")).scalar()


def test_the_end_is_told_whatever_becomes_of_the_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its line does not wait for a commit, as others of a transaction do."""

    def ended(_code: int) -> NoReturn:
        raise _Ended

    monkeypatch.setattr("os._exit", ended)
    fault = sqlite3.DatabaseError("malformed")
    fault.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    with capture_logs() as lines, held_lines(), pytest.raises(_Ended):
        heed(fault)
    assert [line["event"] for line in lines] == ["store.broken"]


def test_any_other_error_is_let_pass() -> None:
    """An error that says nothing of the disk, and one that is no error of a database."""
    heed(sqlite3.OperationalError("no such table"))
    heed(ValueError("something else"))
    assert ailment(ValueError()) is Code.STORE_AWAY
    assert ailment(OperationalError("", {}, sqlite3.OperationalError())) is Code.STORE_AWAY
