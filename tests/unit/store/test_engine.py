"""Opening a database: what a commit promises is checked, not hoped."""

import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.store import engine as engine_module
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.faults import UnsafeStore

WANTED = {
    "journal_mode": "wal",
    "synchronous": "2",
    "foreign_keys": "1",
    "secure_delete": "1",
    "busy_timeout": "10000",
}


class Stubborn(sqlite3.Connection):
    """A connection that keeps `synchronous` OFF whatever it is told."""

    def execute(self, sql: str, *args: object) -> sqlite3.Cursor:
        """Pass everything on but the one setting."""
        return super().execute("PRAGMA synchronous=OFF" if "synchronous=" in sql else sql)


def test_every_pragma_holds(tmp_path: Path) -> None:
    """Each connection has every setting, read back from the database itself."""
    engine = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    reading = engine.execution_options(reading=True)
    with reading.connect() as one, reading.connect() as other:
        for connection in (one, other):
            found = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in WANTED
            }
            assert found == WANTED
    engine.dispose()


def test_synchronous_off_is_refused(tmp_path: Path) -> None:
    """A database that would acknowledge before the disk has it is not used."""
    connection = sqlite3.connect(tmp_path / "node.db", factory=Stubborn)
    with pytest.raises(UnsafeStore, match="synchronous=0, 2 is needed"):
        engine_module._prepare_sqlite(connection, None)


def test_memory_is_refused() -> None:
    """A database in memory keeps no write-ahead log and is refused at the first connection."""
    with pytest.raises(UnsafeStore, match="journal_mode=memory"):
        open_engine("sqlite:///:memory:").connect()


def test_file_is_its_owners(tmp_path: Path) -> None:
    """The database and its companions are readable by their owner alone."""
    path = tmp_path / "new" / "node.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a INTEGER PRIMARY KEY)"))
        files = list(path.parent.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    engine.dispose()


def test_errors_quote_no_values(tmp_path: Path) -> None:
    """The text of a database error holds no value: it may be a name or number."""
    engine = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a TEXT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": "canary"})
        with pytest.raises(IntegrityError) as caught:
            connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": "canary"})
    assert "canary" not in str(caught.value)
    engine.dispose()


def test_file_of_a_url() -> None:
    """Only an SQLite file has a path."""
    assert sqlite_file("sqlite:////var/lib/node.db") == Path("/var/lib/node.db")
    assert sqlite_file("sqlite:///:memory:") is None
    assert sqlite_file("postgresql+psycopg://gateway@db/gateway") is None
