"""A TCP proxy that is a bad line: slow, trickling, one-way, cut in the midst of a frame.

It stands between a client and a server on loopback and works on a thread of its own. What is
carried is TLS, so nothing can be altered or doubled unnoticed: a line can only be late or end.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

_CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: close sends RST
_PATIENCE = 10.0
T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """How a connection behaves; the default one is good. Changes hold from the next chunk on.

    Attributes:
        latency: seconds before each chunk is passed on.
        rate: most bytes a second in each direction; 0 is no limit.
        cut_after: bytes from client to server after which the connection is reset; None is never.
        deaf: what the server says is read and dropped (the client hears nothing).
        mute: what the client says is read and dropped (the server hears nothing).
        half_open: a connection is accepted and then neither read nor closed.
        refuse: nobody listens: a new connection is reset, and so are those that stand.
    """

    latency: float = 0.0
    rate: int = 0
    cut_after: int | None = None
    deaf: bool = False
    mute: bool = False
    half_open: bool = False
    refuse: bool = False


GOOD = Line()


class Proxy:
    """One bad line to `target`. Enter it to start; `seen` counts what really happened.

    `seen` has `connections`, `bytes`, `delayed` (chunks), `dropped` (bytes), `resets`, `held`
    (half-open connections) and `refused`.
    """

    def __init__(self, target: tuple[str, int], line: Line = GOOD) -> None:
        self.line = line
        self.seen: Counter[str] = Counter()
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start to listen on a free port."""
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every connection and stop."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def become(self, line: Line) -> None:
        """Change the line under the connections that stand; a line that refuses resets them."""
        self._run(self._become(line))

    def point_to(self, target: tuple[str, int]) -> None:
        """Lead new connections to another server, for one that came back on another port."""
        self._target = target

    def cut(self) -> int:
        """Reset every connection now and return how many there were."""
        return self._run(self._cut())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _become(self, line: Line) -> None:
        self.line = line
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()  # half-open connections are read on, or dropped
        if line.refuse:
            await self._cut()

    async def _cut(self) -> int:
        standing = list(self._connections)
        for connection in standing:
            connection.cancel()
        if standing:
            await asyncio.wait(standing)
        self.seen["resets"] += len(standing)
        return len(standing)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._connect(near, back)
        except (OSError, asyncio.CancelledError):
            _reset(back)
        finally:
            self._connections.discard(task)

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.seen["connections"] += 1
        if self.line.refuse:
            self.seen["refused"] += 1
            _reset(back)
            return
        while self.line.half_open:
            self.seen["held"] += 1
            await self._changed.wait()
        far, forth = await asyncio.open_connection(*self._target)
        ways = [
            asyncio.create_task(self._carry(near, forth, upward=True)),
            asyncio.create_task(self._carry(far, back, upward=False)),
        ]
        try:
            # Either end may close its half; the other way then ends by itself.
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            _reset(forth)
            _reset(back)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, upward: bool
    ) -> None:
        carried = 0
        while data := await source.read(self.line.rate or _CHUNK):
            line = self.line
            if line.mute if upward else line.deaf:
                self.seen["dropped"] += len(data)
                continue
            if pause := line.latency + (len(data) / line.rate if line.rate else 0.0):
                self.seen["delayed"] += 1
                await asyncio.sleep(pause)
            if upward and line.cut_after is not None and carried + len(data) > line.cut_after:
                sink.write(data[: max(line.cut_after - carried, 0)])
                self.seen["resets"] += 1
                raise ConnectionResetError
            carried += len(data)
            self.seen["bytes"] += len(data)
            sink.write(data)
            await sink.drain()
        with suppress(OSError):
            sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a line does that was cut."""
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() != -1:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
