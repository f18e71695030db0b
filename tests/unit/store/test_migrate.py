"""Migrations on both databases: they make exactly the tables that the code uses."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from gateway.store import migrate as migration
from gateway.store.engine import open_engine
from gateway.store.migrate import Status, StoreOutdated, migrate, require_current, status
from gateway.store.tables import metadata
from tests.postgresql import PostgresqlServer
from tests.stores import POSTGRESQL, sqlite_file

VERSIONS = Path(migration.__file__).parent / "migrations/versions"
pytestmark = pytest.mark.every_store
KNOWN = tuple(sorted(path.name[:4] for path in VERSIONS.glob("0*.py")))
HEAD = KNOWN[-1]


@pytest.fixture
def urls(request: pytest.FixtureRequest, store_kind: str, tmp_path: Path) -> list[str]:
    """Two empty databases of one kind."""
    if store_kind != POSTGRESQL:
        return [sqlite_file(tmp_path / name) for name in ("a.db", "b.db")]
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return [server.new_database(f"empty-{uuid.uuid4().hex}") for _ in range(2)]


@pytest.fixture
def engines(urls: list[str]) -> Iterator[list[Engine]]:
    """Engines of both."""
    opened = [open_engine(url) for url in urls]
    yield opened
    for engine in opened:
        engine.dispose()


@pytest.fixture
def engine(engines: list[Engine]) -> Engine:
    """The engine of an empty database."""
    return engines[0]


def shape(engine: Engine) -> dict[str, Any]:
    """Everything the database says of its tables, but the table of migrations."""
    found = inspect(engine)
    return {
        name: (
            [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in found.get_columns(name)
            ],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((i["name"] or "", i["column_names"]) for i in found.get_indexes(name)),
            sorted(
                (u["name"] or "", u["column_names"]) for u in found.get_unique_constraints(name)
            ),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_migrated_equals_metadata(engine: Engine) -> None:
    """Alembic sees no difference between a migrated database and the tables of the code."""
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrated_equals_created(engines: list[Engine]) -> None:
    """Columns, types, defaults, keys and indexes are those that the code would create."""
    migrate(engines[0])
    metadata.create_all(engines[1])
    assert shape(engines[0]) == shape(engines[1])


def test_status_before_and_after(engine: Engine) -> None:
    """An empty database has everything pending, a migrated one nothing."""
    assert status(engine) == Status(None, HEAD, KNOWN)
    assert migrate(engine) == list(KNOWN)
    assert status(engine) == Status(HEAD, HEAD, ())


def test_second_run_does_nothing(engine: Engine) -> None:
    """Migrating again runs nothing and keeps the data."""
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO counters VALUES ('530102/edu', 'letter', 7)"))
    assert migrate(engine) == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM counters")).scalar() == 7


def test_failed_migration_leaves_nothing(engine: Engine) -> None:
    """A migration that fails half way leaves the database as it was."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bookmarks (mine INTEGER)"))  # the last one made
    with pytest.raises(Exception, match="bookmarks"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["bookmarks"]


def test_empty_store_is_refused(engine: Engine) -> None:
    """A store that was never migrated is called empty, and refused with the command to run."""
    with pytest.raises(StoreOutdated, match=r"is empty.*gateway db migrate"):
        require_current(engine)


def test_current_store_is_taken(engine: Engine) -> None:
    """A migrated store is good."""
    migrate(engine)
    require_current(engine)


def test_newer_store_is_refused(engine: Engine) -> None:
    """A store that a newer gateway migrated is neither used nor touched."""
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreOutdated, match="9999"):
        require_current(engine)
    with pytest.raises(StoreOutdated, match="9999"):
        migrate(engine)
    assert status(engine) == Status("9999", HEAD, ())


def test_pending_is_what_comes_after() -> None:
    """Pending are the revisions after the present one, oldest first."""
    known = ["0003", "0002", "0001"]
    assert migration._pending(known, None) == ("0001", "0002", "0003")
    assert migration._pending(known, "0001") == ("0002", "0003")
    assert migration._pending(known, "0003") == ()


def test_no_way_back() -> None:
    """No migration offers a way back: it would drop what was acknowledged."""
    scripts = sorted(Path(migration.__file__).with_name("migrations").glob("versions/0*.py"))
    assert scripts
    assert not [path.name for path in scripts if "def downgrade" in path.read_text("utf-8")]
