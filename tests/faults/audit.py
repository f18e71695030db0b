"""The audit: do the stores of all nodes, read as SQL, hold what is promised?

It reads the files beside the nodes, running or not, and trusts none of their code but the schema
and the verifier. `at_any_time` holds at every moment, `healed` once everything had time to arrive.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message as AnyMessage
from sqlalchemy import Engine, Table, select

from gateway.domain.absences import Absence
from gateway.domain.cases import DropoutCase
from gateway.domain.letters import Letter
from gateway.domain.orders import RetrievalOrder
from gateway.domain.organisations import OrgId
from gateway.domain.placements import Placement
from gateway.ports.signing import Verifier
from gateway.store import tables
from gateway.store.documents import from_document
from gateway.store.shelf_tables import SHELVES
from tests.faults.findings import Findings, Invariant
from tests.faults.signed_checks import SignedChecks

Epoch = tuple[int, int]
_FINAL = {"APPLIED", "REFUSED"}
_SHELVES = {
    "absence": (SHELVES[Absence], "absence_id"),
    "case": (SHELVES[DropoutCase], "case_id"),
    "letter": (SHELVES[Letter], "letter_id"),
    "order": (SHELVES[RetrievalOrder], "order_id"),
    "placement": (SHELVES[Placement], "placement_id"),
}
"""Where the effect of a command stands, by the field of its answer that shows it."""


@dataclass(frozen=True)
class Answered:
    """A command that a client saw answered."""

    org: OrgId
    request_id: str
    answer: AnyMessage


class Audit:
    """Audits the stores of a province; remembers the highest title that each store has had."""

    def __init__(
        self, stores: Sequence[Engine], verifier: Verifier, now: Callable[[], datetime]
    ) -> None:
        self._stores = stores
        self._signed = SignedChecks(verifier, now)
        self._titles: dict[tuple[str, str], Epoch] = {}

    def at_any_time(self) -> Findings:
        """Return what may never be, not even for a moment, whatever runs meanwhile."""
        findings = Findings()
        self._check_actors(findings)
        # Receivers first: what a receiver has taken, its sender had sent before.
        taken, heads = self._rows(tables.inbox), self._rows(tables.receiving_lanes)
        receipts, logged = self._rows(tables.receipts), self._rows(tables.events)
        sent = self._rows(tables.outbox)
        self._signed.sent(findings, sent)
        self._check_taken(findings, sent, taken, heads)
        self._signed.receipts(findings, receipts)
        self._signed.facts(findings, logged)
        put_up = Counter((r.sender, r.receiver, r.event_id) for r in self._rows(tables.deliveries))
        findings.none(
            (key for key, count in put_up.items() if count > 1), Invariant.TWICE, "put up twice"
        )
        return findings

    def healed(self, answered: Iterable[Answered] = ()) -> Findings:
        """Return what is missing or double now that everything should have arrived."""
        findings = self.at_any_time()
        confirmed = {case for _, case in self._titles}
        holders = self._holders()
        findings.none(
            (case for case in confirmed if len(holders[case]) != 1),
            Invariant.ACTORS,
            "nobody may act on",
        )
        self._check_delivered(findings)
        self._check_answered(findings, answered)
        left = [f"{row.receiver} {row.reason}" for row in self._rows(tables.parked_events)]
        left += [
            f"{row.org} {row.reason}"
            for row in self._rows(tables.dead_letters)
            if row.state == "OPEN"
        ]
        findings.none(left, Invariant.LOSS, "left lying")
        return findings

    def settled(self) -> bool:
        """Whether every message has its final receipt and nothing waits to be packed.

        What is taken may lead to new mail, and stores are read one after the other. So two looks
        have to agree: mail that the first one missed shows in the second.
        """
        first, second = self._in_flight(), self._in_flight()
        return first == second and not first[1]

    def _in_flight(self) -> tuple[int, int]:
        """Return how many deliveries there ever were, and how much of them is not done."""
        deliveries = self._rows(tables.deliveries)
        waiting = sum(row.message_id is None for row in deliveries)
        open_ = sum(row.state not in _FINAL for row in self._rows(tables.outbox))
        return len(deliveries), waiting + open_

    def _rows(self, table: Table) -> list[Any]:
        rows: list[Any] = []
        for engine in self._stores:
            with engine.connect().execution_options(reading=True) as connection:
                rows += connection.execute(select(table)).all()
        return rows

    def _cases(self) -> list[tuple[str, DropoutCase]]:
        return [
            (row.org, from_document(DropoutCase, row.document))
            for row in self._rows(SHELVES[DropoutCase])
        ]

    def _holders(self) -> dict[str, dict[str, Epoch]]:
        """Return by case the organisations whose own store lets them act, with their title."""
        holders: dict[str, dict[str, Epoch]] = defaultdict(dict)
        for org, case in self._cases():
            if case.title is not None and str(case.holder) == org:
                epoch = case.title.epoch
                holders[case.id][org] = (epoch.term, epoch.number)
        return holders

    def _check_actors(self, findings: Findings) -> None:
        for org, case in self._cases():
            if case.title is not None:
                epoch = (case.title.epoch.term, case.title.epoch.number)
                before = self._titles.get((org, case.id), epoch)
                findings.expect(
                    epoch >= before, Invariant.ACTORS, f"title of {case.id} went back at {org}"
                )
                self._titles[org, case.id] = epoch
        first = self._holders()
        if all(len(orgs) < 2 for orgs in first.values()):
            return
        # The stores were read one after the other. Who held at both looks under one title held
        # all the time between, so two such are two at one moment.
        second = self._holders()
        for case_id, orgs in first.items():
            both = [org for org, epoch in orgs.items() if second[case_id].get(org) == epoch]
            findings.expect(len(both) < 2, Invariant.ACTORS, f"{both} may act on {case_id}")

    def _check_taken(
        self, findings: Findings, sent: Sequence[Any], taken: Sequence[Any], heads: Sequence[Any]
    ) -> None:
        """I3 and I6 at the receiver: byte by byte what was sent, each number once, up to its head."""
        place = {(r.sender, r.receiver, r.incarnation, r.sequence): r for r in sent}
        for row in taken:
            origin = place.get((row.sender, row.receiver, row.incarnation, row.sequence))
            findings.expect(
                origin is not None
                and (origin.digest, origin.message_id) == (row.digest, row.message_id),
                Invariant.FORGERY,
                f"{row.receiver} has {row.sequence} of {row.sender}, who sent something else",
            )
        answered = Counter((r.sender, r.receiver, r.incarnation) for r in taken if r.receipt_id)
        for row in heads:
            lane = (row.sender, row.receiver, row.incarnation)
            # Read a moment later than the inbox, so it may be ahead of it.
            findings.expect(
                row.next_sequence - 1 >= answered[lane],
                Invariant.LANE,
                f"{lane} stands at {row.next_sequence} with {answered[lane]} taken",
            )

    def _check_delivered(self, findings: Findings) -> None:
        """I1 and I6 at rest: all is applied and receipted, and both ends of a lane agree."""
        taken = {(r.sender, r.receiver, r.message_id) for r in self._rows(tables.inbox)}
        receipts = {(row.org, row.receipt_id) for row in self._rows(tables.receipts)}
        for row in self._rows(tables.outbox):
            name = f"{row.sender}>{row.receiver} {row.sequence}"
            findings.expect(row.state == "APPLIED", Invariant.LOSS, f"{name} is {row.state}")
            findings.expect(
                (row.sender, row.receiver, row.message_id) in taken,
                Invariant.LOSS,
                f"{name} was never taken",
            )
            findings.expect(
                {(row.sender, row.receipt_id), (row.receiver, row.receipt_id)} <= receipts,
                Invariant.EVIDENCE,
                f"{name} has no receipt on both sides",
            )
        logged = {(row.org, row.event_id) for row in self._rows(tables.events)}
        findings.none(
            (
                f"{row.event_id} for {row.receiver}"
                for row in self._rows(tables.deliveries)
                if row.message_id is None or (row.receiver, row.event_id) not in logged
            ),
            Invariant.LOSS,
            "not delivered",
        )
        ends = [
            {
                (r.sender, r.receiver, r.incarnation): (r.next_sequence, r.head_hash)
                for r in self._rows(table)
            }
            for table in (tables.sending_lanes, tables.receiving_lanes)
        ]
        findings.none(
            (lane for lane in ends[0] if ends[0][lane] != ends[1].get(lane)),
            Invariant.LANE,
            "the ends disagree on",
        )

    def _check_answered(self, findings: Findings, answered: Iterable[Answered]) -> None:
        """I1 of commands: the answer is remembered, and what it showed is in the store."""
        remembered = {
            (row.org, row.request_id): row.response for row in self._rows(tables.requests)
        }
        versions = {
            (table.name, row.org, row.id): row.version
            for table, _ in _SHELVES.values()
            for row in self._rows(table)
        }
        for one in answered:
            stored = remembered.get((str(one.org), one.request_id))
            findings.expect(
                stored is not None and type(one.answer).FromString(stored) == one.answer,
                Invariant.LOSS,
                f"{one.org} does not remember its answer to {one.request_id}",
            )
            for field, shown in one.answer.ListFields():
                if field.name in _SHELVES:
                    table, name = _SHELVES[field.name]
                    key = (table.name, str(one.org), getattr(shown, name))
                    findings.expect(
                        versions.get(key, -1) >= getattr(shown, "version", 0),
                        Invariant.LOSS,
                        f"{key} is not as answered",
                    )
