"""Access to an agency's database, and what its faults say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from adapters.connectors.faults import SystemAway, WriteConflict
from adapters.connectors.sql import SqlConnector

SECRET = "530522201803159016"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with one row."""
    made = f"sqlite:///{tmp_path / 'with space.db'}"
    engine = create_engine(made, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a TEXT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": SECRET})
    engine.dispose()
    return made


@pytest.fixture
def connector(url: str, request: pytest.FixtureRequest) -> Iterator[SqlConnector]:
    """A connector that may write, unless the test says `read_only`."""
    made = SqlConnector(url, read_only=getattr(request, "param", False))
    yield made
    made.close()


def insert(connector: SqlConnector, value: str) -> None:
    """Write one row."""
    with connector.transaction() as connection:
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": value})


def count(connector: SqlConnector) -> int:
    """How many rows there are."""
    with connector.transaction() as connection:
        return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


def test_transaction_is_whole_or_nothing(connector: SqlConnector) -> None:
    """A block that fails leaves nothing behind."""

    def insert_then_fail() -> None:
        with connector.transaction() as connection:
            connection.execute(text("INSERT INTO t VALUES ('b')"))
            connection.execute(text("SELECT * FROM missing"))

    with pytest.raises(SystemAway):
        insert_then_fail()
    assert count(connector) == 1


def test_taken_key_is_a_conflict_that_quotes_nothing(connector: SqlConnector) -> None:
    """The fault holds neither the value nor, as its cause, what the driver said."""
    with pytest.raises(WriteConflict) as caught:
        insert(connector, SECRET)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("connector", [True], indirect=True)
def test_read_only_connector_cannot_write(connector: SqlConnector) -> None:
    """The database itself refuses a write."""
    with pytest.raises(SystemAway):
        insert(connector, "b")
    assert count(connector) == 1


def test_missing_file_is_away_and_stays_missing(tmp_path: Path) -> None:
    """Looking for an SQLite file that is not there does not make one."""
    file = tmp_path / "nowhere.db"
    connector = SqlConnector(f"sqlite:///{file}", read_only=False)
    with pytest.raises(SystemAway), connector.transaction():
        pass
    connector.close()
    assert not file.exists()
