"""The one place that names every room: from a configuration to a running node."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path

from gateway.adapter_api import API_VERSION, Adapter
from gateway.bus.address import BrokerAddress
from gateway.bus.connection import Connection
from gateway.bus.consumer import Pace
from gateway.bus.jetstream import JetStreamBus
from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.bus.server import BundledServer
from gateway.bus.streams import StreamLimits, StreamState
from gateway.config import NodeConfig
from gateway.crypto.clock import SystemClock
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.faults import DirectoryFault
from gateway.crypto.ids import SystemIds
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.verifier import DirectoryVerifier
from gateway.data.calendars import load_working_calendar
from gateway.data.divisions import load_divisions
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.domain.school_days import AbsenceRule
from gateway.log_events import LogEvent, log
from gateway.ports.clock import Clock
from gateway.ports.store import StoreUnavailable
from gateway.service.adapter_host import AdapterHost
from gateway.service.desk import Tools
from gateway.service.mail_room import MailRoom
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate, require_current, status
from gateway.store.vault_key import read_vault_key
from gateway.store.writer import SqlStore
from gateway.transport.pipeline import Pipeline
from gateway.transport.server import GatewayServer, TlsFiles

_WATCH_SECONDS = 1.0
_ACK_WAIT_SECONDS = 10.0  # what a killed node had in hand comes again after this


class NodeFault(Exception):
    """The node cannot start; the text says what is wrong and what to do."""


class Node:
    """One gateway process: `gateway serve`."""

    def __init__(self, config: NodeConfig, clock: Clock | None = None) -> None:
        """Take the configuration. `clock` is for tests that move time."""
        self._config = config
        self._clock = clock or SystemClock()
        self.address = ""

    async def run(self, stop: asyncio.Event, started: Callable[[str], None]) -> None:
        """Serve until `stop` is set, then drain. `started` gets the address once it listens.

        Raises NodeFault, MaterialFault, UnsafeStore or StoreOutdated when the node cannot start.
        """
        config = self._config
        log(LogEvent.NODE_STARTING, node=config.node.name)
        async with AsyncExitStack() as stack:
            tools = self._tools()
            store = await stack.enter_async_context(self._store())
            urls = stack.enter_context(self._broker())
            again = asyncio.Event()
            bus = await stack.enter_async_context(self._bus(urls, again))
            mail_room = MailRoom(store, bus, tools)
            pipeline = Pipeline(store, tools)
            server = self._server(pipeline)
            await server.start()
            self.address = server.address
            tasks = [
                asyncio.create_task(mail_room.run(), name="mail room"),
                asyncio.create_task(_resend(again, mail_room), name="resend"),
                asyncio.create_task(self._watch(tools, store, bus, server), name="watch"),
                *(
                    asyncio.create_task(host.run(), name="adapter")
                    for host in self._hosts(store, tools)
                ),
            ]
            self._announce(started)
            log(LogEvent.NODE_READY, node=config.node.name, address=self.address)
            await _until(stop, tasks)
            log(LogEvent.NODE_DRAINING, node=config.node.name)
            await server.stop(config.node.drain_seconds)
            await _end(tasks)
        log(LogEvent.NODE_STOPPED, node=config.node.name)

    def _tools(self) -> Tools:
        config = self._config
        directory = SignedDirectory(config.directory.file, config.directory.authority.read_bytes())
        homes = {OrgId.parse(home.organisation): home for home in config.organisations}
        for org in homes:
            entry = directory.organisation(org)
            if entry is None or entry.node not in {"", config.node.name}:
                raise NodeFault(
                    f"{org} is configured here, but the directory has it at "
                    f"{entry.node if entry else 'no node'}. Correct one of the two."
                )
        keyring = Keyring.load({org: (*home.sign, *home.seal) for org, home in homes.items()})
        policy = config.policy
        return Tools(
            clock=self._clock,
            ids=SystemIds(),
            directory=directory,
            signer=DirectorySigner(keyring, directory, self._clock),
            verifier=DirectoryVerifier(directory),
            sealer=KeyringSealer(keyring),
            divisions=load_divisions(),
            working_days=load_working_calendar(),
            home=frozenset(homes),
            absence_rule=AbsenceRule(policy.absence_threshold, policy.absence_cumulative_days),
        )

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[SqlStore]:
        engine = open_engine(self._config.store.url)
        if status(engine).current is None:
            migrate(engine)  # an empty database; one with data is migrated by hand
        require_current(engine)
        store = SqlStore(engine, read_vault_key(self._config.store.vault_key))
        try:
            yield store
        finally:
            await store.close()

    @contextlib.contextmanager
    def _broker(self) -> Iterator[tuple[str, ...]]:
        """Give the addresses of the broker, after starting it where it is bundled."""
        settings = self._config.bus
        bundled = settings.bundled
        if bundled is None:
            yield settings.urls or _urls_from(settings.ports_file)
            return
        users = [
            BrokerUser(
                node.nkey,
                permissions_of(node.name, [OrgId.parse(org) for org in node.organisations]),
            )
            for node in bundled.nodes
        ]
        server = BundledServer(
            bundled.directory, bundled.certificate, bundled.key, users, port=bundled.port or -1
        )
        with server:
            log(LogEvent.BROKER_STARTED, pid=server.pid or 0)
            if settings.ports_file is not None:
                _write_json(settings.ports_file, {"url": server.url})
            yield (server.url,)
        log(LogEvent.BROKER_STOPPED)

    @asynccontextmanager
    async def _bus(
        self, urls: tuple[str, ...], again: asyncio.Event
    ) -> AsyncIterator[JetStreamBus]:
        settings = self._config.bus
        address = BrokerAddress(
            urls, self._config.node.name, settings.ca, settings.nkey_seed.read_text().strip()
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

    def _server(self, pipeline: Pipeline) -> GatewayServer:
        tls = self._config.tls
        files = TlsFiles(tls.ca.read_bytes(), tls.certificate.read_bytes(), tls.key.read_bytes())
        node = self._config.node
        return GatewayServer(pipeline, files, node.listen, reflect=node.reflection)

    def _hosts(self, store: SqlStore, tools: Tools) -> list[AdapterHost]:
        hosts = []
        for home in self._config.organisations:
            if home.adapter:
                org = OrgId.parse(home.organisation)
                adapter = load_adapter(home.adapter, home.settings)
                role = adapter.describe().role
                if role != org.role.value:
                    raise NodeFault(
                        f"The adapter {home.adapter} serves the role {role}, not {org}. "
                        "Configure it for an organisation of its role."
                    )
                hosts.append(AdapterHost(store, tools, org, adapter))
        return hosts

    def _announce(self, started: Callable[[str], None]) -> None:
        announce = self._config.node.announce
        if announce is not None:
            _write_json(announce, {"address": self.address})
        started(self.address)

    async def _watch(
        self, tools: Tools, store: SqlStore, bus: JetStreamBus, server: GatewayServer
    ) -> None:
        """Keep health honest, and take newer editions of the directory."""
        directory = tools.directory
        while True:
            now = self._clock.now()
            keys = all(
                directory.current_key(org, purpose, now) is not None
                for org in tools.home
                for purpose in KeyPurpose
            )
            await server.say_serving(serving=store.ready and bus.ready and keys)
            try:
                if isinstance(directory, SignedDirectory) and directory.reload():
                    log(LogEvent.DIRECTORY_LOADED, version=directory.version)
            except DirectoryFault:
                log(LogEvent.DIRECTORY_REFUSED, level="error", version=directory.version)
            await asyncio.sleep(min(_WATCH_SECONDS, self._config.directory.reload_seconds))


def _write_json(path: Path, value: dict[str, str]) -> None:
    """Write the file in one piece: a reader sees all of it or none."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)


def _urls_from(ports_file: Path | None) -> tuple[str, ...]:
    """Read the broker's address as the node that bundles it has written it."""
    if ports_file is None or not ports_file.exists():
        raise NodeFault(
            "The broker's address is not known: its ports file does not exist yet. "
            "Start the node with the bundled broker first."
        )
    return (str(json.loads(ports_file.read_text())["url"]),)


def load_adapter(name: str, settings: dict[str, str]) -> Adapter:
    """Find an adapter by its entry point in the group `gateway.adapters` and make it.

    Raises NodeFault when there is none of that name or it was written for another API version.
    """
    found = entry_points(group="gateway.adapters", name=name)
    if not found:
        known = ", ".join(sorted(entry.name for entry in entry_points(group="gateway.adapters")))
        raise NodeFault(f"There is no adapter named {name}. Installed: {known or 'none'}.")
    adapter: Adapter = next(iter(found)).load()(settings)
    version = adapter.describe().api_version
    if version.partition(".")[0] != API_VERSION.partition(".")[0]:
        raise NodeFault(
            f"The adapter {name} is written for version {version} of the adapter API; "
            f"this gateway has {API_VERSION}. Install a fitting adapter."
        )
    return adapter


async def _resend(again: asyncio.Event, mail_room: MailRoom) -> None:
    """At every new link to the broker send again what has no receipt."""
    while True:
        await again.wait()
        again.clear()
        try:
            await mail_room.send_everything_again()
        except StoreUnavailable:
            await asyncio.sleep(_WATCH_SECONDS)
            again.set()


async def _until(stop: asyncio.Event, tasks: list["asyncio.Task[None]"]) -> None:
    """Wait for `stop`; a task that ends before is a fault and ends the node."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    if waiting not in done:
        waiting.cancel()
        await _end(tasks)
        for task in done:
            task.result()
        raise NodeFault("A part of the node ended unexpectedly; see the log.")


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
