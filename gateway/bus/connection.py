"""The link to the broker: made, watched, and made anew when it is lost.

Each link is one nats-py client that never reconnects by itself; a lost one is thrown away together
with whatever it had buffered. So nothing that failed is sent later behind the caller's back, no
subscription outlives the stream it was made for, and no acknowledgement reaches a broker that has
numbered other mail anew.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from itertools import cycle
from types import TracebackType
from typing import Self

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from gateway.bus.address import BrokerAddress
from gateway.bus.broker_check import UnsafeBroker, ask_servers, judge, judge_link
from gateway.bus.link import dial, drop, heed_cancellation, keep_log_quiet
from gateway.bus.news import OnState, to_log
from gateway.bus.streams import (
    MAIL_STREAM,
    StreamLimits,
    StreamState,
    ensure_streams,
    state_of,
    stream_info,
)
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable
from gateway.ports.condition import Finding

_WATCH = 1.0  # seconds; nats-py has paths on which it closes and tells nobody


OnConnect = Callable[[StreamState], Awaitable[None]]


class Connection:
    """Keeps one link to the broker. Enter it to start, leave it to stop."""

    def __init__(
        self,
        address: BrokerAddress,
        on_state: OnState = to_log,
        limits: StreamLimits | None = None,
        last_seen: StreamState | None = None,
    ) -> None:
        """Prepare the link. `last_seen` is the stream as an earlier run of this node knew it."""
        self._address = address
        self._urls = cycle(address.urls)
        self._on_state = on_state
        self._limits = limits or StreamLimits()
        self._tls = ssl.create_default_context(cafile=str(address.ca_file))
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._waiting: set[asyncio.Timeout] = set()
        self._on_connect: list[OnConnect] = []
        self._state = last_seen
        self._keeper: asyncio.Task[None] | None = None
        self._trouble: dict[str, dict[str, str | int]] = {}
        self._tried = asyncio.Event()
        self._unsafe: Finding | None = None

    @property
    def ready(self) -> bool:
        """Whether the link stands and the stream behind it is safe."""
        return self._client is not None and self._client.is_connected

    @property
    def unsafe(self) -> Finding | None:
        """Why the broker is not used though it is there. Holds until a link stands again."""
        return self._unsafe

    @property
    def state(self) -> StreamState | None:
        """The mail stream as it was last seen."""
        return self._state

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
        keep_log_quiet()
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

    async def tried(self) -> None:
        """Wait until the link stands, the broker was refused, or every server was tried."""
        await self._tried.wait()

    async def connected(self) -> Client:
        """Wait until the link stands, for as long as that takes."""
        while (client := self._client) is None or not client.is_connected:
            if client is not None:
                # nats-py closed it and told nobody. Whoever asks must wait here, not ask again and
                # again: that would leave the watch no turn to find out.
                await self._note_loss()
            await self._up.wait()
        return client

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

    def jetstream(self, client: Client) -> JetStreamContext:
        """Return what speaks with JetStream over a client that `exchange` lent."""
        address = self._address
        return client.jetstream(domain=address.domain or None, timeout=address.answer)

    def note_sequence(self, sequence: int) -> None:
        """Remember the highest sequence the stream had, so that its going back is noticed."""
        if self._state is not None and sequence > self._state.last_seq:
            self._state = replace(self._state, last_seq=sequence)

    async def stream_state(self) -> StreamState:
        """Ask for the mail stream's state. Raises BusUnavailable."""
        async with self.exchange() as client:
            return state_of(await stream_info(self.jetstream(client), MAIL_STREAM))

    async def _keep(self) -> None:
        """Dial, announce, watch; for ever."""
        untried = len(self._address.urls)
        while True:
            heed_cancellation()
            async with AsyncExitStack() as stack:
                client = await self._dial(stack)
                heed_cancellation()  # before the client is lent: nobody would end this task again
                untried -= 1
                if client or self._unsafe or untried <= 0:
                    self._tried.set()
                if client is not None:
                    try:
                        await self._announce()
                        await self._watch(client)
                        self._on_state(LogEvent.BUS_DISCONNECTED)
                    finally:
                        self._forget()
            await asyncio.sleep(self._address.again if self._unsafe else self._address.pause)

    async def _dial(self, stack: AsyncExitStack) -> Client | None:
        """Try the next server of the cluster, one at a time: a sick one costs one attempt."""
        address, url = self._address, next(self._urls)
        client = Client()
        self._lost = asyncio.Event()
        stack.push_async_callback(drop, client)
        try:
            async with asyncio.timeout(address.tries):
                await dial(client, address, url, self._tls, self._note_error, self._note_loss)
                state = await self._inspect(client)
        except UnsafeBroker as error:
            self._refuse(error.finding)
            return None
        except (nats.errors.Error, OSError, ValueError) as error:
            self._report(url, what="connect", kind=type(error).__name__)
            return None
        if self._state is not None and state.lost_since(self._state):
            self._on_state(LogEvent.BUS_REGRESSED, last_seq=state.last_seq)
        self._state, self._client, self._trouble, self._unsafe = state, client, {}, None
        self._up.set()
        self._on_state(LogEvent.BUS_CONNECTED, last_seq=state.last_seq)
        return client

    async def _inspect(self, client: Client) -> StreamState:
        """See that all that mail rests on is safe, and where the stream stands.

        The stream comes first: a broker that is away for its leaf is away, not silent.

        Raises:
            UnsafeBroker: it must not be used.
            nats.errors.Error, OSError, ValueError: it does not answer as it should.
        """
        judge_link(client)
        state = await ensure_streams(self.jetstream(client), self._limits)
        judge(await ask_servers(client))
        return state

    async def _announce(self) -> None:
        for call in self._on_connect:
            with suppress(BusUnavailable):
                assert self._state is not None
                await call(self._state)

    async def _watch(self, client: Client) -> None:
        """Return when the link is lost, or is to be made anew: dialling says why, and tells all.

        A cluster may lose mail, and a server of it may come back with other settings, while the
        link to another one stands.
        """
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self._address.again
        while self.ready:
            heed_cancellation()
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(min(_WATCH, self._address.again)):
                    await self._lost.wait()
            if loop.time() >= look_at:
                if not await self._as_before(client):
                    return
                look_at = loop.time() + self._address.again

    async def _as_before(self, client: Client) -> bool:
        """Whether the broker is still there, safe, and has forgotten nothing."""
        before = self._state  # what is published meanwhile does not count
        try:
            async with asyncio.timeout(self._address.tries):
                state = await self._inspect(client)
        except (UnsafeBroker, nats.errors.Error, OSError, ValueError):
            return False
        return before is None or not state.lost_since(before)

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

    def _refuse(self, finding: Finding) -> None:
        """Record once that the broker must not be used."""
        if finding != self._unsafe:
            self._unsafe = finding
            self._on_state(LogEvent.BROKER_UNSAFE, code=finding.code, **finding.facts)

    def _report(self, url: str, **codes: str | int) -> None:
        """Record a server's trouble once, not at every attempt."""
        if codes != self._trouble.get(url):
            self._trouble[url] = codes
            self._on_state(LogEvent.BUS_ERROR, **codes)
