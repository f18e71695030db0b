"""The test province: one store and one mail room for each node, driven step by step."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from gateway.crypto.development import file_stem, make_development
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.ids import SystemIds
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.verifier import DirectoryVerifier
from gateway.data.calendars import load_working_calendar
from gateway.data.divisions import load_divisions
from gateway.domain.organisations import OrgId
from gateway.ports.bus import Disposition
from gateway.ports.store import Work
from gateway.service.answer_once import answer_once
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.keep_lanes import LaneKeeper
from gateway.service.mail_room import MailRoom
from gateway.store import tables
from gateway.store.engine import open_engine
from gateway.store.writer import SqlStore
from gateway.transport.methods import COMMANDS, QUERIES, RECORD_STREAMS
from tests.stores import Stores, sqlite_file
from tests.world.estate import ESTATE
from tests.world.memory_bus import MemoryBus

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday 23 November 2026, 10:00 in Shanghai."""


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self, now: datetime = MONDAY) -> None:
        self.moment = now

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def advance(self, **step: float) -> None:
        """Move forward by a timedelta's arguments."""
        self.moment += timedelta(**step)


class TestNode:
    """One node: its tools, store and mail room."""

    __test__ = False

    def __init__(
        self, directory: Path, name: str, bus: MemoryBus, clock: TestClock, stores: Stores
    ) -> None:
        self.name = name
        self.database = directory / f"{name}.sqlite"
        self._url = stores(self.database)
        self.homes = next(n for n in ESTATE.nodes if n.name == name).organisations
        keys = directory / "nodes" / name / "keys"
        orgs = [org.id for org in self.homes]
        keyring = Keyring.load(
            {
                org: [f"file:{keys / file_stem(org)}.{kind}.pem" for kind in ("sign", "seal")]
                for org in orgs
            }
        )
        listed = SignedDirectory(
            directory / "directory.bin", (directory / "authority.pub.pem").read_bytes()
        )
        self.tools = Tools(
            clock=clock,
            ids=SystemIds(),
            directory=listed,
            signer=DirectorySigner(keyring, listed, clock),
            verifier=DirectoryVerifier(listed),
            sealer=KeyringSealer(keyring),
            divisions=load_divisions(),
            working_days=load_working_calendar(),
            home=frozenset(orgs),
        )
        self._bus = bus
        self.open()

    def open(self) -> None:
        """Open (again) the store and the mail room over the same database."""
        engine = open_engine(self._url)
        tables.metadata.create_all(engine)
        self.store = SqlStore(engine, b"k" * 32)
        self.mail_room = MailRoom(self.store, self._bus, self.tools)
        self.lane_keeper = LaneKeeper(self.store, self._bus, self.tools)


class Province:
    """All nodes of ESTATE on one misbehaving bus."""

    def __init__(self, directory: Path, stores: Stores = sqlite_file) -> None:
        self.clock = TestClock()
        self.bus = MemoryBus()
        self.directory = directory
        if not (directory / "directory.bin").exists():
            make_development(directory, ESTATE, MONDAY - timedelta(days=30))
        self.nodes = {
            node.name: TestNode(directory, node.name, self.bus, self.clock, stores)
            for node in ESTATE.nodes
        }
        self.node_of = {
            org.id: self.nodes[node.name] for node in ESTATE.nodes for org in node.organisations
        }

    async def close(self) -> None:
        """Close every store."""
        for node in self.nodes.values():
            await node.store.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def act(self, org: OrgId, method: str, request: Message, post: str = "") -> Any:
        """Carry out a command as a post of the organisation and return the answer."""
        fields = request.DESCRIPTOR.fields_by_name
        if "request_id" in fields and not getattr(request, "request_id", ""):
            request.request_id = str(uuid4())  # type: ignore[attr-defined]
        node = self.node_of[org]
        use_case = COMMANDS.get(method) or RECORD_STREAMS[method].use_case
        answer = type(request).DESCRIPTOR.full_name.replace("Request", "Response")
        response_class = _message(answer)
        return await node.store.write(
            lambda work: answer_once(
                self.desk(work, org, post or "CASE_OFFICER"),
                method,
                request,
                use_case,
                response_class,
            )
        )

    async def ask(self, org: OrgId, method: str, request: Message, post: str = "") -> Any:
        """Carry out a query."""
        use_case = QUERIES[method]
        return await self.look(org, lambda desk: use_case(desk, request), post)

    async def look(self, org: OrgId, see: Callable[[Desk], Any], post: str = "") -> Any:
        """Look at the organisation's store."""
        return await self.node_of[org].store.read(lambda work: see(self.desk(work, org, post)))

    def desk(self, work: Work, org: OrgId, post: str) -> Desk:
        """Return a desk of the organisation in a transaction."""
        return Desk(work, self.node_of[org].tools, Actor(org, post), self.clock.now())

    async def send(self) -> None:
        """Let every node pack and publish what is due."""
        for node in self.nodes.values():
            await node.mail_room.send_due()

    async def state_lanes(self) -> None:
        """Let every node say to every peer how their lanes stand, as at a new link."""
        for node in self.nodes.values():
            await node.lane_keeper.state_lanes()

    async def tend(self) -> None:
        """Let every node do what is due by the clock."""
        for node in self.nodes.values():
            await node.lane_keeper.tend()

    async def deliver(self) -> int:
        """Deliver what waits on the bus, each item alone; return how many were delivered."""
        items, self.bus.waiting = self.bus.waiting, []
        for receiver, item in items:
            node = self.node_of[receiver]
            (disposition,) = await node.mail_room.handle(receiver, [item])
            if disposition is Disposition.AGAIN:
                self.bus.waiting.append((receiver, item))
        return len(items)

    async def settle(self) -> None:
        """Send and deliver until nothing moves any more."""
        for _ in range(200):
            await self.send()
            if not await self.deliver() and not self.bus.waiting:
                return
        raise AssertionError("the mail does not come to rest")


def _message(full_name: str) -> type[Message]:
    from google.protobuf import symbol_database  # noqa: PLC0415

    return symbol_database.Default().GetSymbol(full_name)
