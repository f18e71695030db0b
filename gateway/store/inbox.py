"""The inbox in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.domain.lanes import Arrival, ReceivingLane
from gateway.domain.organisations import OrgId
from gateway.ports.inbox import InMessage, ParkedEvent
from gateway.store import tables

_i, _l, _p, _pc = (
    tables.inbox,
    tables.receiving_lanes,
    tables.parked_events,
    tables.parked_cases,
)
_PARKED = (_p.c.event_id, _p.c.message_id, _p.c.sender, _p.c.reason)


class SqlInbox:
    """Implements gateway.ports.inbox.Inbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lane(self, receiver: OrgId, sender: OrgId) -> ReceivingLane:
        """See Inbox.lane."""
        row = self._connection.execute(
            select(_l.c.incarnation, _l.c.next_sequence, _l.c.head_hash).where(
                _l.c.receiver == str(receiver), _l.c.sender == str(sender)
            )
        ).first()
        return ReceivingLane() if row is None else ReceivingLane(*row)

    def advance(self, receiver: OrgId, sender: OrgId, lane: ReceivingLane) -> None:
        """See Inbox.advance."""
        values = {
            "incarnation": lane.incarnation,
            "next_sequence": lane.next_sequence,
            "head_hash": lane.head_hash,
        }
        done = self._connection.execute(
            update(_l)
            .where(_l.c.receiver == str(receiver), _l.c.sender == str(sender))
            .values(**values)
        )
        if done.rowcount == 0:
            self._connection.execute(
                insert(_l).values(receiver=str(receiver), sender=str(sender), **values)
            )

    def _one(self, receiver: OrgId, sender: OrgId, *where: ColumnElement[bool]) -> InMessage | None:
        row = self._connection.execute(
            select(
                _i.c.message_id,
                _i.c.digest,
                _i.c.incarnation,
                _i.c.sequence,
                _i.c.receipt_id,
                _i.c.envelope,
                _i.c.arrived_at,
            ).where(_i.c.receiver == str(receiver), _i.c.sender == str(sender), *where)
        ).first()
        return None if row is None else InMessage(row[0], sender, *row[1:])

    def by_id(self, receiver: OrgId, sender: OrgId, message_id: str) -> InMessage | None:
        """See Inbox.by_id."""
        return self._one(receiver, sender, _i.c.message_id == message_id)

    def by_number(
        self, receiver: OrgId, sender: OrgId, incarnation: int, sequence: int
    ) -> InMessage | None:
        """See Inbox.by_number."""
        return self._one(
            receiver, sender, _i.c.incarnation == incarnation, _i.c.sequence == sequence
        )

    def keep(
        self, receiver: OrgId, sender: OrgId, arrival: Arrival, envelope: bytes, at: datetime
    ) -> None:
        """See Inbox.keep."""
        self.take(receiver, sender, arrival, "", envelope, at)

    def take(
        self,
        receiver: OrgId,
        sender: OrgId,
        arrival: Arrival,
        receipt_id: str,
        envelope: bytes,
        at: datetime,
    ) -> None:
        """See Inbox.take."""
        done = self._connection.execute(
            update(_i)
            .where(
                _i.c.receiver == str(receiver),
                _i.c.sender == str(sender),
                _i.c.message_id == arrival.message_id,
            )
            .values(receipt_id=receipt_id, envelope=envelope)
        )
        if done.rowcount == 0:
            self._connection.execute(
                insert(_i).values(
                    receiver=str(receiver),
                    sender=str(sender),
                    message_id=arrival.message_id,
                    incarnation=arrival.incarnation,
                    sequence=arrival.sequence,
                    digest=arrival.digest,
                    receipt_id=receipt_id,
                    envelope=envelope,
                    arrived_at=at,
                )
            )

    def add_receipt(self, org: OrgId, receipt_id: str, peer: OrgId, envelope: bytes) -> None:
        """See Inbox.add_receipt. A receipt that came before is the same receipt."""
        if self.receipt(org, receipt_id) is None:
            self._connection.execute(
                insert(tables.receipts).values(
                    org=str(org), receipt_id=receipt_id, peer=str(peer), envelope=envelope
                )
            )

    def receipt(self, org: OrgId, receipt_id: str) -> bytes | None:
        """See Inbox.receipt."""
        t = tables.receipts
        return self._connection.execute(
            select(t.c.envelope).where(t.c.org == str(org), t.c.receipt_id == receipt_id)
        ).scalar()

    def park(self, receiver: OrgId, event: ParkedEvent, at: datetime) -> None:
        """See Inbox.park."""
        self._connection.execute(
            insert(_p).values(
                receiver=str(receiver),
                event_id=event.event_id,
                message_id=event.message_id,
                sender=str(event.sender),
                reason=event.reason,
                parked_at=at,
            )
        )
        rows = [
            {"receiver": str(receiver), "case_id": case_id, "event_id": event.event_id}
            for case_id in dict.fromkeys(event.case_ids)
        ]
        if rows:
            self._connection.execute(insert(_pc), rows)

    def parked(self, receiver: OrgId, case_id: str) -> Sequence[ParkedEvent]:
        """See Inbox.parked."""
        rows = self._connection.execute(
            select(*_PARKED)
            .join(
                _pc,
                (_pc.c.receiver == _p.c.receiver) & (_pc.c.event_id == _p.c.event_id),
            )
            .where(_p.c.receiver == str(receiver), _pc.c.case_id == case_id)
            .order_by(_p.c.number)
        ).all()
        return [self._parked_event(receiver, row) for row in rows]

    def parked_in(self, receiver: OrgId, message_id: str) -> Sequence[ParkedEvent]:
        """See Inbox.parked_in."""
        rows = self._connection.execute(
            select(*_PARKED)
            .where(_p.c.receiver == str(receiver), _p.c.message_id == message_id)
            .order_by(_p.c.number)
        ).all()
        return [self._parked_event(receiver, row) for row in rows]

    def _parked_event(self, receiver: OrgId, row: Any) -> ParkedEvent:
        event_id, message_id, sender, reason = tuple(row)
        cases = self._connection.execute(
            select(_pc.c.case_id).where(_pc.c.receiver == str(receiver), _pc.c.event_id == event_id)
        )
        case_ids = tuple(case_id for (case_id,) in cases)
        return ParkedEvent(event_id, message_id, OrgId.parse(sender), case_ids, reason)

    def unpark(self, receiver: OrgId, event_id: str) -> None:
        """See Inbox.unpark."""
        for table in (_p, _pc):
            self._connection.execute(
                delete(table).where(table.c.receiver == str(receiver), table.c.event_id == event_id)
            )

    def quarantine(
        self, receiver: OrgId, digest: str, reason: str, data: bytes, at: datetime
    ) -> bool:
        """See Inbox.quarantine."""
        t = tables.quarantine
        known = self._connection.execute(
            select(t.c.digest).where(t.c.receiver == str(receiver), t.c.digest == digest)
        ).first()
        if known is None:
            self._connection.execute(
                insert(t).values(
                    receiver=str(receiver), digest=digest, reason=reason, data=data, arrived_at=at
                )
            )
        return known is None

    def quarantined(self, receiver: OrgId) -> Sequence[tuple[str, str]]:
        """See Inbox.quarantined."""
        t = tables.quarantine
        rows = self._connection.execute(
            select(t.c.digest, t.c.reason)
            .where(t.c.receiver == str(receiver))
            .order_by(t.c.arrived_at)
        )
        return [(row[0], row[1]) for row in rows]
