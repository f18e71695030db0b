"""What looks after the files of an SQLite store from before it is opened until it is closed.

Before: a store without its write-ahead log, on a full or read-only disk, or damaged is not opened
at all. Meanwhile: a large one goes on being checked while the node serves. After: the mark of the
open store is taken away.
"""

import asyncio
import sqlite3
from contextlib import closing
from threading import Timer
from types import TracebackType
from typing import Final, Self

from gateway.bootstrap.faults import refuse
from gateway.ports.condition import Code, Finding, Part, good
from gateway.store.checks import damage, file_findings, free_space, looking_engine
from gateway.store.engine import sqlite_file
from gateway.store.open_mark import OpenMark

_CHECKED_BEFORE: Final = 2.0  # seconds; enough for some GB in memory, else it goes on beside


class StoreGuard:
    """Look, then enter it before the store is opened, and leave it after the store is closed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = sqlite_file(url)
        self._mark = OpenMark(self._path) if self._path else None
        self._whole = good(Part.STORE, "it answers")
        self._reading: sqlite3.Connection | None = None
        self._checking: asyncio.Task[Finding] | None = None

    def look(self) -> None:
        """Look at the file from outside. Raises NodeFault when it must not be opened as it is."""
        if self._path is not None:
            for finding in file_findings(self._path):
                refuse(finding)

    async def __aenter__(self) -> Self:
        """Look inside, after `look`. Raises NodeFault for a damaged store."""
        if self._path is None or self._mark is None:
            return self
        self._whole = await asyncio.to_thread(self._check_at_first)
        refuse(self._whole)
        self._mark.begin()
        if self._whole.code is Code.STORE_BEING_CHECKED:
            self._reading = sqlite3.connect(self._path, check_same_thread=False)
            self._checking = asyncio.create_task(asyncio.to_thread(damage, self._reading))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the check, and take the mark away where the store has ended its log."""
        if self._checking is not None and self._reading is not None:
            self._reading.interrupt()
            await asyncio.wait({self._checking})
            self._reading.close()
        if self._mark is not None:
            self._mark.end()

    def findings(self) -> list[Finding]:
        """Say how file and disk are while the node runs. Raises NodeFault for a damaged store."""
        if self._path is None:
            return [self._whole]
        if self._checking is not None and self._reading is not None and self._checking.done():
            self._whole = self._checking.result()
            self._reading.close()
            self._checking = self._reading = None
            refuse(self._whole)
        return [self._whole, free_space(self._path)]

    def moment(self) -> float:
        """Return the moment before a commit, for `committed`."""
        return self._mark.moment() if self._mark else 0.0

    def committed(self, moment: float) -> None:
        """Note that the store has taken a commit that began at that moment."""
        if self._mark:
            self._mark.committed(moment)

    def _check_at_first(self) -> Finding:
        engine = looking_engine(self._url)
        with closing(engine.raw_connection()) as connection:
            driver = connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            timer = Timer(_CHECKED_BEFORE, driver.interrupt)
            timer.start()
            try:
                return damage(driver)
            finally:
                timer.cancel()
                timer.join()
