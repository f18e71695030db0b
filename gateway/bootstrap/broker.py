"""The broker as a node needs it: started here where it is bundled, and the link to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from gateway.bootstrap.faults import NodeFault
from gateway.bootstrap.files import write_json
from gateway.bootstrap.followers import Followers
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
from gateway.ports.store import Store, StoreUnavailable, Work

MAIL_STREAM_SEEN = "mail stream seen"
"""Bookmark in which a node notes how it has seen the broker's stream, to notice what it forgets."""

_ACK_WAIT_SECONDS = 10.0  # what a killed node had in hand comes again after this
_NOTE_SECONDS = 10.0


@contextmanager
def broker_addresses(config: NodeConfig, followers: Followers) -> Iterator[tuple[str, ...]]:
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
        bundled.directory,
        bundled.certificate,
        bundled.key,
        [*users, *followers.users()],
        port=bundled.port or -1,
    )
    with server:
        followers.attend(server, users)
        log(LogEvent.BROKER_STARTED, pid=server.pid or 0)
        if settings.ports_file is not None:
            write_json(settings.ports_file, {"url": server.url})
        yield (server.url,)
    log(LogEvent.BROKER_STOPPED)


@asynccontextmanager
async def linked_bus(
    config: NodeConfig, urls: tuple[str, ...], store: Store, again: asyncio.Event
) -> AsyncIterator[JetStreamBus]:
    """Keep the link to the broker; set `again` when what lacks a receipt has to go out again."""
    home = min((OrgId.parse(one.organisation) for one in config.organisations), key=str)
    connection = Connection(
        address_of(config, urls),
        limits=StreamLimits(replicas=config.bus.replicas),
        last_seen=await _last_seen(store, home),
    )
    bus = JetStreamBus(connection, pace=Pace(ack_wait=_ACK_WAIT_SECONDS))
    before: list[StreamState] = []

    async def connected(state: StreamState) -> None:
        # After a start, or when the broker has lost mail, what lacks a receipt goes out again.
        if not before or state.lost_since(before[-1]):
            again.set()
        before[:] = [state]

    bus.on_connect(connected)
    async with connection:
        noting = asyncio.create_task(_note_stream(store, home, connection), name="stream bookmark")
        try:
            yield bus
        finally:
            noting.cancel()
            await asyncio.wait({noting})


def address_of(config: NodeConfig, urls: tuple[str, ...]) -> BrokerAddress:
    """Return the broker's address with all that this node needs to be let in.

    Raises OSError, ValueError: the seed cannot be read, or an address is none.
    """
    settings = config.bus
    seed = settings.nkey_seed.read_text().strip()
    return BrokerAddress(urls, config.node.name, settings.ca, seed, domain=settings.domain or "")


async def _last_seen(store: Store, home: OrgId) -> StreamState | None:
    with suppress(StoreUnavailable):
        seen = await store.read(lambda work: work.bookmarks.get(home, MAIL_STREAM_SEEN))
        if seen:
            created, last_seq = seen.split()
            return StreamState(datetime.fromisoformat(created), int(last_seq))
    return None


async def _note_stream(store: Store, home: OrgId, connection: Connection) -> None:
    """Note how the stream stands whenever that has changed, until cancelled."""
    noted: StreamState | None = None
    while True:
        state = connection.state
        if state is not None and state != noted:
            seen = f"{state.created.isoformat()} {state.last_seq}"

            def note(work: Work, seen: str = seen) -> None:
                work.bookmarks.set(home, MAIL_STREAM_SEEN, seen)

            with suppress(StoreUnavailable):
                await store.write(note)
                noted = state
        await asyncio.sleep(_NOTE_SECONDS)


def _urls_from(ports_file: Path | None) -> tuple[str, ...]:
    """Read the broker's address as the node that bundles it has written it."""
    if ports_file is None or not ports_file.exists():
        raise NodeFault(
            "The broker's address is not known: its ports file does not exist yet. "
            "Start the node with the bundled broker first."
        )
    return (str(json.loads(ports_file.read_text())["url"]),)
