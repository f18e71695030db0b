"""The lease in SQL: one row, the database's own clock, and a holder that lets go in time.

The holder renews each second what lasts for five. One that was killed is followed within six
seconds, one that ends in order within one. A holder that cannot renew, because the database or
the process itself stood still, ends its duties when the lease has run out by its own clock, which
began to count before the database's did.
"""

import asyncio
import os
import secrets
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Engine, String, Table, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.log_events import LogEvent, log
from gateway.ports.leases import AlwaysHeld, Duties, Lease
from gateway.store.faults import UnsafeStore
from gateway.store.tables import metadata

_SECONDS: Final = 5.0
_RENEWED: Final = 1.0  # seconds from one renewal, or one try, to the next
_NAME: Final = "duties"

leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(120), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
"""`fence` counts the holders; `expires_at` is by the database's clock."""

_TAKE: Final = text(
    "INSERT INTO leases AS held (name, holder, fence, expires_at)"
    " VALUES (:name, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))"
    " ON CONFLICT (name) DO UPDATE SET holder = :holder, expires_at = excluded.expires_at,"
    " fence = held.fence + CASE WHEN held.holder = :holder THEN 0 ELSE 1 END"
    " WHERE held.holder = :holder OR held.expires_at < clock_timestamp()"
    " RETURNING fence"
)
_GIVE_BACK: Final = text(
    "UPDATE leases SET expires_at = '-infinity' WHERE name = :name AND holder = :holder"
)


def lease_on(engine: Engine) -> Lease:
    """Return the lease of a store: SQLite has one process anyway."""
    return AlwaysHeld() if engine.dialect.name == "sqlite" else SqlLease(engine)


class SqlLease:
    """Implements gateway.ports.leases.Lease on PostgreSQL, for one process."""

    def __init__(self, engine: Engine, seconds: float = _SECONDS) -> None:
        # Beside the writers' lock: under load it would have to wait for it.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._seconds = seconds
        self._holder = f"{socket.gethostname()[:60]}/{os.getpid()}/{secrets.token_hex(8)}"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lease")
        self._asking: tuple[float, asyncio.Future[bool | None]] | None = None

    async def keep(self, duties: Duties) -> None:
        """See Lease.keep."""
        try:
            while True:
                held, until = await self._ask(_RENEWED)
                if held and await self._do(duties, until):
                    return
                await asyncio.sleep(_RENEWED)
        finally:
            self._thread.shutdown(wait=False)

    async def _do(self, duties: Duties, until: float) -> bool:
        """Do the duties until the lease is lost; return whether they came to an end before."""
        log(LogEvent.LEASE_TAKEN, holder=self._holder)
        doing = asyncio.ensure_future(duties())
        try:
            while not doing.done() and (left := until - time.monotonic()) > 0:
                await asyncio.wait({doing}, timeout=min(_RENEWED, left))
                held, longer = await self._ask(until - time.monotonic())
                if held is False:
                    break
                until = longer if held else until
        finally:
            doing.cancel()
            while not doing.done():  # what is under way at an agency ends in its own time
                await asyncio.wait({doing}, timeout=_RENEWED)
                await self._ask(_RENEWED)
            giving = asyncio.get_running_loop().run_in_executor(self._thread, self._give_back)
            await asyncio.wait({giving}, timeout=_RENEWED)
            log(LogEvent.LEASE_LOST, holder=self._holder)
        if doing.cancelled():
            return False
        doing.result()
        return True

    async def _ask(self, patience: float) -> tuple[bool | None, float]:
        """Take or renew: whether it is held (None: no answer in time), and until when it would be.

        An answer that was late is taken when next asked for.
        """
        if self._asking is None:
            answer = asyncio.get_running_loop().run_in_executor(self._thread, self._take)
            self._asking = time.monotonic() + self._seconds, answer
        until, answer = self._asking
        await asyncio.wait({answer}, timeout=max(patience, 0.0))
        if not answer.done():
            return None, until
        self._asking = None
        return answer.result(), until

    def _take(self) -> bool | None:
        given = {"name": _NAME, "holder": self._holder, "seconds": self._seconds}
        try:
            with self._engine.connect() as connection:
                return connection.execute(_TAKE, given).first() is not None
        except (SQLAlchemyError, UnsafeStore):
            return None

    def _give_back(self) -> None:
        with suppress(SQLAlchemyError, UnsafeStore), self._engine.connect() as connection:
            connection.execute(_GIVE_BACK, {"name": _NAME, "holder": self._holder})
