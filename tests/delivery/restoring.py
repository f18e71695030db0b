"""Nodes that come back from an old copy of their store, and what must hold then."""

import hashlib
import shutil
from collections import Counter
from pathlib import Path

from gateway.domain.cases import DropoutCase
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import RecoveryCause
from gateway.ports.store import Work
from gateway.service.desk import Actor, Desk
from gateway.service.reconcile_lanes import reconcile
from gateway.service.recover import Recoverer
from gateway.service.recovery import begin_recovery, may_act
from gateway.store import tables
from gateway.store.documents import from_document
from gateway.store.shelf_tables import SHELVES
from gateway.v1 import message_pb2, recovery_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.audit import rows
from tests.delivery.post import header_of
from tests.world.province import Province, TestNode


class Restoring:
    """A province of which any node may be put back to an old copy of its store."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self._copies: dict[str, Path] = {}

    async def back_up(self, name: str) -> None:
        """Keep a copy of a node's store as it is now."""
        node = self.province.nodes[name]
        await node.store.close()
        copy = node.database.with_suffix(".backup")
        shutil.copyfile(node.database, copy)
        self._copies[name] = copy
        node.open()

    async def restore(self, name: str) -> None:
        """Put the copy in the place of the store; the node recovers from its start on."""
        await self.put_back(name)
        node = self.province.nodes[name]
        await node.store.write(lambda work: self._begin(work, node))

    async def put_back(self, name: str) -> None:
        """Put the copy in the place of the store, and nobody notices."""
        node = self.province.nodes[name]
        await node.store.close()
        for companion in ("-wal", "-shm"):
            node.database.with_name(f"{node.database.name}{companion}").unlink(missing_ok=True)
        shutil.copyfile(self._copies[name], node.database)
        node.open()

    def _begin(self, work: Work, node: TestNode) -> None:
        for org in node.tools.home:
            desk = Desk(work, node.tools, Actor(org, "SYSTEM"), self.province.clock.now())
            begin_recovery(desk, RecoveryCause.RESTORED)

    async def step(self) -> None:
        """Let every node do once what its recovery loop does."""
        for node in self.province.nodes.values():
            await Recoverer(node.store, self.province.bus, node.tools).step()

    async def settle(self) -> None:
        """Go on until nothing moves and nobody recovers any more."""
        for _ in range(60):
            for _ in range(6):
                await self.step()
                await self.province.settle()
            if not await self.recovering():
                return
            self.province.clock.advance(seconds=70)
        raise AssertionError(f"{await self.recovering()} do not come to an end")

    async def recovering(self) -> list[OrgId]:
        """Return who recovers."""
        found = [
            await node.store.read(lambda work: work.recoveries.unsettled())
            for node in self.province.nodes.values()
        ]
        return [org for some in found for org, _ in some]

    async def check_fact(self, org: OrgId, event_id: str) -> None:
        """Have an officer check a fact that came back."""
        request = recovery_pb2.CheckRecoveredFactRequest(event_id=event_id)
        await self.province.act(org, "RecoveryService/CheckRecoveredFact", request)

    async def actors(self) -> Counter[str]:
        """Count for each case the stores that may act on it, and see that none has two."""
        counted: Counter[str] = Counter()
        free: dict[OrgId, bool] = {}
        for org in self.province.node_of:
            free[org] = await self.province.look(org, lambda desk: may_act(desk) is not None)
        for row in await rows(self.province, SHELVES[DropoutCase]):
            org, case = OrgId.parse(row.org), from_document(DropoutCase, row.document)
            counted[case.id] += case.holder == org and free[org]
        crowded = [case_id for case_id, count in counted.items() if count > 1]
        assert not crowded, f"two stores may act on {crowded}"
        return counted

    async def held(self) -> set[str]:
        """Return the cases with a title of which a bureau still has a record.

        Of what was known on one node alone nothing comes back: that is lost with its disk.
        """
        titled = {row.case_id for row in await rows(self.province, tables.titles)}
        known = {
            row.id
            for row in await rows(self.province, SHELVES[DropoutCase])
            if row.org.endswith("/edu")
        }
        return titled & known

    def check_numbers(self) -> None:
        """No number of a lane was ever given to two messages, on whatever they travelled."""
        given: dict[tuple[str, str, int, int], str] = {}
        for _, item in self.province.bus.carried:
            header = header_of(item)
            if header is not None:
                digest = hashlib.sha256(SignedEnvelope.FromString(item).payload).hexdigest()
                number = (header.sender, header.receiver, header.lane_incarnation)
                first = given.setdefault((*number, header.lane_sequence), digest)
                assert first == digest, f"number {header.lane_sequence} was given twice"

    async def check_titles(self) -> None:
        """No two stores have different titles of one case under one epoch."""
        epochs: dict[tuple[str, int, int], str] = {}
        for row in await rows(self.province, tables.titles):
            digest = epochs.setdefault((row.case_id, row.term, row.number), row.digest)
            assert digest == row.digest, "two titles have one epoch"

    async def check_receipted(self) -> None:
        """Whatever is in an outbox has its final receipt, or was given up for a new number."""
        states = {row.state for row in await rows(self.province, tables.outbox)}
        assert states <= {"APPLIED", "REFUSED", "REPLACED"}, states
        for org in self.province.node_of:
            for lane in await self.province.look(org, reconcile):
                assert lane.balanced, lane


def statements(items: list[tuple[OrgId, bytes]]) -> list[message_pb2.LaneStatement]:
    """Return the statements of recovering organisations among items of the bus."""
    envelopes = (SignedEnvelope.FromString(data) for _, data in items)
    found = [
        message_pb2.LaneStatement.FromString(envelope.payload)
        for envelope in envelopes
        if "lane-statement" in envelope.payload_type
    ]
    return [statement for statement in found if statement.recovering]
