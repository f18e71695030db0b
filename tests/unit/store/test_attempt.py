"""A part of a transaction that fails is undone alone, and says no more than its type."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.ports.store import PartFailed, StoreUnavailable, Work
from gateway.store import tables
from gateway.store.engine import open_engine
from gateway.store.writer import SqlStore
from tests.stores import Stores

ORG = OrgId.parse("530102/edu")


@pytest.fixture
async def store(tmp_path: Path, stores: Stores) -> AsyncIterator[SqlStore]:
    """Return an empty store."""
    engine = open_engine(stores(tmp_path / "node.sqlite"))
    tables.metadata.create_all(engine)
    store = SqlStore(engine, b"k" * 32)
    yield store
    await store.close()


def attempts(work: Work, raised: Exception | None) -> None:
    """Set one bookmark, and another in a part that raises."""
    work.bookmarks.set(ORG, "before", "1")
    with work.attempt():
        work.bookmarks.set(ORG, "inside", "1")
        if raised is not None:
            raise raised


async def bookmarks(store: SqlStore) -> tuple[str, str]:
    """Return both bookmarks."""
    return await store.read(
        lambda work: (work.bookmarks.get(ORG, "before"), work.bookmarks.get(ORG, "inside"))
    )


async def test_what_succeeds_stays(store: SqlStore) -> None:
    """A part that raises nothing is part of the transaction."""
    await store.write(lambda work: attempts(work, None))
    assert await bookmarks(store) == ("1", "1")


@pytest.mark.parametrize(
    "raised",
    [KeyError("李四"), StopIteration("李四"), ValueError("李四"), AssertionError("李四")],
    ids=lambda raised: type(raised).__name__,
)
async def test_what_nobody_foresaw_becomes_one_type(store: SqlStore, raised: Exception) -> None:
    """Only the type is named: the text of an unforeseen fault may hold anything."""

    def task(work: Work) -> str:
        with pytest.raises(PartFailed) as caught:
            attempts(work, raised)
        return str(caught.value)

    assert await store.write(task) == type(raised).__name__
    assert await bookmarks(store) == ("1", "")


async def test_what_the_database_says_to_one_statement_becomes_it_too(store: SqlStore) -> None:
    """A row that is there already spoils its part, not the transaction."""

    def insert_twice(work: Work) -> None:
        with work.attempt():
            for _ in range(2):
                work.titles.add(ORG, "case", 1, 0, "ab", b"title")

    def task(work: Work) -> None:
        work.bookmarks.set(ORG, "before", "1")
        with pytest.raises(PartFailed, match="IntegrityError"):
            insert_twice(work)

    await store.write(task)
    assert await bookmarks(store) == ("1", "")


@pytest.mark.parametrize("kind", [Refusal, Parked])
async def test_a_refusal_comes_out_as_it_is(store: SqlStore, kind: type[Refusal]) -> None:
    """It is an answer, not a fault; its part is undone all the same."""

    def task(work: Work) -> None:
        with pytest.raises(kind):
            attempts(work, kind(Reason.NOT_FOUND, "No.", "None."))

    await store.write(task)
    assert await bookmarks(store) == ("1", "")


async def test_a_fault_of_the_database_ends_the_task(store: SqlStore) -> None:
    """When the database itself fails nothing of the transaction is kept."""
    fault: Any = OperationalError("COMMIT", {}, Exception("disk full"))
    with pytest.raises(StoreUnavailable):
        await store.write(lambda work: attempts(work, fault))
    assert await bookmarks(store) == ("", "")


async def test_a_failing_part_costs_a_second_run_and_nothing_else(store: SqlStore) -> None:
    """Parts have no savepoint at first; when one fails, the whole batch runs again with them."""
    runs: list[str] = []

    def other(work: Work) -> None:
        runs.append("other")
        work.bookmarks.set(ORG, "before", "1")

    def failing(work: Work) -> None:
        runs.append("failing")
        work.bookmarks.set(ORG, "inside", "1")
        raise Refusal(Reason.NOT_FOUND, "No.", "None.")

    written, refused = await asyncio.gather(
        store.write(other), store.write(failing), return_exceptions=True
    )
    assert written is None
    assert isinstance(refused, Refusal)
    assert runs.count("failing") > 1
    assert await bookmarks(store) == ("1", "")
