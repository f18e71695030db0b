"""Opening a database so that a commit means: on disk."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from gateway.store.disk_faults import heed_in
from gateway.store.faults import UnsafeStore
from gateway.store.postgresql import open_postgresql

_SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: the commit is on disk before it is acknowledged
    "foreign_keys": 1,
    "secure_delete": 1,
    "busy_timeout": 10_000,  # milliseconds
}
_OWNER_ONLY = 0o600
_OWNERS_DIRECTORY = 0o700


def open_engine(url: str) -> Engine:
    """Open `sqlite:///path` or `postgresql+psycopg://...`.

    A transaction writes unless its connection has the execution option `reading`; either database
    has one writing transaction at a time. Every pragma is set on every connection and read back.
    An SQLite file that is missing is made, readable by its owner alone (SQLite gives its
    companions the same mode).

    Raises:
        UnsafeStore: at the first connection, when the database does not hold what a commit
            promises.
        OSError: the SQLite file cannot be made.
    """
    # Parameters hold names and numbers, and the text of an error ends up in a log.
    if not url.startswith("sqlite"):
        return open_postgresql(url)
    path = sqlite_file(url)
    if path is not None and not path.exists():
        path.parent.mkdir(mode=_OWNERS_DIRECTORY, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
    engine = create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", heed_in)
    return engine


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for another database or one in memory."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in {None, "", ":memory:"}:
        return None
    return Path(str(parts.database))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling ends savepoints early; BEGIN is sent by hand below.
    connection.isolation_level = None
    for name, value in _SQLITE_PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}")
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if str(found).lower() != str(value):
            connection.close()
            raise UnsafeStore(f"SQLite keeps {name}={found}, {value} is needed")


def _begin_sqlite(connection: Any) -> None:
    if connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
