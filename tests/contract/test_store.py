"""The store as its ports promise it, over SQLite and over PostgreSQL."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogFilter
from gateway.ports.store import PartFailed, StoreUnavailable, Work
from gateway.store.engine import open_engine
from gateway.store.writer import SqlStore
from gateway.v1.envelope_pb2 import SignedEnvelope

WUHUA = OrgId.parse("530102/edu")
ZHENXIONG = OrgId.parse("530627/edu")
SCHOOL = OrgId.parse("530102/sch/3153000123")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.every_store
ABSENCE = Absence("a1", "s1", SCHOOL, AbsenceState.REPORTED, (), NOW, NOW)


def append(work: Work, event_id: str, *, org: OrgId = WUHUA, case_id: str = "c1") -> int:
    """Append an event to the log."""
    return work.events.append(
        org,
        event_id=event_id,
        kind=7,
        source=str(SCHOOL),
        case_ids=(case_id,),
        logged_at=NOW,
        envelope=SignedEnvelope(payload=event_id.encode()).SerializeToString(),
    )


class Gate:
    """Holds the writer inside a task, so that what is queued meanwhile shares one commit."""

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._open = threading.Event()

    def __call__(self, _work: Work) -> None:
        """Wait inside the transaction."""
        self._entered.set()
        assert self._open.wait(30)

    async def entered(self) -> None:
        """Wait until the writer is inside."""
        assert await asyncio.to_thread(self._entered.wait, 30)

    def open(self) -> None:
        """Let the writer go on."""
        self._open.set()


async def together(store: SqlStore, *tasks: Callable[[Work], object]) -> list[object]:
    """Run tasks in one transaction; return results and exceptions."""
    gate = Gate()
    first = asyncio.create_task(store.write(gate))
    await gate.entered()
    rest = [asyncio.create_task(store.write(task)) for task in tasks]
    await asyncio.sleep(0)  # each has put itself into the queue
    gate.open()
    await first
    return list(await asyncio.gather(*rest, return_exceptions=True))


async def test_concurrent_tasks_share_one_commit(store: SqlStore) -> None:
    """What waits while a transaction runs is committed together, in order."""
    commits: list[int] = []
    transaction = store._transaction

    def counted(batch: list[Any]) -> list[Any]:
        commits.append(len(batch))
        return transaction(batch)

    store._transaction = counted  # type: ignore[method-assign]
    results = await together(store, *(lambda work, n=n: append(work, f"e{n}") for n in range(50)))
    assert results == list(range(1, 51))
    assert commits == [1, 50]


async def test_failed_task_spoils_nobody(store: SqlStore) -> None:
    """In one commit, a refused, a crashed and a conflicting task undo only their own part."""

    def refused(work: Work) -> None:
        append(work, "refused")
        raise Refusal(Reason.NOT_HOLDER, "Not the holder.", "Ask the holder.")

    def crashed(work: Work) -> None:
        append(work, "crashed")
        raise ZeroDivisionError

    results = await together(
        store,
        lambda work: append(work, "e1"),
        refused,
        crashed,
        lambda work: append(work, "e1"),  # the same event again
        lambda work: append(work, "e2"),
    )
    assert [type(result) for result in results] == [
        int,
        Refusal,
        ZeroDivisionError,
        IntegrityError,
        int,
    ]
    page = await store.read(lambda work: work.events.page(WUHUA, 0, 10, LogFilter()))
    # Failed tasks leave no hole in the numbering either.
    assert [(entry.position, entry.event_id) for entry in page] == [(1, "e1"), (2, "e2")]


async def test_task_that_breaks_the_transaction(store: SqlStore) -> None:
    """A task the database itself gives up on is told so; the others of its commit are kept."""

    def impossible(work: Work) -> None:
        append(work, "impossible")
        raise OperationalError("SELECT", None, Exception("disk"))

    results = await together(
        store, lambda work: append(work, "e1"), impossible, lambda work: append(work, "e2")
    )
    assert isinstance(results[1], StoreUnavailable)
    assert (results[0], results[2]) == (1, 2)
    assert await store.read(lambda work: work.events.end(WUHUA)) == 2


async def test_inner_savepoint(store: SqlStore) -> None:
    """A task may undo a part of itself and go on."""

    def task(work: Work) -> int:
        append(work, "e1")
        with suppress(ZeroDivisionError), work.savepoint():
            append(work, "undone")
            raise ZeroDivisionError
        return append(work, "e2")

    assert await store.write(task) == 2
    assert await store.read(lambda work: work.events.get(WUHUA, "undone")) is None


async def test_attempt_tells_faults_from_refusals(store: SqlStore) -> None:
    """A part that conflicts is undone and told as such; a refusal stays a refusal."""

    def task(work: Work) -> int:
        append(work, "e1")
        for again in ("e1", "undone"):  # in the log before, or twice in the part itself
            with suppress(PartFailed), work.attempt():
                append(work, "undone")
                append(work, again)
        with suppress(Refusal), work.attempt():
            append(work, "undone")
            raise Refusal(Reason.NOT_FOUND, "Nothing.", "Nothing.")
        return append(work, "e2")

    assert await store.write(task) == 2
    assert await store.read(lambda work: work.events.get(WUHUA, "undone")) is None


async def test_store_that_cannot_begin(store: SqlStore) -> None:
    """When no transaction is to be had, every task hears of it, and the store is not ready."""

    def broken(batch: object) -> list[object]:
        raise OperationalError("BEGIN", None, Exception("disk"))

    working = store._transaction
    store._transaction = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await store.write(lambda work: append(work, "e1"))
    assert not store.ready
    store._transaction = working  # type: ignore[method-assign]
    assert await store.write(lambda work: append(work, "e2")) == 1
    assert store.ready


async def test_caller_that_goes_away(store: SqlStore) -> None:
    """A write is finished even when its caller is cancelled after it began."""
    gate = Gate()

    def task(work: Work) -> None:
        append(work, "e1")
        gate(work)

    caller = asyncio.create_task(store.write(task))
    await gate.entered()
    caller.cancel()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await store.write(lambda work: append(work, "e2"))
    assert await store.read(lambda work: work.events.end(WUHUA)) == 2


async def test_bell_rings_after_commit(store: SqlStore) -> None:
    """A bell rings for every commit, and what was committed can then be read."""
    bell = store.bell()
    await store.write(lambda work: append(work, "e1"))
    async with asyncio.timeout(30):
        await bell.wait()
    assert await store.read(lambda work: work.events.end(WUHUA)) == 1


async def test_closed_store_takes_nothing(store: SqlStore) -> None:
    """What was queued before closing is finished; what comes later is refused."""
    waiting = asyncio.create_task(store.write(lambda work: append(work, "e1")))
    await asyncio.sleep(0)
    await store.close()
    assert await waiting == 1
    with pytest.raises(StoreUnavailable):
        await store.write(lambda work: append(work, "e2"))


async def test_committed_survives(store: SqlStore, store_url: str) -> None:
    """What was answered is there when the database is opened again."""
    await store.write(lambda work: work.absences.put(SCHOOL, ABSENCE))
    await store.close()
    second = SqlStore(open_engine(store_url), bytes(32))
    assert await second.read(lambda work: work.absences.get(SCHOOL, "a1")) == ABSENCE
    await second.close()


async def test_shelf_versions(store: SqlStore) -> None:
    """Only the successor of the stored version is taken; else STALE_VERSION."""
    later = ABSENCE.changed(NOW + timedelta(hours=1), class_name="3")
    await store.write(lambda work: work.absences.put(SCHOOL, ABSENCE))
    await store.write(lambda work: work.absences.put(SCHOOL, later))
    for stale in (ABSENCE, later, replace(later, version=4)):
        with pytest.raises(Refusal) as caught:
            await store.write(lambda work, stale=stale: work.absences.put(SCHOOL, stale))  # type: ignore[misc]
        assert caught.value.reason is Reason.STALE_VERSION
    assert await store.read(lambda work: work.absences.require(SCHOOL, "a1")) == later


async def test_shelf_is_one_organisations(store: SqlStore) -> None:
    """What belongs to another organisation does not exist."""
    await store.write(lambda work: work.absences.put(SCHOOL, ABSENCE))
    with pytest.raises(Refusal) as caught:
        await store.read(lambda work: work.absences.require(WUHUA, "a1"))
    assert caught.value.reason is Reason.NOT_FOUND
    assert await store.read(lambda work: work.absences.page(WUHUA)) == []


async def test_shelf_pages(store: SqlStore) -> None:
    """Pages run newest first and go on below the last; filters narrow them."""

    def fill(work: Work) -> None:
        for number in range(1, 6):
            one = replace(ABSENCE, id=f"a{number}", case_id=f"c{number % 2}")
            work.absences.put(SCHOOL, one)

    await store.write(fill)
    page = await store.read(lambda work: work.absences.page(SCHOOL, after="a4", limit=2))
    assert [one.id for one in page] == ["a3", "a2"]
    page = await store.read(lambda work: work.absences.page(SCHOOL, case_id="c0"))
    assert [one.id for one in page] == ["a4", "a2"]
    states = (AbsenceState.EXCUSED,)
    assert await store.read(lambda work: work.absences.page(SCHOOL, states=states)) == []


async def test_log_filters(store: SqlStore) -> None:
    """A page of the log holds what matches, after a position, oldest first."""

    def fill(work: Work) -> None:
        for number in range(1, 6):
            append(work, f"e{number}", case_id=f"c{number % 2}")
        append(work, "other", org=ZHENXIONG)

    await store.write(fill)
    condition = LogFilter(types=(7,), case_id="c1", source=str(SCHOOL))
    page = await store.read(lambda work: work.events.page(WUHUA, 1, 10, condition))
    assert [(entry.position, entry.event_id) for entry in page] == [(3, "e3"), (5, "e5")]
    assert await store.read(lambda work: work.events.end(ZHENXIONG)) == 1
    assert not await store.read(lambda work: work.events.page(WUHUA, 0, 10, LogFilter(types=(8,))))
