"""What must hold in the stores of all nodes at every moment, and once everything has arrived."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Table, select

from gateway.domain.cases import DropoutCase
from gateway.domain.letters import Letter
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RECEIPT
from gateway.service.reconcile_lanes import reconcile
from gateway.store import tables
from gateway.store.documents import from_document
from gateway.store.shelf_tables import SHELVES
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.error_pb2 import ErrorReason
from tests.world.province import Province


async def rows(province: Province, table: Table) -> list[Any]:
    """Return all rows of a table, of all nodes."""

    def read(work: Any) -> list[Any]:
        return list(work._connection.execute(select(table)).all())

    return [row for node in province.nodes.values() for row in await node.store.read(read)]


class Audit:
    """Watches a province; remembers the highest title that each store has had."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._titles: dict[tuple[OrgId, str], tuple[int, int]] = {}
        self.confirmed: set[str] = set()

    async def check(self) -> None:
        """At every moment: at most one store may act on a case, and titles only rise."""
        actors: Counter[str] = Counter()
        for row in await rows(self._province, SHELVES[DropoutCase]):
            org, case = OrgId.parse(row.org), from_document(DropoutCase, row.document)
            actors[case.id] += case.holder == org
            if case.title is not None:
                epoch = (case.title.epoch.term, case.title.epoch.number)
                assert epoch >= self._titles.get((org, case.id), (0, 0)), "a title went back"
                self._titles[org, case.id] = epoch
                self.confirmed.add(case.id)
        crowded = [case_id for case_id, count in actors.items() if count > 1]
        assert not crowded, f"two stores may act on {crowded}"
        self.actors = actors

    async def check_healed(self) -> None:
        """Once everything has arrived: I1, I2, I3 and I6, and exactly one who may act."""
        await self.check()
        assert {self.actors[case_id] for case_id in self.confirmed} <= {1}, "nobody may act"
        await self._check_lanes()
        await self._check_events()
        await self._check_views()
        self._check_receipts()
        await self._check_balances()
        assert not await rows(self._province, tables.dead_letters)
        assert not await rows(self._province, tables.parked_events)

    async def check_tails(self) -> None:
        """Every message that ever left is taken, the last of each lane too: the statements tell."""
        left = {
            (row.sender, row.receiver): (row.next_sequence, row.head_hash)
            for row in await rows(self._province, tables.sending_lanes)
        }
        taken = {
            (row.sender, row.receiver): (row.next_sequence, row.head_hash)
            for row in await rows(self._province, tables.receiving_lanes)
        }
        assert taken == left, "a lane has lost its tail"

    async def _check_balances(self) -> None:
        """I6: each number given is accounted for, at either end."""
        for org in self._province.node_of:
            for balance in await self._province.look(org, reconcile):
                assert balance.balanced, f"{org} to {balance.peer} does not add up"
                assert balance.receipted == balance.numbered

    async def check_letters(self, dispatched: Iterable[tuple[OrgId, str]]) -> None:
        """I1: every letter that was answered "dispatched" is in its receiver's store, once."""
        letters = Counter((row.org, row.id) for row in await rows(self._province, SHELVES[Letter]))
        assert all(letters[str(receiver), letter] == 1 for receiver, letter in dispatched)

    async def _check_lanes(self) -> None:
        """I2, I3, I6: lanes without holes; every message is receipted, taken once, byte by byte."""
        sent = await rows(self._province, tables.outbox)
        unapplied = [
            f"{row.sender}>{row.receiver} {row.sequence} {row.state}: {self._why(row.message_id)}"
            for row in sent
            if row.state != "APPLIED"
        ]
        assert not unapplied, f"not applied: {unapplied}"
        taken = {
            (row.sender, row.receiver, row.sequence): (row.message_id, row.digest)
            for row in await rows(self._province, tables.inbox)
        }
        mailed = {
            (row.sender, row.receiver, row.sequence): (row.message_id, row.digest) for row in sent
        }
        assert taken == mailed
        heads: dict[tuple[str, str], str] = {}
        for row in sorted(sent, key=lambda row: row.sequence):
            lane = (row.sender, row.receiver)
            message = message_pb2.Message.FromString(
                SignedEnvelope.FromString(row.envelope).payload
            )
            header = message_pb2.MessageHeader.FromString(message.header)
            assert header.previous_message_hash.hex() == heads.get(lane, "")
            payload = SignedEnvelope.FromString(row.envelope).payload
            assert row.digest == hashlib.sha256(payload).hexdigest()
            heads[lane] = row.digest
        ends = [
            {(row.sender, row.receiver): (row.next_sequence, row.head_hash) for row in found}
            for found in (
                await rows(self._province, tables.sending_lanes),
                await rows(self._province, tables.receiving_lanes),
            )
        ]
        assert ends[0] == ends[1]
        counts = Counter((row.sender, row.receiver) for row in sent)
        assert {lane: count + 1 for lane, count in counts.items()} == {
            lane: following for lane, (following, _) in ends[0].items()
        }

    async def _check_events(self) -> None:
        """I1: whatever was put up for delivery is in the receiver's log, put up once."""
        logged = {(row.org, row.event_id) for row in await rows(self._province, tables.events)}
        due = await rows(self._province, tables.deliveries)
        for row in due:
            assert (row.receiver, row.event_id) in logged, "a fact was lost"
        doubled = Counter((row.sender, row.receiver, row.event_id) for row in due)
        assert set(doubled.values()) <= {1}, "a fact was put up twice"

    async def _check_views(self) -> None:
        """Every bureau that has the case knows who holds it."""
        holders: dict[str, set[OrgId | None]] = {}
        for row in await rows(self._province, SHELVES[DropoutCase]):
            if row.org.endswith("/edu"):
                case = from_document(DropoutCase, row.document)
                holders.setdefault(case.id, set()).add(case.holder)
        assert all(len(found) == 1 for found in holders.values()), "bureaus disagree"

    def _why(self, message_id: str) -> list[str]:
        """Return the reasons that receipts give for a message."""
        return [
            ErrorReason.Name(exception.reason)
            for receipt, _ in self._receipts()
            for item in receipt.items
            if item.message_id == message_id
            for exception in item.exceptions
        ]

    def _receipts(self) -> Iterator[tuple[message_pb2.Receipt, bytes]]:
        """Yield every receipt that travelled, with its bytes."""
        for _, item in self._province.bus.carried:
            envelope = SignedEnvelope.FromString(item)
            if envelope.payload_type == RECEIPT:
                yield message_pb2.Receipt.FromString(envelope.payload), item

    def _check_receipts(self) -> None:
        """One receipt for a message, in one form; another only as the linked answer to PARKED."""
        by_id: dict[str, bytes] = {}
        answers: dict[str, dict[str, str]] = {}
        for receipt, item in self._receipts():
            assert by_id.setdefault(receipt.receipt_id, item) == item, "receipt bytes changed"
            for answer in receipt.items:
                answers.setdefault(answer.message_id, {})[receipt.receipt_id] = (
                    answer.follows_receipt_id
                )
        for message_id, given in answers.items():
            # One chain from one first receipt, which may have been overtaken before it could leave.
            first = {receipt_id for receipt_id, follows in given.items() if not follows}
            overtaken = {follows for follows in given.values() if follows} - set(given)
            assert len(first | overtaken) == 1, f"{message_id} was answered anew"
