"""Group commit: concurrent tasks share one transaction, each in a savepoint of its own.

A commit costs one disk flush whoever shares it. Tasks wait in a queue; the writer thread drains it
into one transaction, and answers each task only after the commit (promise 1).
"""

import asyncio
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.log_events import LogEvent, log
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.store import StoreUnavailable, Work
from gateway.store.engine import UnsafeStore
from gateway.store.work import BY_THE_TASK, SqlWork

_MOST_IN_A_COMMIT = 200
_READERS = 2
T = TypeVar("T")
_Item = tuple[Callable[[Work], Any], "Future[Any]"]
_Outcome = tuple[Any, Exception | None]


class _Spoiled(Exception):
    """One task brought down the transaction of its batch."""

    def __init__(self, index: int, fault: DBAPIError) -> None:
        super().__init__()
        self.index = index
        self.fault = fault


class SqlStore:
    """Implements gateway.ports.store.Store on one SQLAlchemy engine."""

    def __init__(self, engine: Engine, vault_key: bytes) -> None:
        self._engine = engine
        self._vault_key = vault_key
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._bells: weakref.WeakSet[asyncio.Event] = weakref.WeakSet()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.ready = True
        self._writer = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._writer.start()

    async def write(self, task: Callable[[Work], T]) -> T:
        """See Store.write."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        done: Future[T] = Future()
        self._queue.put((task, done))
        # A caller that goes away must not cut the commit: the writer finishes what it began.
        return await asyncio.shield(asyncio.wrap_future(done))

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
            with self._engine.connect().execution_options(reading=True) as connection:
                return task(SqlWork(connection, self._vault_key))
        except (SQLAlchemyError, UnsafeStore) as fault:
            raise StoreUnavailable(type(fault).__name__) from fault

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < _MOST_IN_A_COMMIT and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    self._queue.put(None)
                    break
                batch.append(item)
            # From here on an item cannot be cancelled: it is answered, once.
            self._commit([item for item in batch if item[1].set_running_or_notify_cancel()])

    def _commit(self, batch: list[_Item]) -> None:
        """Run the batch in one transaction and answer each task after the commit."""
        alone: list[_Item] = []
        while batch:
            try:
                outcomes = self._transaction(batch)
            except _Spoiled as spoiled:
                # Tasks are repeatable and nothing was kept: the others run again without this
                # one, which has its second chance by itself.
                item = batch.pop(spoiled.index)
                if batch:
                    alone.append(item)
                else:
                    self._fail([item], spoiled.fault)
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
        for (_, done), (result, raised) in zip(batch, outcomes, strict=True):
            if raised is None:
                done.set_result(result)
            else:
                done.set_exception(raised)
        self._ring()

    def _fail(self, batch: list[_Item], fault: Exception) -> None:
        self.ready = False
        log(LogEvent.STORE_FAILED, level="error", fault=type(fault).__name__)
        for _, done in batch:
            done.set_exception(StoreUnavailable(type(fault).__name__))

    def _transaction(self, batch: list[_Item]) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        with self._engine.begin() as connection:
            work = SqlWork(connection, self._vault_key)
            for index, (task, _) in enumerate(batch):
                try:
                    with work.savepoint():
                        result = task(work)
                except BY_THE_TASK as fault:
                    outcomes.append((None, fault))
                except DBAPIError as fault:
                    raise _Spoiled(index, fault) from fault
                except Exception as fault:  # noqa: BLE001 - handed to the task's own caller
                    outcomes.append((None, fault))
                else:
                    outcomes.append((result, None))
            reach(Failpoint.STORE_BEFORE_COMMIT)
        reach(Failpoint.STORE_AFTER_COMMIT)
        return outcomes

    def _ring(self) -> None:
        def ring() -> None:
            for bell in list(self._bells):
                bell.set()

        try:
            self._loop.call_soon_threadsafe(ring)
        except RuntimeError:
            # The loop has ended: nobody waits for a bell any more.
            self._bells.clear()
