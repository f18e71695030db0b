"""Prepared statements: the same values and the same errors as by SQLAlchemy's own execution."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.store import tables
from gateway.store.engine import open_engine
from gateway.store.statements import Cursor, Statement, given, insertion, placing
from tests.stores import Stores

NOW = datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=UTC)
_r = tables.requests.c
ANSWER = {
    "org": "530102/edu",
    "request_id": "one",
    "digest": b"\x00\xff",
    "response": b"",
    "answered_at": NOW,
}
KEEP = insertion(tables.requests)
READ = Statement(select(*_r).where(*given(_r.org, _r.request_id)))


@pytest.fixture
def connection(tmp_path: Path, stores: Stores) -> Iterator[Connection]:
    """Return a connection to an empty store."""
    engine = open_engine(stores(tmp_path / "node.sqlite"))
    tables.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_values_come_back_as_they_went_in(connection: Connection) -> None:
    """Bytes stay bytes, and a moment keeps its zone and microseconds."""
    cursor = Cursor(connection)
    assert cursor.change(KEEP, **ANSWER) == 1
    assert cursor.row(READ, org="530102/edu", request_id="one") == tuple(ANSWER.values())
    assert cursor.row(READ, org="530102/edu", request_id="two") is None


def test_sqlalchemy_sees_the_same_transaction(connection: Connection) -> None:
    """What a prepared statement wrote is read by an ordinary one, and undone with it."""
    Cursor(connection).change(KEEP, **ANSWER)
    assert connection.execute(select(_r.request_id)).scalars().all() == ["one"]
    connection.rollback()
    assert connection.execute(select(_r.request_id)).scalars().all() == []


def test_a_placed_row_replaces_the_one_under_its_key(connection: Connection) -> None:
    """There is one row for each key, with the last values."""
    cursor = Cursor(connection)
    for value in ("1", "2"):
        cursor.change(placing(tables.bookmarks), org="530102/edu", name="n", value=value)
    rows = cursor.rows(Statement(select(tables.bookmarks.c.value)))
    assert [tuple(row) for row in rows] == [("2",)]


def test_each_row_of_many_is_changed(connection: Connection) -> None:
    """Nothing happens for no rows."""
    cursor = Cursor(connection)
    cursor.change_each(KEEP, [])
    cursor.change_each(KEEP, [ANSWER | {"request_id": one} for one in "abc"])
    limited = Statement(select(_r.request_id).order_by(_r.request_id).limit(bindparam("limit")))
    assert [row[0] for row in cursor.rows(limited, limit=2)] == ["a", "b"]


def test_a_violated_key_is_sqlalchemys_error(connection: Connection) -> None:
    """Its text quotes no value, because it may end up in a log."""
    cursor = Cursor(connection)
    cursor.change(KEEP, **ANSWER)
    with pytest.raises(IntegrityError) as caught:
        cursor.change(KEEP, **ANSWER)
    assert not caught.value.connection_invalidated
    assert "530102" not in str(caught.value).partition("DETAIL")[0]


def test_a_command_that_fails_is_sqlalchemys_error(connection: Connection) -> None:
    """Every error of the driver is wrapped, those of commands too."""
    with pytest.raises(DBAPIError):
        Cursor(connection).command("RELEASE SAVEPOINT nobody_made")
