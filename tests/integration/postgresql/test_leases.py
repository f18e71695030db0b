"""Of several processes on one database, one at a time does the node's duties."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from gateway.ports.leases import AlwaysHeld
from gateway.store.engine import open_engine
from gateway.store.leases import SqlLease, lease_on
from tests.integration.postgresql.conftest import Opened
from tests.integration.postgresql.cutter import Cut, Cutter
from tests.postgresql import PostgresqlServer


class Process:
    """What one process of a node does: waits for the lease and notes when it has it."""

    def __init__(self, url: str, seconds: float) -> None:
        self.engine: Engine = open_engine(url)
        self.lease = SqlLease(self.engine, seconds)
        self.working = asyncio.Event()
        self.times = 0
        self.task = asyncio.create_task(self.lease.keep(self.duties))

    async def duties(self) -> None:
        """Work until cancelled."""
        self.times += 1
        self.working.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.working.clear()

    async def end(self) -> None:
        """End in order: the lease is given back."""
        self.task.cancel()
        await asyncio.wait({self.task})
        self.engine.dispose()


@asynccontextmanager
async def process(url: str, seconds: float = 60.0) -> AsyncIterator[Process]:
    """Run a process on the database."""
    made = Process(url, seconds)
    try:
        yield made
    finally:
        await made.end()


async def working(one: Process) -> None:
    """Wait until it does its duties."""
    async with asyncio.timeout(30):
        await one.working.wait()


async def idle(one: Process) -> None:
    """Wait until it does them no more."""
    async with asyncio.timeout(30):
        while one.working.is_set():  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)


async def lasts_until(url: str) -> datetime:
    """Return when the lease runs out."""
    engine = open_engine(url)
    with engine.connect().execution_options(reading=True) as connection:
        found = connection.execute(text("SELECT expires_at FROM leases")).scalar_one()
    engine.dispose()
    assert isinstance(found, datetime)
    return found


async def test_one_works_and_the_next_follows_at_once(url: str) -> None:
    """The second waits while the first holds; when that ends in order, the lease of a minute is
    not waited for.
    """
    async with process(url) as first:
        await working(first)
        async with process(url) as second:
            assert (await second.lease._ask(30))[0] is False
            assert not second.working.is_set()
            await first.end()
            await working(second)
            assert not first.working.is_set()
    assert (first.times, second.times) == (1, 1)


async def test_the_lease_is_kept_until_the_duties_have_ended(url: str) -> None:
    """Duties that take longer to end than the lease lasts keep it meanwhile: nobody follows."""
    begun, last_word = asyncio.Event(), asyncio.Event()

    async def end_slowly() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await last_word.wait()

    engine = open_engine(url)
    ending = asyncio.create_task(SqlLease(engine, 1.5).keep(end_slowly))
    await begun.wait()
    async with process(url) as second:
        ending.cancel()
        ends_at = await lasts_until(url)
        while await lasts_until(url) - ends_at < timedelta(seconds=2):  # noqa: ASYNC110 - the row
            await asyncio.sleep(0.01)
        assert not second.working.is_set()
        last_word.set()
        await working(second)
        await asyncio.wait({ending})
    engine.dispose()


async def test_a_dead_holder_is_followed(url: str) -> None:
    """A holder that vanished without a word is followed when its lease has run out by the
    database's clock.
    """
    async with process(url, 1.5) as first:
        await working(first)
        first.engine.dispose()
        first.lease._take = lambda: None  # type: ignore[method-assign] # as if it were gone
        first.lease._give_back = lambda: None  # type: ignore[method-assign]
        async with process(url) as second:
            await working(second)
            assert not first.working.is_set(), "it let go before"


async def test_a_holder_without_the_database_lets_go(
    postgresql: PostgresqlServer, database: str
) -> None:
    """A holder that cannot renew ends its duties by its own clock, and takes them up again."""
    with Cutter(postgresql.directory) as cutter:
        async with process(cutter.url(database), 2.0) as one:
            await working(one)
            cutter.deaf, cutter.cuts = True, 1
            one.engine.dispose()
            await idle(one)
            cutter.deaf = False
            await working(one)
            assert one.times == 2
    assert cutter.cut is Cut.NEVER


async def test_each_holder_has_its_number(url: str) -> None:
    """The fence grows with each holder, not with each renewal."""
    engine = open_engine(url)
    for expected in (1, 2):
        async with process(url) as one:
            await working(one)
            assert (await one.lease._ask(30))[0]
            with engine.connect().execution_options(reading=True) as connection:
                found = connection.execute(text("SELECT fence FROM leases")).scalars().all()
            assert found == [expected]
    engine.dispose()


async def test_duties_that_fail_are_heard_of(url: str, opened: Opened) -> None:
    """A fault of the duties ends the process, it does not pass the lease on in silence."""

    async def fail() -> None:
        raise ZeroDivisionError

    engine = open_engine(url)
    with pytest.raises(ZeroDivisionError):
        await SqlLease(engine).keep(fail)
    engine.dispose()


def test_sqlite_needs_none() -> None:
    """A store of one process costs nothing for that."""
    assert isinstance(lease_on(open_engine("sqlite://")), AlwaysHeld)
