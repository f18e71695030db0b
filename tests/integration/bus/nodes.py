"""Nodes of a test: their broker, their buses, and a handler that remembers."""

import asyncio
import os
import signal
import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

import nats
from nats.aio.client import Client

from gateway.bus.address import BrokerAddress
from gateway.bus.connection import Connection
from gateway.bus.consumer import Pace
from gateway.bus.jetstream import JetStreamBus
from gateway.bus.permissions import inbox_prefix
from gateway.bus.server import BundledServer
from gateway.bus.streams import StreamLimits
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent
from gateway.ports.bus import Disposition
from tests.integration.bus.certificates import Certificates

WUHUA = OrgId.parse("530102/edu")
ZHENXIONG = OrgId.parse("530627/edu")
POLICE = OrgId.parse("53/psb")
HOMES = {"wuhua": (WUHUA,), "zhenxiong": (ZHENXIONG,), "police": (POLICE,)}
PATIENCE = 40  # seconds before a test gives up; nothing is expected to take long
QUICK = Pace(fetch=0.5, ack_wait=1.5, again_first=0.05, again_most=0.2, trouble=0.05)


class StoreAway(Exception):
    """What a handler raises in these tests when its store is away."""


class Reachable(Protocol):
    """A broker, or a cluster of them, that nodes can connect to."""

    def address(self, node: str) -> BrokerAddress:
        """Where and as whom a node connects."""
        ...


@dataclass
class Broker:
    """The running broker and what its users need."""

    server: BundledServer
    certificates: Certificates
    seeds: dict[str, str]

    def address(self, node: str) -> BrokerAddress:
        """Where and as whom a node connects, with short patience."""
        return BrokerAddress(
            urls=(self.server.url,),
            node=node,
            ca_file=self.certificates.ca,
            seed=self.seeds[node],
            tries=2.0,
            pause=0.05,
            answer=5.0,
        )

    def kill(self) -> None:
        """Kill the broker as a power cut would, and see that it is gone."""
        pid = self.server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.server.stop()
        assert self.server.pid is None


@dataclass
class Node:
    """One node's bus and the events that its connection recorded."""

    bus: JetStreamBus
    connection: Connection
    events: list[tuple[LogEvent, dict[str, str | int]]]
    news: asyncio.Event

    async def until_ready(self) -> None:
        """Wait until the connection stands."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.connected()

    def codes_of(self, event: LogEvent, **wanted: str) -> list[dict[str, str | int]]:
        """The codes of each recorded event of this kind that has the wanted codes."""
        return [
            codes
            for found, codes in self.events
            if found is event and wanted.items() <= codes.items()
        ]

    async def until_event(
        self, event: LogEvent, times: int = 1, **wanted: str
    ) -> dict[str, str | int]:
        """Wait until such an event was recorded so often; return its last codes."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.codes_of(event, **wanted)) < times:
                self.news.clear()
                await self.news.wait()
        return found[-1]


class Nodes:
    """Connects nodes and disconnects them at the end of a test."""

    def __init__(self, broker: Reachable, stack: AsyncExitStack) -> None:
        self.broker = broker
        self._stack = stack

    async def join(self, name: str, pace: Pace = QUICK, limits: StreamLimits | None = None) -> Node:
        """Connect a node and wait until it is ready."""
        node = await self.dial(self.broker.address(name), pace, limits)
        await node.until_ready()
        return node

    async def dial(
        self, address: BrokerAddress, pace: Pace = QUICK, limits: StreamLimits | None = None
    ) -> Node:
        """Start to connect a node."""
        events: list[tuple[LogEvent, dict[str, str | int]]] = []
        news = asyncio.Event()

        def record(event: LogEvent, /, **codes: str | int) -> None:
            events.append((event, codes))
            news.set()

        connection = Connection(address, record, limits)
        await self._stack.enter_async_context(connection)
        return Node(JetStreamBus(connection, (StoreAway,), pace), connection, events, news)

    async def raw(self, name: str) -> tuple[Client, list[str]]:
        """A client under a node's key that keeps to no rule, and the errors it is told."""
        told: list[str] = []

        async def note(error: Exception) -> None:
            told.append(str(error))

        address = self.broker.address(name)
        client = await nats.connect(
            list(address.urls),
            tls=ssl.create_default_context(cafile=str(address.ca_file)),
            nkeys_seed_str=address.seed,
            inbox_prefix=inbox_prefix(name),
            allow_reconnect=False,
            error_cb=note,
        )
        self._stack.push_async_callback(client.close)
        return client, told


@dataclass
class Collector:
    """A handler that keeps what it is given and says DONE, unless told otherwise."""

    seen: list[bytes] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    answer: Callable[[bytes], Disposition] = lambda _: Disposition.DONE
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, items: Sequence[bytes]) -> list[Disposition]:
        """Take a batch."""
        self.seen += items
        self.batches.append(len(items))
        self._news.set()
        return [self.answer(item) for item in items]

    async def until(self, reached: Callable[[list[bytes]], bool]) -> None:
        """Wait until what was seen fulfils a condition."""
        async with asyncio.timeout(PATIENCE):
            while not reached(self.seen):
                self._news.clear()
                await self._news.wait()
