"""Group commit: concurrent tasks share one transaction, each in a savepoint of its own.

A commit costs one disk flush whoever shares it. Tasks wait in a queue; the writer thread drains it
into one transaction, and answers each task only after the commit (promise 1).
"""

import asyncio
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.log_events import LogEvent, held_lines, log, log_at_once
from gateway.ports.condition import Code
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.store import OutcomeUnknown, StoreUnavailable, Work
from gateway.store.commit_marks import CommitMark
from gateway.store.disk_faults import EXIT_CODE, ailment
from gateway.store.faults import LinkLost, UnsafeStore
from gateway.store.postgresql import passes
from gateway.store.work import BY_THE_TASK, SavepointNeeded, SqlWork, is_about_all

_MOST_IN_A_COMMIT = 200
_MOST_RUNS = 5
_PAUSE_SECONDS = 0.1  # before a transaction is run again, times the runs it had
_LONGEST_ASKING = 10.0  # seconds in which a lost server may come back and tell
_READERS = 2
_STOPPED = "the task raised StopIteration"  # which no future takes; a generator does so too
T = TypeVar("T")
_Item = tuple[Callable[[Work], Any], "asyncio.Future[Any]"]
_Outcome = tuple[Any, Exception | None]


class _Spoiled(Exception):
    """A task brought down the transaction of its batch; `suspects` says where in it that one is."""

    def __init__(self, suspects: slice, fault: Exception) -> None:
        super().__init__()
        self.suspects = suspects
        self.fault = fault


class SqlStore:
    """Implements gateway.ports.store.Store on one SQLAlchemy engine."""

    def __init__(self, engine: Engine, vault_key: bytes) -> None:
        self._engine = engine
        self._mark = CommitMark(engine) if engine.dialect.name == "postgresql" else None
        self._vault_key = vault_key
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._bells: weakref.WeakSet[asyncio.Event] = weakref.WeakSet()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.ready = True
        self.ails = Code.GOOD
        self._writer = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._writer.start()

    async def write(self, task: Callable[[Work], T]) -> T:
        """See Store.write."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((task, done))
        return await done  # a caller that goes away cuts nothing: the task is carried out

    async def read(self, task: Callable[[Work], T]) -> T:
        """See Store.read."""
        return await self._loop.run_in_executor(self._readers, self._read, task)

    def bell(self) -> asyncio.Event:
        """See Store.bell."""
        bell = asyncio.Event()
        self._bells.add(bell)
        return bell

    async def close(self) -> None:
        """Finish what waits, then release the database."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await self._loop.run_in_executor(None, self._writer.join)
            self._readers.shutdown()
            self._engine.dispose()

    def _read(self, task: Callable[[Work], T]) -> T:
        try:
            try:
                return self._read_once(task)
            except DBAPIError as fault:
                if not passes(fault):
                    raise
                return self._read_once(task)
        except (SQLAlchemyError, UnsafeStore) as fault:
            raise StoreUnavailable(type(fault).__name__) from fault
        except StopIteration as fault:
            raise RuntimeError(_STOPPED) from fault

    def _read_once(self, task: Callable[[Work], T]) -> T:
        with self._engine.connect().execution_options(reading=True) as connection:
            return task(SqlWork(connection, self._vault_key))

    def _run(self) -> None:
        """Commit until the store is closed; a process without this thread must not live on."""
        try:
            self._commit_what_comes()
        except BaseException as fault:  # noqa: BLE001 - whatever it is
            try:
                log_at_once(LogEvent.STORE_BROKEN, level="error", fault=type(fault).__name__)
            finally:
                os._exit(EXIT_CODE)

    def _commit_what_comes(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < _MOST_IN_A_COMMIT and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    self._queue.put(None)
                    break
                batch.append(item)
            self._commit(batch)

    def _commit(self, batch: list[_Item]) -> None:
        """Run the batch in one transaction and answer each task after the commit."""
        alone: list[_Item] = []
        while batch:
            try:
                outcomes = self._transaction(batch)
            except _Spoiled as spoiled:
                if len(batch) == 1:
                    self._blame(batch, spoiled.fault)
                    break
                # Tasks are repeatable and nothing was kept: the others run again without this
                # one, which has its second chance by itself.
                alone += batch[spoiled.suspects]
                del batch[spoiled.suspects]
            except Exception as fault:  # noqa: BLE001 - whatever it is, those who wait must hear
                self._fail(batch, fault)
                break
            else:
                self._answer(batch, outcomes)
                break
        for item in alone:
            self._commit([item])

    def _answer(self, batch: list[_Item], outcomes: list[_Outcome]) -> None:
        self.ready = True
        self._in_loop(partial(_tell, batch, outcomes))
        self._in_loop(self._ring)

    def _blame(self, batch: list[_Item], fault: Exception) -> None:
        """Answer the one task that cannot be committed, even by itself."""
        if isinstance(fault, BY_THE_TASK):
            self._answer(batch, [(None, fault)])
        else:
            self._fail(batch, fault)

    def _fail(self, batch: list[_Item], fault: Exception) -> None:
        self.ready = False
        self.ails = ailment(fault)
        log(LogEvent.STORE_FAILED, level="error", fault=type(fault).__name__)
        kind = OutcomeUnknown if isinstance(fault, OutcomeUnknown) else StoreUnavailable
        outcomes: list[_Outcome] = [(None, kind(type(fault).__name__)) for _ in batch]
        self._in_loop(partial(_tell, batch, outcomes))

    def _transaction(self, batch: list[_Item]) -> list[_Outcome]:
        """Run the batch; again, a few times, where the database had to give up what may pass."""
        for run in range(1, _MOST_RUNS):
            try:
                return self._run_batch(batch)
            except (DBAPIError, LinkLost) as fault:
                if not passes(fault):
                    raise
                kind = type(getattr(fault, "orig", fault)).__name__
                log(LogEvent.STORE_RUN_AGAIN, level="warning", fault=kind)
                time.sleep(run * _PAUSE_SECONDS)
        return self._run_batch(batch)

    def _run_batch(self, batch: list[_Item]) -> list[_Outcome]:
        """Run the batch in the open; with a savepoint for each part once one was needed."""
        with suppress(SavepointNeeded):
            return self._transaction_once(batch, savepoints=False)
        return self._transaction_once(batch, savepoints=True)

    def _transaction_once(self, batch: list[_Item], *, savepoints: bool) -> list[_Outcome]:
        with self._engine.connect() as connection, held_lines() as lines:
            transaction = connection.begin()
            if self._mark is not None:
                self._mark.set(connection)
            work = SqlWork(connection, self._vault_key, savepoints=savepoints)
            outcomes = [_outcome(work, index, task) for index, (task, _) in enumerate(batch)]
            reach(Failpoint.STORE_BEFORE_COMMIT)
            lost: DBAPIError | None = None
            try:
                transaction.commit()
            except DBAPIError as fault:
                lost = fault
                if self._mark is None:  # SQLite leaves it open, while SQLAlchemy takes it for ended
                    connection.connection.rollback()
        # SQLite says at once what became of it; where its disk left that open, the process ended.
        if lost is not None and not (self._mark and self._stands(self._mark)):
            # At the commit the database speaks of what was written, but not of who wrote it.
            raise _Spoiled(slice(None), lost) if isinstance(lost, BY_THE_TASK) else lost
        lines.write()
        reach(Failpoint.STORE_AFTER_COMMIT)
        return outcomes

    def _stands(self, mark: CommitMark) -> bool:
        """Find out whether a transaction stands whose commit failed or was not answered."""
        until = time.monotonic() + _LONGEST_ASKING
        while time.monotonic() < until:
            try:
                return mark.stands()
            except (SQLAlchemyError, UnsafeStore):
                time.sleep(_PAUSE_SECONDS)  # it may be starting again
        raise OutcomeUnknown

    def _ring(self) -> None:
        for bell in list(self._bells):
            bell.set()

    def _in_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop has ended: nobody waits for an answer or a bell any more.
            self._bells.clear()


def _outcome(work: SqlWork, index: int, task: Callable[[Work], Any]) -> _Outcome:
    """Run a task. What it raises is its own outcome, unless it is about the whole transaction."""
    outcome: _Outcome
    try:
        with work.savepoint():
            outcome = task(work), None
    except StopIteration:
        outcome = None, RuntimeError(_STOPPED)
    except Exception as fault:  # noqa: BLE001 - handed to the task's own caller
        outcome = None, fault
    raised = outcome[1]
    if work.lost:  # also where the task thought nothing of it
        raise LinkLost from raised
    if isinstance(raised, DBAPIError) and is_about_all(raised):
        raise raised if passes(raised) else _Spoiled(slice(index, index + 1), raised)
    return outcome


def _tell(batch: list[_Item], outcomes: list[_Outcome]) -> None:
    """Answer those who still wait, all in one turn of their loop."""
    for (_, done), (result, raised) in zip(batch, outcomes, strict=True):
        if done.done():
            continue  # its caller went away
        if raised is None:
            done.set_result(result)
        else:
            done.set_exception(raised)
