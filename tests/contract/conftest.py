"""The store under test: a migrated database of either kind, and the store on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.store.writer import SqlStore
from tests.stores import Stores


@pytest.fixture
def store_url(tmp_path: Path, stores: Stores) -> str:
    """The URL of a migrated database without rows."""
    url = stores(tmp_path / "node.db")
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    return url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """An engine on it."""
    opened = open_engine(store_url)
    yield opened
    opened.dispose()


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[SqlStore]:
    """A store, closed after the test."""
    opened = SqlStore(engine, bytes(range(32)))
    yield opened
    await opened.close()
