"""On which database a test runs: the fixture `stores` names one for each file that SQLite would have.

`pytest` runs what is marked `every_store` on SQLite and on PostgreSQL, all else on SQLite;
`--store=sqlite`, `postgresql` or `both` runs everything that uses a store on that one, or on both.
What is marked `sqlite_alone` is about SQLite's own file. Nothing is skipped: without a PostgreSQL
server its tests fail and say how to install one.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from tests.postgresql import PostgresqlServer, running_postgresql

Stores = Callable[[Path], str]
"""Returns the URL of a database, the same for the same path; its schema may be there already."""

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_CHOICES = {SQLITE: (SQLITE,), POSTGRESQL: (POSTGRESQL,), "both": (SQLITE, POSTGRESQL)}


def sqlite_file(path: Path) -> str:
    """The store of a world that was not told of another."""
    return f"sqlite:///{path}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --store."""
    text = "run everything on this store (default: SQLite, and what is marked so on both)"
    parser.addoption("--store", choices=sorted(_CHOICES), help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line("markers", "every_store: runs on both stores, whatever is chosen")
    config.addinivalue_line("markers", "sqlite_alone: is about SQLite's own file")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses a store on each that was chosen."""
    if "store_kind" not in metafunc.fixturenames:
        return
    kinds = _CHOICES[metafunc.config.getoption("--store") or SQLITE]
    if metafunc.definition.get_closest_marker("every_store"):
        kinds = _CHOICES["both"]
    if metafunc.definition.get_closest_marker("sqlite_alone"):
        kinds = _CHOICES[SQLITE]
    metafunc.parametrize("store_kind", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def store_kind(request: pytest.FixtureRequest) -> str:
    """SQLITE or POSTGRESQL."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server, shared by the tests of one worker."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgresql: PostgresqlServer) -> str:
    """The name of a database with the whole schema, to make others from."""
    engine = open_engine(postgresql.new_database("migrated"))
    migrate(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest, store_kind: str) -> Stores:
    """Where the stores of a test's world are."""
    if store_kind == SQLITE:
        return sqlite_file
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    like: str = request.getfixturevalue("migrated")
    numbers = itertools.count(1)
    known: dict[Path, str] = {}

    def database(path: Path) -> str:
        for gone in [one for one in known if not one.parent.exists()]:
            server.drop_database(known.pop(gone))  # a world that was closed
        if path not in known:
            known[path] = server.new_database(f"{path.stem}-{next(numbers)}", like=like)
        return known[path]

    return database
