"""A PostgreSQL server for tests that break it, and databases on it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from gateway.store.engine import open_engine
from gateway.store.writer import SqlStore
from tests.postgresql import PostgresqlServer, running_postgresql

VAULT_KEY = b"k" * 32
_numbers = itertools.count(1)
Opened = Callable[[str], Awaitable[SqlStore]]


@pytest.fixture
def database(postgresql: PostgresqlServer, migrated: str) -> str:
    """The name of a migrated database without rows."""
    name = f"database-{next(_numbers)}"
    postgresql.new_database(name, like=migrated)
    return name


@pytest.fixture
def url(postgresql: PostgresqlServer, database: str) -> str:
    """Its URL."""
    return postgresql.url.format(database=database)


@pytest.fixture(scope="module")
def victim() -> Iterator[PostgresqlServer]:
    """A server of this file's own, which may be killed."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens stores by their URL; they are closed after the test."""
    made: list[SqlStore] = []

    async def open_store(url: str) -> SqlStore:
        made.append(SqlStore(open_engine(url), VAULT_KEY))
        return made[-1]

    yield open_store
    for store in made:
        await store.close()
