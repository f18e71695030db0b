"""The link to the broker: made, watched, and made anew when it is lost.

Each link is one nats-py client that never reconnects by itself; a lost one is thrown away together
with whatever it had buffered. So nothing that failed is sent later behind the caller's back, no
subscription outlives the stream it was made for, and no acknowledgement reaches a broker that has
numbered other mail anew.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

import nats.errors
from nats.aio.client import Client

from gateway.bus.address import BrokerAddress
from gateway.bus.permissions import inbox_prefix
from gateway.bus.streams import (
    MAIL_STREAM,
    StreamLimits,
    StreamState,
    UnsafeStream,
    ensure_streams,
    state_of,
)
from gateway.log_events import LogEvent, log
from gateway.ports.bus import BusUnavailable

_WATCH = 1.0  # seconds; nats-py has paths on which it closes and tells nobody


class _EofNotice(logging.Filter):
    """Drops the line that asyncio logs at the end of each link that began TLS half way.

    The client library starts TLS on an open stream; closing it is then harmless and noisy.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every other line."""
        return "eof_received() has no effect when using ssl" not in record.getMessage()


_EOF_NOTICE = _EofNotice()


def heed_cancellation(known: int = 0) -> None:
    """Raise the cancellation that the client library swallowed, if the task was asked to stop.

    `known` is how often it had been asked when the exchange began.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() > known:
        raise asyncio.CancelledError


class OnState(Protocol):
    """Takes note of what happens on the bus: an event of the closed list and codes."""

    def __call__(self, event: LogEvent, /, **codes: str | int) -> None:
        """Record one event."""
        ...


def to_log(event: LogEvent, /, **codes: str | int) -> None:
    """Record an event of the bus in the node's log; whatever is not routine as a warning."""
    log(event, level="info" if event is LogEvent.BUS_CONNECTED else "warning", **codes)


OnConnect = Callable[[StreamState], Awaitable[None]]


class Connection:
    """Keeps one link to the broker. Enter it to start, leave it to stop."""

    def __init__(
        self,
        address: BrokerAddress,
        on_state: OnState = to_log,
        limits: StreamLimits | None = None,
    ) -> None:
        self._address = address
        self._on_state = on_state
        self._limits = limits or StreamLimits()
        self._tls = ssl.create_default_context(cafile=str(address.ca_file))
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._waiting: set[asyncio.Timeout] = set()
        self._on_connect: list[OnConnect] = []
        self._state: StreamState | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._trouble: dict[str, str | int] = {}

    @property
    def ready(self) -> bool:
        """Whether the link stands and the stream behind it is safe."""
        return self._client is not None and self._client.is_connected

    @property
    def on_state(self) -> OnState:
        """Where events of the bus are recorded."""
        return self._on_state

    def on_connect(self, call: OnConnect) -> None:
        """Have `call` awaited each time the link stands again, with the stream's state.

        What was published before may be gone with the broker's disk, so the caller sends again
        whatever has no receipt. It should only wake somebody: the link is not watched meanwhile.
        A BusUnavailable that it raises is dropped, because the next link calls again.
        """
        self._on_connect.append(call)

    async def __aenter__(self) -> Self:
        """Start to keep the link; return at once, whether or not the broker is there."""
        logging.getLogger("asyncio").addFilter(_EOF_NOTICE)  # the same one: added once
        self._keeper = asyncio.create_task(self._keep(), name="bus connection")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up the link."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def connected(self) -> Client:
        """Wait until the link stands, for as long as that takes."""
        while self._client is None:
            await self._up.wait()
        return self._client

    @asynccontextmanager
    async def exchange(self, seconds: float | None = None) -> AsyncIterator[Client]:
        """Lend the client for one exchange with the broker.

        Everything that goes wrong inside becomes BusUnavailable, at the latest after `seconds`
        (default: the address's `answer`), at once when the link is lost meanwhile.
        """
        client = self._client
        if client is None or not client.is_connected:
            raise BusUnavailable("There is no link to the broker.")
        task = asyncio.current_task()
        asked_to_stop = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(seconds or self._address.answer) as limit:
                self._waiting.add(limit)
                try:
                    yield client
                finally:
                    self._waiting.discard(limit)
        except (nats.errors.Error, OSError, ValueError) as error:
            # nats-py reports a cancellation as a closed connection when both happen at once.
            if task and task.cancelling() > asked_to_stop:
                raise asyncio.CancelledError from error
            raise BusUnavailable(f"The broker did not confirm: {type(error).__name__}.") from error
        # It loses one altogether when the answer comes at that moment (wait_for before 3.12).
        heed_cancellation(asked_to_stop)

    def note_sequence(self, sequence: int) -> None:
        """Remember the highest sequence the stream had, so that its going back is noticed."""
        if self._state is not None and sequence > self._state.last_seq:
            self._state = replace(self._state, last_seq=sequence)

    async def stream_state(self) -> StreamState:
        """Ask for the mail stream's state. Raises BusUnavailable."""
        async with self.exchange() as client:
            return state_of(await client.jetstream().stream_info(MAIL_STREAM))

    async def _keep(self) -> None:
        """Dial, announce, watch; for ever."""
        while True:
            heed_cancellation()
            async with AsyncExitStack() as stack:
                if await self._dial(stack):
                    try:
                        await self._announce()
                        await self._watch()
                        self._on_state(LogEvent.BUS_DISCONNECTED)
                    finally:
                        self._forget()
            await asyncio.sleep(self._address.pause)

    async def _dial(self, stack: AsyncExitStack) -> bool:
        address = self._address
        client = Client()
        self._lost = asyncio.Event()
        stack.push_async_callback(self._drop, client)
        try:
            async with asyncio.timeout(address.tries):
                await client.connect(
                    servers=list(address.urls),
                    name=address.node,
                    tls=self._tls,
                    nkeys_seed_str=address.seed,
                    inbox_prefix=inbox_prefix(address.node),
                    allow_reconnect=False,
                    max_reconnect_attempts=-1,  # within `tries`, an absent server is tried again
                    reconnect_time_wait=address.pause,  # type: ignore[arg-type]  # any seconds do
                    pending_size=-1,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=self._note_error,
                    disconnected_cb=self._note_loss,
                )
                js = client.jetstream(timeout=address.answer)
                state = await ensure_streams(js, self._limits)
        except UnsafeStream as error:
            self._report(what="unsafe_stream", fields="+".join(error.fields))
            return False
        except (nats.errors.Error, OSError, ValueError) as error:
            self._report(what="connect", kind=type(error).__name__)
            return False
        if self._state is not None and state.lost_since(self._state):
            self._on_state(LogEvent.BUS_REGRESSED, last_seq=state.last_seq)
        self._state, self._client, self._trouble = state, client, {}
        self._up.set()
        self._on_state(LogEvent.BUS_CONNECTED, last_seq=state.last_seq)
        return True

    async def _announce(self) -> None:
        for call in self._on_connect:
            with suppress(BusUnavailable):
                assert self._state is not None
                await call(self._state)

    async def _watch(self) -> None:
        while self.ready:
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(_WATCH):
                    await self._lost.wait()

    async def _drop(self, client: Client) -> None:
        # When the last write of a dying link fails, nats-py neither closes its socket nor hears
        # the error of its reading task; both have only private names.
        reading, socket = client._reading_task, client._transport  # noqa: SLF001
        with suppress(nats.errors.Error, OSError):
            await client.close()
        if socket:
            socket.close()  # type: ignore[no-untyped-call]
        if reading is not None:
            await asyncio.wait({reading}, timeout=_WATCH)
            if reading.done() and not reading.cancelled():
                reading.exception()  # heard: asyncio would log it whenever memory is cleared

    def _forget(self) -> None:
        """End at once whatever waits for an answer that cannot come."""
        self._client = None
        self._up.clear()
        now = asyncio.get_running_loop().time()
        for limit in self._waiting:
            if not limit.expired():
                limit.reschedule(now)

    async def _note_loss(self) -> None:
        self._lost.set()
        self._forget()

    async def _note_error(self, error: Exception) -> None:
        # A refused permission arrives only here; what it quotes is a subject, so codes.
        text = str(error)
        if "permissions violation" in text.lower():
            subject = text.partition('"')[2].rstrip('"').replace("$", "")
            self._on_state(LogEvent.BUS_ERROR, what="refused", subject=subject)

    def _report(self, **codes: str | int) -> None:
        """Record a trouble once, not at every attempt."""
        if codes != self._trouble:
            self._trouble = codes
            self._on_state(LogEvent.BUS_ERROR, **codes)
