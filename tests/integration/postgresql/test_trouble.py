"""P4: deadlock, serialization failure, a holder that stands still, no connection to be had."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from gateway.domain.organisations import OrgId
from gateway.ports.store import StoreUnavailable, Work
from gateway.store import postgresql as settings
from gateway.store.engine import open_engine
from tests.faults.reporting import FaultReport
from tests.integration.postgresql.conftest import Opened
from tests.postgresql import PostgresqlServer

ORG = OrgId.parse("530102/edu")


def raising(sqlstate: str, times: int) -> Callable[[Work], int]:
    """Return a task that the server itself breaks with that error so many times, then lets be."""
    left = [times]

    def task(work: Work) -> int:
        value = work.counters.next(ORG, "acts")
        if left[0]:
            left[0] -= 1
            statement = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END $$"
            work.outbox._connection.execute(text(statement))  # type: ignore[attr-defined]
        return value

    return task


@pytest.mark.fault("P4")
@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_what_passes_is_run_again(
    url: str, opened: Opened, sqlstate: str, fault_report: FaultReport
) -> None:
    """After a serialization failure or a deadlock the act is there once, and nobody hears of it."""
    store = await opened(url)
    assert await store.write(raising(sqlstate, 3)) == 1
    fault_report.inject(f"server error {sqlstate}", 3)
    assert await store.write(raising(sqlstate, 0)) == 2


@pytest.mark.fault("P4")
async def test_what_does_not_pass_is_said(
    url: str, opened: Opened, fault_report: FaultReport
) -> None:
    """Running again is bounded: then the caller is told, and nothing of it is there."""
    store = await opened(url)
    with pytest.raises(StoreUnavailable):
        await store.write(raising("40001", 1000))
    fault_report.inject("server error 40001 without end")
    assert await store.write(raising("40001", 0)) == 1
    assert store.ready


@pytest.mark.fault("P4")
async def test_a_real_deadlock_is_outlived(
    url: str, database: str, opened: Opened, postgresql: PostgresqlServer, fault_report: FaultReport
) -> None:
    """A session that is no gateway locks rows crosswise; whoever is chosen, the act is done."""
    store = await opened(url)
    await store.write(lambda work: [work.counters.next(ORG, name) for name in ("a", "b")])
    crossed = threading.Event()

    def task(work: Work) -> int:
        work.counters.next(ORG, "a")
        if not crossed.is_set():
            thread.start()
            assert crossed.wait(30)
        return work.counters.next(ORG, "b")

    def cross() -> None:
        with postgresql.connect(database) as link, link.transaction():
            link.execute("SET LOCAL deadlock_timeout = '10s'")  # the gateway finds out first
            link.execute("SELECT value FROM counters WHERE name = 'b' FOR UPDATE")
            crossed.set()
            link.execute("SELECT value FROM counters WHERE name = 'a' FOR UPDATE")

    thread = threading.Thread(target=cross)
    assert await store.write(task) == 2
    fault_report.inject("deadlock")
    await asyncio.to_thread(thread.join, 30)


@pytest.mark.fault("P4")
async def test_a_holder_that_stands_still_is_cut_off(
    url: str, opened: Opened, monkeypatch: pytest.MonkeyPatch, fault_report: FaultReport
) -> None:
    """A process that stopped within a transaction keeps the others waiting for a bounded time."""
    monkeypatch.setitem(settings._SESSION, "idle_in_transaction_session_timeout", "500ms")
    stopped = open_engine(url)
    connection = stopped.connect()
    connection.begin()  # and no more is ever heard of it
    store = await opened(url)
    assert await store.write(raising("", 0)) == 1
    fault_report.inject("a session that stands still in a transaction")
    connection.invalidate()
    stopped.dispose()


@pytest.mark.fault("P4")
async def test_no_connection_to_be_had(
    url: str, database: str, opened: Opened, postgresql: PostgresqlServer, fault_report: FaultReport
) -> None:
    """When the server takes no more clients, the caller hears that nothing happened; then all is
    as before.
    """
    store = await opened(url)
    with postgresql.connect() as link:
        link.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false'.encode())
        with pytest.raises(StoreUnavailable):
            await store.write(raising("", 0))
        with pytest.raises(StoreUnavailable):
            await store.read(lambda _work: None)
        assert not store.ready
        fault_report.inject("no connection to be had")
        link.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true'.encode())
    assert await store.write(raising("", 0)) == 1
    assert store.ready


async def test_readers_see_one_moment(url: str, opened: Opened) -> None:
    """What is committed while a reader reads is not seen by that reader, and nothing is written."""
    store, other = await opened(url), await opened(url)
    await store.write(lambda work: work.bookmarks.set(ORG, "place", "1"))
    read, written = threading.Event(), threading.Event()

    def look(work: Work) -> tuple[str, str]:
        first = work.bookmarks.get(ORG, "place")
        read.set()
        assert written.wait(30)
        return first, work.bookmarks.get(ORG, "place")

    looking = asyncio.create_task(other.read(look))
    await asyncio.to_thread(read.wait, 30)
    await store.write(lambda work: work.bookmarks.set(ORG, "place", "2"))
    written.set()
    assert await looking == ("1", "1")
    with pytest.raises(StoreUnavailable):
        await other.read(lambda work: work.bookmarks.set(ORG, "place", "3"))
