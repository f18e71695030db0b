"""What looks after an SQLite store's files before, while and after a node has it open."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.bootstrap.faults import NodeFault
from gateway.bootstrap.store_guard import StoreGuard
from gateway.ports.condition import Code, Finding, Part
from gateway.store.engine import open_engine

ROWS = 20_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a database of some MB, closed."""
    path = tmp_path / "node.db"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a PRIMARY KEY, b)")
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?)"
            " INSERT INTO t SELECT i, hex(randomblob(100)) FROM n",
            (ROWS,),
        )
    engine.dispose()
    return path


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no time for the check before the store is opened."""
    unfinished = Finding(Part.STORE, Code.STORE_BEING_CHECKED)
    monkeypatch.setattr(StoreGuard, "_check_at_first", lambda _guard: unfinished)


def damaged(store: Path) -> None:
    """Overwrite the last pages."""
    with store.open("r+b") as file:
        file.seek(-16 * 4096, 2)
        file.write(b"\xff" * 16 * 4096)


async def test_a_store_in_order_is_marked_while_it_is_open(store: Path) -> None:
    """The mark is there in between, and gone with the log."""
    async with StoreGuard(f"sqlite:///{store}") as guard:
        assert guard.findings()[0].code is Code.GOOD
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("INSERT INTO t VALUES (0, 0)")
            connection.commit()
            assert {".node.db.open", "node.db-wal"} < {path.name for path in store.parent.iterdir()}
    assert {path.name for path in store.parent.iterdir()} == {"node.db"}


async def test_a_large_store_is_checked_while_the_node_serves(store: Path, hurried: None) -> None:
    """The check goes on beside, and says when it is done."""
    async with StoreGuard(f"sqlite:///{store}") as guard:
        assert guard.findings()[0].code in {Code.STORE_BEING_CHECKED, Code.GOOD}
        assert guard._checking is not None
        await asyncio.wait({guard._checking})
        assert guard.findings()[0].code is Code.GOOD


async def test_damage_found_while_the_node_serves_ends_it(store: Path, hurried: None) -> None:
    """As loud as at the start."""
    damaged(store)
    async with StoreGuard(f"sqlite:///{store}") as guard:
        assert guard._checking is not None
        await asyncio.wait({guard._checking})
        with pytest.raises(NodeFault, match="STORE_DAMAGED"):
            guard.findings()


async def test_a_damaged_store_is_not_opened(store: Path) -> None:
    """It stays as it is, for whoever looks into it."""
    damaged(store)
    with pytest.raises(NodeFault, match="STORE_DAMAGED"):
        async with StoreGuard(f"sqlite:///{store}"):
            pytest.fail("it was opened")
    assert [path.name for path in store.parent.iterdir()] == ["node.db"]


async def test_a_node_may_stop_before_its_store_was_checked(store: Path, hurried: None) -> None:
    """The check is cut short, and the store is closed properly."""
    async with StoreGuard(f"sqlite:///{store}"):
        pass
    assert [path.name for path in store.parent.iterdir()] == ["node.db"]


async def test_postgresql_looks_after_itself() -> None:
    """There is no file to look at."""
    async with StoreGuard("postgresql+psycopg://gateway@/gateway") as guard:
        assert [finding.code for finding in guard.findings()] == [Code.GOOD]
        guard.committed(guard.moment())
