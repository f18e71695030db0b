"""One gateway process: its parts, and how they start, are watched and end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.bootstrap.adapters import adapter_hosts
from gateway.bootstrap.broker import broker_addresses, linked_bus
from gateway.bootstrap.faults import NodeFault
from gateway.bootstrap.files import write_json
from gateway.bus.jetstream import JetStreamBus
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
from gateway.service.desk import Tools
from gateway.service.mail_room import MailRoom
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate, require_current, status
from gateway.store.vault_key import read_vault_key
from gateway.store.writer import SqlStore
from gateway.transport.pipeline import Pipeline
from gateway.transport.server import GatewayServer, TlsFiles

_WATCH_SECONDS = 1.0


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
            urls = stack.enter_context(broker_addresses(config))
            again = asyncio.Event()
            bus = await stack.enter_async_context(linked_bus(config, urls, again))
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
                    for host in adapter_hosts(config, store, tools)
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

    def _server(self, pipeline: Pipeline) -> GatewayServer:
        tls = self._config.tls
        files = TlsFiles(tls.ca.read_bytes(), tls.certificate.read_bytes(), tls.key.read_bytes())
        node = self._config.node
        return GatewayServer(pipeline, files, node.listen, reflect=node.reflection)

    def _announce(self, started: Callable[[str], None]) -> None:
        announce = self._config.node.announce
        if announce is not None:
            write_json(announce, {"address": self.address})
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
