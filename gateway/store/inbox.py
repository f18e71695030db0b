"""The inbox in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from gateway.domain.lanes import Arrival, ReceivingLane
from gateway.domain.organisations import OrgId
from gateway.ports.inbox import InMessage, ParkedEvent
from gateway.store import tables
from gateway.store.statements import Cursor, Statement, given, insertion

_i, _l, _p, _pc = (
    tables.inbox,
    tables.receiving_lanes,
    tables.parked_events,
    tables.parked_cases,
)
_PARKED = (_p.c.event_id, _p.c.message_id, _p.c.sender, _p.c.reason, _p.c.tries)
_LANE_COLUMNS = ("incarnation", "next_sequence", "head_hash", "closed_after")
_LANE = Statement(
    select(*(_l.c[name] for name in _LANE_COLUMNS)).where(*given(_l.c.receiver, _l.c.sender))
)
_ADVANCE = Statement(
    update(_l)
    .where(*given(_l.c.receiver, _l.c.sender))
    .values({name: bindparam(name) for name in _LANE_COLUMNS})
)
_OPEN_LANE = insertion(_l)
_MESSAGE = select(
    _i.c.message_id,
    _i.c.digest,
    _i.c.incarnation,
    _i.c.sequence,
    _i.c.receipt_id,
    _i.c.envelope,
    _i.c.arrived_at,
).where(*given(_i.c.receiver, _i.c.sender))
_BY_ID = Statement(_MESSAGE.where(*given(_i.c.message_id)))
_BY_NUMBER = Statement(_MESSAGE.where(*given(_i.c.incarnation, _i.c.sequence)))
_TAKE = Statement(
    update(_i)
    .where(*given(_i.c.receiver, _i.c.sender, _i.c.message_id))
    .values(receipt_id=bindparam("receipt_id"), envelope=bindparam("envelope"))
)
_NEW = insertion(_i)
_RECEIPT = Statement(
    select(tables.receipts.c.envelope).where(
        *given(tables.receipts.c.org, tables.receipts.c.receipt_id)
    )
)
_ADD_RECEIPT = insertion(tables.receipts)
_PARKED_OF_CASE = Statement(
    select(*_PARKED)
    .join(_pc, (_pc.c.receiver == _p.c.receiver) & (_pc.c.event_id == _p.c.event_id))
    .where(*given(_p.c.receiver, _pc.c.case_id))
    .order_by(_p.c.number)
)
_PARKED_IN = Statement(
    select(*_PARKED).where(*given(_p.c.receiver, _p.c.message_id)).order_by(_p.c.number)
)


class SqlInbox:
    """Implements gateway.ports.inbox.Inbox."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self._connection = connection
        self._cursor = cursor

    def lane(self, receiver: OrgId, sender: OrgId) -> ReceivingLane:
        """See Inbox.lane."""
        row = self._cursor.row(_LANE, receiver=str(receiver), sender=str(sender))
        return ReceivingLane() if row is None else ReceivingLane(*row)

    def advance(self, receiver: OrgId, sender: OrgId, lane: ReceivingLane) -> None:
        """See Inbox.advance."""
        values = {
            "receiver": str(receiver),
            "sender": str(sender),
            "incarnation": lane.incarnation,
            "next_sequence": lane.next_sequence,
            "head_hash": lane.head_hash,
            "closed_after": lane.closed_after,
        }
        if not self._cursor.change(_ADVANCE, **values):
            self._cursor.change(_OPEN_LANE, **values)

    def _one(
        self, statement: Statement, receiver: OrgId, sender: OrgId, **place: Any
    ) -> InMessage | None:
        row = self._cursor.row(statement, receiver=str(receiver), sender=str(sender), **place)
        return None if row is None else InMessage(row[0], sender, *row[1:])

    def by_id(self, receiver: OrgId, sender: OrgId, message_id: str) -> InMessage | None:
        """See Inbox.by_id."""
        return self._one(_BY_ID, receiver, sender, message_id=message_id)

    def by_number(
        self, receiver: OrgId, sender: OrgId, incarnation: int, sequence: int
    ) -> InMessage | None:
        """See Inbox.by_number."""
        place = {"incarnation": incarnation, "sequence": sequence}
        return self._one(_BY_NUMBER, receiver, sender, **place)

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
        values = {
            "receiver": str(receiver),
            "sender": str(sender),
            "message_id": arrival.message_id,
            "receipt_id": receipt_id,
            "envelope": envelope,
        }
        if not self._cursor.change(_TAKE, **values):
            self._cursor.change(
                _NEW,
                **values,
                incarnation=arrival.incarnation,
                sequence=arrival.sequence,
                digest=arrival.digest,
                arrived_at=at,
            )

    def forget(self, receiver: OrgId, sender: OrgId, message_id: str) -> None:
        """See Inbox.forget."""
        self._connection.execute(
            delete(_i).where(
                _i.c.receiver == str(receiver),
                _i.c.sender == str(sender),
                _i.c.message_id == message_id,
                _i.c.receipt_id == "",
            )
        )

    def add_receipt(self, org: OrgId, receipt_id: str, peer: OrgId, envelope: bytes) -> None:
        """See Inbox.add_receipt. A receipt that came before is the same receipt."""
        if self.receipt(org, receipt_id) is None:
            self._cursor.change(
                _ADD_RECEIPT, org=str(org), receipt_id=receipt_id, peer=str(peer), envelope=envelope
            )

    def receipt(self, org: OrgId, receipt_id: str) -> bytes | None:
        """See Inbox.receipt."""
        row = self._cursor.row(_RECEIPT, org=str(org), receipt_id=receipt_id)
        return row[0] if row else None

    def park(self, receiver: OrgId, event: ParkedEvent, at: datetime, next_try: datetime) -> None:
        """See Inbox.park."""
        self._connection.execute(
            insert(_p).values(
                receiver=str(receiver),
                event_id=event.event_id,
                message_id=event.message_id,
                sender=str(event.sender),
                reason=event.reason,
                parked_at=at,
                next_try=next_try,
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
        rows = self._cursor.rows(_PARKED_OF_CASE, receiver=str(receiver), case_id=case_id)
        return [self._parked_event(receiver, row) for row in rows]

    def parked_in(self, receiver: OrgId, message_id: str) -> Sequence[ParkedEvent]:
        """See Inbox.parked_in."""
        rows = self._cursor.rows(_PARKED_IN, receiver=str(receiver), message_id=message_id)
        return [self._parked_event(receiver, row) for row in rows]

    def parked_event(self, receiver: OrgId, event_id: str) -> ParkedEvent | None:
        """See Inbox.parked_event."""
        row = self._connection.execute(
            select(*_PARKED).where(_p.c.receiver == str(receiver), _p.c.event_id == event_id)
        ).first()
        return None if row is None else self._parked_event(receiver, row)

    def due_parked(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, ParkedEvent]]:
        """See Inbox.due_parked."""
        rows = self._connection.execute(
            select(*_PARKED, _p.c.receiver)
            .where(_p.c.next_try <= now)
            .order_by(_p.c.next_try, _p.c.number)
            .limit(limit)
        ).all()
        receivers = [OrgId.parse(row.receiver) for row in rows]
        return [
            (receiver, self._parked_event(receiver, row[:-1]))
            for receiver, row in zip(receivers, rows, strict=True)
        ]

    def try_again(
        self, receiver: OrgId, event_id: str, tries: int, next_try: datetime | None
    ) -> None:
        """See Inbox.try_again."""
        self._connection.execute(
            update(_p)
            .where(_p.c.receiver == str(receiver), _p.c.event_id == event_id)
            .values(tries=tries, next_try=next_try)
        )

    def _parked_event(self, receiver: OrgId, row: Any) -> ParkedEvent:
        event_id, message_id, sender, reason, tries = tuple(row)
        cases = self._connection.execute(
            select(_pc.c.case_id).where(_pc.c.receiver == str(receiver), _pc.c.event_id == event_id)
        )
        case_ids = tuple(case_id for (case_id,) in cases)
        return ParkedEvent(event_id, message_id, OrgId.parse(sender), case_ids, reason, tries)

    def unpark(self, receiver: OrgId, event_id: str) -> None:
        """See Inbox.unpark."""
        for table in (_p, _pc):
            self._connection.execute(
                delete(table).where(table.c.receiver == str(receiver), table.c.event_id == event_id)
            )
