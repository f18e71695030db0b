"""The broker as a node needs it: started here where it is bundled, and the link to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from gateway.bootstrap.faults import NodeFault
from gateway.bootstrap.files import write_json
from gateway.bus.address import BrokerAddress
from gateway.bus.connection import Connection
from gateway.bus.consumer import Pace
from gateway.bus.jetstream import JetStreamBus
from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.bus.server import BundledServer
from gateway.bus.streams import StreamLimits, StreamState
from gateway.config import NodeConfig
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log

_ACK_WAIT_SECONDS = 10.0  # what a killed node had in hand comes again after this


@contextmanager
def broker_addresses(config: NodeConfig) -> Iterator[tuple[str, ...]]:
    """Give the addresses of the broker, after starting it where it is bundled. Raises NodeFault."""
    settings = config.bus
    bundled = settings.bundled
    if bundled is None:
        yield settings.urls or _urls_from(settings.ports_file)
        return
    users = [
        BrokerUser(
            node.nkey, permissions_of(node.name, [OrgId.parse(org) for org in node.organisations])
        )
        for node in bundled.nodes
    ]
    server = BundledServer(
        bundled.directory, bundled.certificate, bundled.key, users, port=bundled.port or -1
    )
    with server:
        log(LogEvent.BROKER_STARTED, pid=server.pid or 0)
        if settings.ports_file is not None:
            write_json(settings.ports_file, {"url": server.url})
        yield (server.url,)
    log(LogEvent.BROKER_STOPPED)


@asynccontextmanager
async def linked_bus(
    config: NodeConfig, urls: tuple[str, ...], again: asyncio.Event
) -> AsyncIterator[JetStreamBus]:
    """Keep the link to the broker; set `again` when what lacks a receipt has to go out again."""
    settings = config.bus
    address = BrokerAddress(
        urls, config.node.name, settings.ca, settings.nkey_seed.read_text().strip()
    )
    connection = Connection(address, limits=StreamLimits(replicas=settings.replicas))
    bus = JetStreamBus(connection, pace=Pace(ack_wait=_ACK_WAIT_SECONDS))
    before: list[StreamState] = []

    async def connected(state: StreamState) -> None:
        # After a start, or when the broker has lost mail, what lacks a receipt goes out again.
        if not before or state.lost_since(before[-1]):
            again.set()
        before[:] = [state]

    bus.on_connect(connected)
    async with connection:
        yield bus


def _urls_from(ports_file: Path | None) -> tuple[str, ...]:
    """Read the broker's address as the node that bundles it has written it."""
    if ports_file is None or not ports_file.exists():
        raise NodeFault(
            "The broker's address is not known: its ports file does not exist yet. "
            "Start the node with the bundled broker first."
        )
    return (str(json.loads(ports_file.read_text())["url"]),)
