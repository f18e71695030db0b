"""The start counter of a running node: compared and raised at its start, then raised every minute.

In the store it is raised first, then beside it. So what dies between the two is no older store.
"""

import asyncio
from typing import Final

from gateway.bootstrap.faults import NodeFault
from gateway.log_events import LogEvent, log
from gateway.ports.store import Store, StoreUnavailable
from gateway.service.count_start import count_start, raise_count
from gateway.service.desk import Tools
from gateway.store.faults import UnsafeStore
from gateway.store.start_counter import StartCounter

_PAUSE_SECONDS: Final = 60.0


class Starts:
    """Keeps the counter in the store and that beside it."""

    def __init__(self, store: Store, counter: StartCounter | None) -> None:
        self._store = store
        self._counter = counter

    async def begin(self, tools: Tools) -> None:
        """Count this start; where the store is an old copy, recovery begins with it.

        Raises UnsafeStore for a counter that cannot be read, OSError for one that cannot be
        written, NodeFault when the store does not answer.
        """
        beside = self._counter.read() if self._counter else None
        if self._counter is None:
            log(LogEvent.STORE_UNGUARDED, level="warning")
        guarded = self._counter is not None
        try:
            count = await self._store.write(
                lambda work: count_start(work, tools, beside, guarded=guarded)
            )
        except StoreUnavailable as fault:
            raise NodeFault("The store does not answer. Run: gateway doctor") from fault
        await self._write(count)

    async def run(self) -> None:
        """Raise it until cancelled; a copy of the store is an old one a minute after it was made."""
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                await self._write(await self._store.write(raise_count))
            except (StoreUnavailable, UnsafeStore, OSError) as fault:
                log(LogEvent.STORE_FAILED, level="warning", fault=type(fault).__name__)

    async def _write(self, count: int) -> None:
        if self._counter is not None:
            await asyncio.to_thread(self._counter.write, count)
