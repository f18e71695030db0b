"""A link to PostgreSQL that breaks in the very act of committing, before or after it took effect."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from threading import Thread
from typing import Any, Self

_CHUNK = 65536


class Cut(Enum):
    """When the link breaks."""

    NEVER = "never"
    BEFORE = "the server never hears COMMIT"
    AFTER = "the server has committed, the client never hears of it"


class Cutter:
    """Stands between clients and the server's socket; enter it to start.

    `cut` is when the next commit breaks its link, `cuts` how many did. With `deaf` set after a
    cut, nobody gets through any more.
    """

    def __init__(self, server: Path) -> None:
        self.cut = Cut.NEVER
        self.cuts = 0
        self.deaf = False
        self.port = 0
        self._socket = str(server / ".s.PGSQL.5432")
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="cutter", daemon=True)
        self._links: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        """Break what is left and stop."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def url(self, database: str) -> str:
        """Return the URL that leads to a database through this link."""
        return f"postgresql+psycopg://gateway@127.0.0.1:{self.port}/{database}"

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for link in self._links:
            link.cancel()
        if self._links:
            await asyncio.wait(self._links)

    async def _accept(self, near: StreamReader, back: StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        with suppress(OSError, asyncio.CancelledError):
            if not self.deaf or not self.cuts:
                await self._join(near, back)
        back.transport.abort()
        self._links.discard(link)

    async def _join(self, near: StreamReader, back: StreamWriter) -> None:
        far, forth = await asyncio.open_unix_connection(self._socket)
        committing = asyncio.Event()
        ways = {
            asyncio.create_task(_carry(near, forth, lambda data: self._stop_up(data, committing))),
            asyncio.create_task(_carry(far, back, lambda _data: self._stop_down(committing))),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            forth.transport.abort()

    def _stop_up(self, data: bytes, committing: asyncio.Event) -> bool:
        if b"COMMIT\0" not in data or self.cut is Cut.NEVER:
            return False
        if self.cut is Cut.AFTER:
            committing.set()
            return False
        self._note()
        return True

    def _stop_down(self, committing: asyncio.Event) -> bool:
        if not committing.is_set():
            return False
        self._note()
        return True

    def _note(self) -> None:
        self.cut = Cut.NEVER
        self.cuts += 1


async def _carry(source: StreamReader, sink: StreamWriter, stop: Callable[[bytes], bool]) -> None:
    """Carry until either end closes, or `stop` says that this chunk is not to arrive."""
    with suppress(OSError):
        while (data := await source.read(_CHUNK)) and not stop(data):
            sink.write(data)
            await sink.drain()
