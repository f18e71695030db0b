"""A link that breaks within a part of a transaction: it is no failure of that part."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import pytest
from psycopg.errors import AdminShutdown
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.ports.store import OutcomeUnknown, PartFailed, StoreUnavailable, Work
from gateway.store.engine import open_engine
from gateway.store.work import SqlWork
from gateway.store.writer import SqlStore
from tests.integration.postgresql.conftest import VAULT_KEY, Opened
from tests.integration.postgresql.test_lost_commit import effects, end_backends
from tests.postgresql import PostgresqlServer

ORG = OrgId.parse("530102/edu")
Part = Callable[[Work], AbstractContextManager[None]]
PARTS = {
    "savepoint": lambda work: work.savepoint(),
    "attempt": lambda work: work.attempt(),
}


class Severed:
    """A task that counts before, within and after a part, in which its backend is ended.

    It answers as use cases do: a part that failed is passed over.
    """

    def __init__(self, server: PostgresqlServer, part: Part, times: int) -> None:
        self._server = server
        self._part = part
        self._left = times
        self.runs = 0

    def __call__(self, work: Work) -> str:
        """Return how the part ended."""
        self.runs += 1
        work.counters.next(ORG, "acts")
        ended = "well"
        try:
            with self._part(work):
                self._harm()
                work.counters.next(ORG, "acts")
        except PartFailed:
            ended = "badly"
        work.counters.next(ORG, "acts")
        return ended

    def _harm(self) -> None:
        if self._left:
            self._left -= 1
            assert end_backends(self._server) == 1


def fails_once(work: Work) -> None:
    """A part of another task that fails, so that the batch runs with savepoints."""
    with suppress(PartFailed), work.attempt():
        raise LookupError


async def together(store: SqlStore, *tasks: Callable[[Work], object]) -> list[object]:
    """Run tasks in one batch, and return what came of each."""
    return list(await asyncio.gather(*map(store.write, tasks), return_exceptions=True))


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("beside", [effects, fails_once], ids=["in the open", "with savepoints"])
async def test_the_batch_is_run_again(
    postgresql: PostgresqlServer,
    url: str,
    opened: Opened,
    part: Part,
    beside: Callable[[Work], object],
) -> None:
    """The whole batch runs on a new link; each act is there once, and no part is told of it."""
    store = await opened(url)
    task = Severed(postgresql, part, times=1)
    first, last = await together(store, beside, task)
    assert not isinstance(first, Exception)
    assert last == "well"
    assert task.runs > 1
    before = 1 if beside is effects else 0
    assert await store.write(effects) == before + 3 + 1
    assert store.ready


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
async def test_it_is_tried_a_few_times(
    postgresql: PostgresqlServer, url: str, opened: Opened, part: Part
) -> None:
    """A link that breaks again and again: the callers hear that nothing happened."""
    store = await opened(url)
    told = await together(store, effects, fails_once, Severed(postgresql, part, times=1000))
    assert [type(one) for one in told] == [StoreUnavailable] * 3
    assert not any(isinstance(one, OutcomeUnknown) for one in told)
    assert await store.write(effects) == 1
    assert store.ready


@pytest.mark.parametrize("answer", ["another refusal", "nothing"])
@pytest.mark.parametrize("beside", [effects, fails_once], ids=["in the open", "with savepoints"])
async def test_whatever_a_task_makes_of_it(
    postgresql: PostgresqlServer,
    url: str,
    opened: Opened,
    beside: Callable[[Work], object],
    answer: str,
) -> None:
    """A task that swallows the error, or turns it into an answer, is run again all the same."""
    store = await opened(url)
    severed = Severed(postgresql, PARTS["savepoint"], times=1)

    def task(work: Work) -> str:
        try:
            return severed(work)
        except SQLAlchemyError as fault:
            if answer == "nothing":
                return "swallowed"
            raise Refusal(Reason.NOT_FOUND, "No.", "None.") from fault

    first, last = await together(store, beside, task)
    assert not isinstance(first, Exception)
    assert last == "well"


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_its_own_error_comes_out(postgresql: PostgresqlServer, url: str, part: Part) -> None:
    """Not the one of undoing a part that is gone already."""
    engine = open_engine(url)
    with engine.connect() as connection:
        severed = Severed(postgresql, part, times=1)
        with pytest.raises(DBAPIError) as caught:
            severed(SqlWork(connection, VAULT_KEY))
    assert caught.value.connection_invalidated
    assert isinstance(caught.value.orig, AdminShutdown)
    engine.dispose()


def test_no_part_has_failed(postgresql: PostgresqlServer, url: str) -> None:
    """On a broken link whatever comes of a part comes out as it is."""
    engine = open_engine(url)
    with engine.connect() as connection:
        work = SqlWork(connection, VAULT_KEY)

        def lose() -> None:
            with work.attempt():
                assert end_backends(postgresql) == 1
                with suppress(DBAPIError):
                    work.counters.next(ORG, "acts")
                raise LookupError

        with pytest.raises(LookupError):
            lose()
    engine.dispose()


async def test_the_reader_goes_on(postgresql: PostgresqlServer, url: str, opened: Opened) -> None:
    """A reader whose backend is ended reads once more."""
    store = await opened(url)
    await store.write(effects)
    harmed: list[bool] = []

    def look(work: Work) -> str:
        found = work.bookmarks.get(ORG, "place")
        if not harmed:
            harmed.append(end_backends(postgresql) == 1)
            work.bookmarks.get(ORG, "place")
        return found

    assert await store.read(look) == ""
    assert harmed == [True]
