"""One gateway process: its parts, and how they start, are watched and end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from sqlalchemy import Engine

from gateway.bootstrap.adapters import adapter_hosts
from gateway.bootstrap.broker import broker_addresses, linked_bus
from gateway.bootstrap.faults import NodeFault, refuse
from gateway.bootstrap.files import write_json
from gateway.bootstrap.followers import Followers
from gateway.bootstrap.health import Health, Watched, directory_findings
from gateway.bootstrap.starts import Starts
from gateway.bootstrap.store_guard import StoreGuard
from gateway.bus.jetstream import JetStreamBus
from gateway.bus.streams import StreamState
from gateway.config import NodeConfig
from gateway.crypto.clock import SystemClock
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.ids import SystemIds
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.verifier import DirectoryVerifier
from gateway.data.calendars import load_working_calendar
from gateway.data.divisions import load_divisions
from gateway.domain.organisations import OrgId
from gateway.domain.school_days import AbsenceRule
from gateway.log_events import LogEvent, log
from gateway.ports.clock import Clock
from gateway.ports.leases import Duties
from gateway.ports.store import StoreUnavailable
from gateway.service.desk import Tools
from gateway.service.keep_lanes import LaneKeeper
from gateway.service.mail_room import MailRoom
from gateway.service.publish_facts import FactPress
from gateway.service.recover import Recoverer
from gateway.store.claim import StoreClaim
from gateway.store.engine import open_engine
from gateway.store.leases import lease_on
from gateway.store.migrate import migrate, require_current, status
from gateway.store.postgresql import keeps_checksums
from gateway.store.start_counter import StartCounter
from gateway.store.vault_key import read_vault_key
from gateway.store.writer import SqlStore
from gateway.transport.pipeline import Pipeline
from gateway.transport.server import GatewayServer, TlsFiles

_PAUSE_SECONDS = 1.0


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
            engine = open_engine(config.store.url)
            guard = StoreGuard(config.store.url)
            guard.look()
            stack.enter_context(StoreClaim(config.store.url))
            await stack.enter_async_context(guard)
            store = await stack.enter_async_context(self._store(engine))
            starts = Starts(store, self._counter())
            await starts.begin(tools)
            followers = Followers(config, tools.directory, self._clock)
            urls = stack.enter_context(broker_addresses(config, followers))
            again = asyncio.Event()
            bus = await stack.enter_async_context(linked_bus(config, urls, store, again))
            linked = asyncio.Event()
            bus.on_connect(partial(_note_link, linked))
            press = FactPress(store, bus.facts(config.bus.replicas), tools)
            bus.on_connect(press.connected)
            watched = Watched(config.node.name, self._clock, tools, engine, store, guard, bus)
            health = Health(watched, config.directory.reload_seconds)
            await health.begin()
            if unsafe := await bus.unsafe_at_first():
                refuse(unsafe)
            mail_room = MailRoom(store, bus, tools)
            pipeline = Pipeline(store, tools)
            server = self._server(pipeline)
            await server.start()
            stack.push_async_callback(server.stop, 0.0)  # also when a part of the node has failed
            self.address = server.address
            hosts = adapter_hosts(config, store, tools)
            for host in hosts:
                stack.callback(host.close)
            duties: tuple[Duties, ...] = (
                mail_room.run,
                partial(_resend, again, bus, mail_room),
                press.run,
                partial(LaneKeeper(store, bus, tools).run, linked),
                Recoverer(store, bus, tools).run,
                starts.run,
                *(host.run for host in hosts),
            )
            tasks = [
                asyncio.create_task(lease_on(engine).keep(partial(_all, duties)), name="duties"),
                asyncio.create_task(followers.run(), name="followers"),
                asyncio.create_task(health.run(server.say), name="health"),
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
        for finding in directory_findings(directory, frozenset(homes), config.node.name):
            refuse(finding)
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
    async def _store(self, engine: Engine) -> AsyncIterator[SqlStore]:
        if status(engine).current is None:
            migrate(engine)  # an empty database; one with data is migrated by hand
        require_current(engine)
        if not keeps_checksums(engine):
            log(LogEvent.STORE_WITHOUT_CHECKSUMS, level="warning")
        store = SqlStore(engine, read_vault_key(self._config.store.vault_key))
        try:
            yield store
        finally:
            await store.close()

    def _counter(self) -> StartCounter | None:
        settings = self._config.store
        return StartCounter.of(settings.url, settings.state, self._config.node.name)

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


async def _note_link(linked: asyncio.Event, _state: StreamState) -> None:
    """At every new link to the broker the lanes are stated anew."""
    linked.set()


async def _all(duties: Sequence[Duties]) -> None:
    """Do what one process of a node does at a time, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for duty in duties:
            group.create_task(duty())


async def _resend(again: asyncio.Event, bus: JetStreamBus, mail_room: MailRoom) -> None:
    """Send again what has no receipt: at every new link to the broker, and when the duties begin.

    Whoever had them before may have been cut off between noting an attempt and making it.
    """
    if bus.ready:
        again.set()
    while True:
        await again.wait()
        again.clear()
        try:
            await mail_room.send_everything_again()
        except StoreUnavailable:
            await asyncio.sleep(_PAUSE_SECONDS)
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
