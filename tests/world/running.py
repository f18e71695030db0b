"""The province at work: a real broker, real nodes and real stores, in this process.

The nodes share one event loop on a thread of their own, so that they go on working while a test
waits. Everything listens on free ports of the loopback interface and keeps its files in one folder.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import Engine

from adapters.reference.people import Child, child
from gateway.bootstrap.node import Node
from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import BrokerUser, NodePermissions, inbox_prefix, permissions_of
from gateway.bus.server import BundledServer
from gateway.config import (
    BusSection,
    DirectorySection,
    HomeOrganisation,
    NodeConfig,
    NodeSection,
    StoreSection,
    TlsSection,
)
from gateway.crypto.certificates import Validity
from gateway.crypto.development import Estate, EstateNode, file_stem, make_development
from gateway.crypto.files import write_private
from gateway.domain.organisations import OrgId
from gateway.ports.store import Work
from gateway.store.engine import open_engine
from gateway.store.work import SqlWork
from gateway.v1 import directory_pb2
from tests.stores import Stores, sqlite_file
from tests.world.clients import Clients, Refused
from tests.world.moving_clock import MovingClock
from tests.world.observer import OBSERVER, Observer
from tests.world.province import MONDAY
from tests.world.running_estate import HOSTILE_NODE, RUNNING
from tests.world.waiting import PATIENCE, eventually

_VAULT_KEY = b"k" * 32
_SEED = b"observer of the bus in the tests"  # 32 bytes
T = TypeVar("T")


class RunningNode:
    """One node as a task of the world's loop."""

    def __init__(self, config: NodeConfig, clock: MovingClock) -> None:
        self.config = config
        self.address = ""
        self._clock = clock
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and return once it listens. Raises what the node raises instead."""
        listening = asyncio.Event()
        self._stop.clear()
        self._task = asyncio.create_task(
            Node(self.config, self._clock).run(
                self._stop, lambda address: self._listens(address, listening)
            )
        )
        waiting = asyncio.create_task(listening.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.is_set():
            waiting.cancel()
            self._task.result()

    def _listens(self, address: str, listening: asyncio.Event) -> None:
        self.address = address
        listening.set()

    async def stop(self) -> None:
        """Drain and stop it. Raises what the node raised, if it ended before."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None


class RunningProvince:
    """Starts with `start`, ends with `close`; calls go through the clients of `act` and `ask`."""

    def __init__(
        self, directory: Path, estate: Estate = RUNNING, stores: Stores = sqlite_file
    ) -> None:
        self.directory = directory
        self.clock = MovingClock(MONDAY)
        self.children: list[Child] = []
        self._stores = stores
        self._nodes = [node for node in estate.nodes if node.name != HOSTILE_NODE]
        self._node_of = {org.id: node.name for node in self._nodes for org in node.organisations}
        moments = (MONDAY, datetime.now(UTC))  # TLS goes by the machine's clock, keys by ours
        span = Validity(min(moments) - timedelta(days=40), max(moments) + timedelta(days=400))
        make_development(directory, estate, MONDAY - timedelta(days=30), validity=span)
        write_private(directory / "vault.key", _VAULT_KEY.hex().encode())
        self.broker = BundledServer(
            directory / "broker" / "data",
            directory / "broker" / "server.crt",
            directory / "broker" / "server.key",
            [*map(self._broker_user, self._nodes), _observing_user()],
        )
        self.nodes: dict[str, RunningNode] = {}
        self.clients = Clients(directory, lambda org: self.nodes[self._node_of[org]].address)
        self._engines: dict[str, Engine] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="province")

    def start(self) -> None:
        """Start broker and nodes; return when all of them serve."""
        self.broker.start()
        self._thread.start()
        self.nodes = {node.name: self.make_node(self._config(node)) for node in self._nodes}
        self.run(self._start())
        for name in self.nodes:
            eventually(lambda name=name: self.serving(name), f"{name} serving")  # type: ignore[misc]

    def make_node(self, config: NodeConfig) -> RunningNode:
        """Make a node that can be started; a world of processes makes another kind."""
        return RunningNode(config, self.clock)

    async def _start(self) -> None:
        self.observer = await Observer.connect(
            self.broker.url, self.directory / "ca.pem", user_seed(_SEED)
        )
        await asyncio.gather(*(node.start() for node in self.nodes.values()))

    def close(self) -> None:
        """Stop everything and see that nothing is left on the loop."""
        self.clients.close()
        try:
            self.run(self._stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()
            for engine in self._engines.values():
                engine.dispose()
            self.broker.stop()

    async def _stop(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))
        await self.observer.close()
        await asyncio.get_running_loop().shutdown_default_executor()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:  # a client library may need one more turn to end its own
            await asyncio.wait(left, timeout=PATIENCE)
        left = {task for task in left if not task.done()}
        assert not left, f"{len(left)} tasks left: {sorted(map(repr, left))}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the world's loop and return the result."""
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(PATIENCE)

    def serving(self, name: str) -> bool:
        """Whether the node's health service says SERVING."""
        org = next(org for org, node in self._node_of.items() if node == name)
        stub: Any = health_pb2_grpc.HealthStub(self.clients.channel(org))
        with suppress(grpc.RpcError):
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=5.0, wait_for_ready=True)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
        return False

    def act(self, org: OrgId, method: str, request: Any, post: str = "CASE_OFFICER") -> Any:
        """Carry out a command as a post of the organisation."""
        return self.clients.call(org, method, request, post)

    def ask(self, org: OrgId, method: str, request: Any) -> Any:
        """Carry out a query of the organisation."""
        return self.clients.call(org, method, request)

    def refused(self, org: OrgId, method: str, request: Any, post: str = "CASE_OFFICER") -> Refused:
        """Make a call that must be refused; nothing of a child may show in the refusal."""
        refused = self.clients.refused(org, method, request, post)
        assert not self.disclosed(repr(refused)), "a refusal discloses a child"
        return refused

    def engine(self, name: str) -> Engine:
        """Return the store of a node, opened beside the node itself."""
        if name not in self._engines:
            self._engines[name] = open_engine(self._store_url(name))
        return self._engines[name]

    def look(self, org: OrgId, see: Callable[[Work], T]) -> T:
        """Look into the store of the organisation's node, beside the node itself."""
        with (
            self.engine(self._node_of[org]).connect().execution_options(reading=True) as connection
        ):
            return see(SqlWork(connection, _VAULT_KEY))

    def knows_edition(self, version: int) -> None:
        """Wait until every node goes by that edition of the directory."""
        request = directory_pb2.ListOrganisationsRequest(page_size=1)
        for node in self._nodes:
            org = node.organisations[0].id
            eventually(
                lambda org=org: (  # type: ignore[misc]
                    self.ask(org, "DirectoryService/ListOrganisations", request).directory_version
                    >= version
                ),
                f"edition {version} at {node.name}",
            )

    def next_child(self) -> Child:
        """Return a child that no other test of this world knows."""
        self.children.append(child(len(self.children) + 1))
        return self.children[-1]

    def disclosed(self, text: str) -> bool:
        """Whether a name, number or telephone of one of the world's children stands in a text."""
        return any(
            secret in text
            for one in self.children
            for secret in (
                one.name,
                one.id_number,
                one.guardian_name,
                one.guardian_phone.replace("-", ""),
            )
        )

    def _broker_user(self, node: EstateNode) -> BrokerUser:
        public = (self.directory / "nodes" / node.name / "nkey.pub").read_text().strip()
        homes = [organisation.id for organisation in node.organisations]
        return BrokerUser(public, permissions_of(node.name, homes))

    def _store_url(self, name: str) -> str:
        return self._stores(self.directory / f"{name}.sqlite")

    def _config(self, node: EstateNode) -> NodeConfig:
        home = self.directory / "nodes" / node.name
        return NodeConfig(
            node=NodeSection(
                name=node.name, listen="127.0.0.1:0", reflection=True, drain_seconds=2.0
            ),
            tls=TlsSection(
                ca=self.directory / "ca.pem",
                certificate=home / "server.crt",
                key=home / "server.key",
            ),
            directory=DirectorySection(
                file=self.directory / "directory.bin",
                authority=self.directory / "authority.pub.pem",
                reload_seconds=0.05,
            ),
            store=StoreSection(
                url=self._store_url(node.name), vault_key=self.directory / "vault.key"
            ),
            bus=BusSection(
                url=self.broker.url, ca=self.directory / "ca.pem", nkey_seed=home / "nkey.seed"
            ),
            organisations=tuple(
                HomeOrganisation(
                    organisation=str(org.id),
                    sign=(f"file:{home / 'keys' / file_stem(org.id)}.sign.pem",),
                    seal=(f"file:{home / 'keys' / file_stem(org.id)}.seal.pem",),
                )
                for org in node.organisations
            ),
        )


def _observing_user() -> BrokerUser:
    """One who sees all mail and may put anything into any letter-box, as any node may."""
    permissions = NodePermissions(
        ("dx.v1.mail.>", "$JS.API.STREAM.INFO.MAIL"),
        ("dx.v1.mail.>", f"{inbox_prefix(OBSERVER)}.>"),
    )
    return BrokerUser(public_nkey(user_seed(_SEED)), permissions)
