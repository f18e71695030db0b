"""Tasks that share a transaction: each is answered, for its own fault only, and logs once."""

from collections.abc import Callable
from contextlib import suppress
from errno import ENOSPC
from typing import Any, TextIO, cast

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs

from gateway.log_events import LogEvent, log
from gateway.ports.store import PartFailed, StoreUnavailable, Work
from gateway.store.writer import SqlStore
from tests.contract.test_store import WUHUA, append, together

pytestmark = pytest.mark.every_store


def stops(_work: Work) -> None:
    """Raise what no future takes."""
    raise StopIteration


@pytest.mark.parametrize("savepoints", [False, True], ids=["in the open", "with savepoints"])
async def test_a_task_that_stops_an_iteration(store: SqlStore, savepoints: bool) -> None:
    """Its caller is told by another type, and everybody else of its commit is answered too."""

    def fails(_work: Work) -> None:
        raise LookupError

    others = [fails] if savepoints else []
    results = await together(
        store,
        lambda work: append(work, "e1"),
        stops,
        *others,
        lambda work: append(work, "e2"),
    )
    assert [type(one) for one in results if isinstance(one, RuntimeError)] == [RuntimeError]
    assert (results[0], results[-1]) == (1, 2)


async def test_a_reader_that_stops_an_iteration(store: SqlStore) -> None:
    """The same for a reader."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.read(stops)


@pytest.fixture
def deferred(engine: Engine) -> Callable[[Work], None]:
    """A task whose fault the database finds only at the commit."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE elders (id INTEGER PRIMARY KEY)"))
        connection.execute(
            text(
                "CREATE TABLE orphans (elder INTEGER REFERENCES elders (id)"
                " DEFERRABLE INITIALLY DEFERRED)"
            )
        )

    def task(work: Any) -> None:
        append(work, "orphan")
        work.outbox._connection.execute(text("INSERT INTO orphans VALUES (1)"))

    return task


async def test_a_fault_that_shows_at_the_commit(
    store: SqlStore, deferred: Callable[[Work], None]
) -> None:
    """Who wrote what the database does not commit is found out; the others are kept."""
    results = await together(
        store, lambda work: append(work, "e1"), deferred, lambda work: append(work, "e2")
    )
    assert (results[0], results[2]) == (1, 2)
    assert isinstance(results[1], IntegrityError)
    assert store.ready
    assert await store.read(lambda work: work.events.end(WUHUA)) == 2


async def test_what_a_transaction_logs_is_written_once(store: SqlStore) -> None:
    """However often it was run: its lines wait for the commit."""

    def logs(work: Work) -> None:
        append(work, "e1")
        log(LogEvent.MESSAGE_APPLIED, items=1)
        with suppress(PartFailed), work.attempt():
            log(LogEvent.MESSAGE_PARKED, level="error")
            raise LookupError

    with capture_logs() as lines:
        await store.write(logs)
    assert [line["event"] for line in lines] == ["message.applied", "message.parked"]


async def test_what_did_not_happen_is_not_logged(store: SqlStore) -> None:
    """Of a transaction that came to nothing only the fault is told."""

    def logs(_work: Work) -> None:
        log(LogEvent.MESSAGE_APPLIED, items=1)
        raise OperationalError("SELECT", None, Exception("disk"))

    with capture_logs() as lines, pytest.raises(StoreUnavailable):
        await store.write(logs)
    assert [line["event"] for line in lines] == ["store.failed"]


class _Full:
    """A place for the log on a disk that is full."""

    def write(self, _line: str) -> None:
        """Fail as the disk does."""
        raise OSError(ENOSPC, "No space left on device")

    def flush(self) -> None:
        """Nothing is kept."""


async def test_a_log_that_cannot_be_written_keeps_nobody_waiting(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed is answered as committed, and the store goes on."""
    full = structlog.wrap_logger(
        structlog.WriteLogger(cast("TextIO", _Full())),
        processors=[structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    monkeypatch.setattr(structlog, "get_logger", lambda: full)

    def tells(work: Work) -> int:
        log(LogEvent.LANE_STATED, lane="a")
        return append(work, "e1")

    assert await store.write(tells) == 1
    assert await store.write(lambda work: append(work, "e2")) == 2
    assert store.ready
