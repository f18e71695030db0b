"""The outbox in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import Delivery, MessageState, OutMessage
from gateway.store import tables

_d, _l, _o = tables.deliveries, tables.sending_lanes, tables.outbox
_COLUMNS = (
    _o.c.message_id,
    _o.c.sender,
    _o.c.receiver,
    _o.c.incarnation,
    _o.c.sequence,
    _o.c.digest,
    _o.c.envelope,
    _o.c.state,
    _o.c.attempts,
)


def _message(row: Any) -> OutMessage:
    return OutMessage(
        message_id=row.message_id,
        sender=OrgId.parse(row.sender),
        receiver=OrgId.parse(row.receiver),
        incarnation=row.incarnation,
        sequence=row.sequence,
        digest=row.digest,
        envelope=row.envelope,
        state=MessageState(row.state),
        attempts=row.attempts,
    )


class SqlOutbox:
    """Implements gateway.ports.outbox.Outbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deliver(self, sender: OrgId, receivers: Sequence[OrgId], event_id: str) -> None:
        """See Outbox.deliver."""
        if receivers:
            self._connection.execute(
                insert(_d),
                [
                    {"sender": str(sender), "receiver": str(receiver), "event_id": event_id}
                    for receiver in receivers
                ],
            )

    def waiting(self, limit: int) -> Sequence[Delivery]:
        """See Outbox.waiting."""
        rows = self._connection.execute(
            select(_d.c.number, _d.c.sender, _d.c.receiver, _d.c.event_id)
            .where(_d.c.message_id.is_(None), _d.c.held_until.is_(None))
            .order_by(_d.c.number)
            .limit(limit)
        )
        return [Delivery(n, OrgId.parse(s), OrgId.parse(r), e) for n, s, r, e in rows]

    def hold_back(self, numbers: Sequence[int], until: datetime) -> None:
        """See Outbox.hold_back."""
        self._connection.execute(
            update(_d).where(_d.c.number.in_(numbers)).values(held_until=until)
        )

    def release(self, now: datetime) -> None:
        """See Outbox.release."""
        other = _d.alias()
        newer = select(other.c.number).where(
            other.c.message_id.is_(None),
            other.c.held_until.is_(None),
            other.c.sender == _d.c.sender,
            other.c.receiver == _d.c.receiver,
        )
        self._connection.execute(
            update(_d)
            .where(_d.c.held_until.is_not(None), _d.c.message_id.is_(None))
            .where((_d.c.held_until <= now) | exists(newer))
            .values(held_until=None)
        )

    def lane(self, sender: OrgId, receiver: OrgId) -> SendingLane:
        """See Outbox.lane."""
        row = self._connection.execute(
            select(_l.c.incarnation, _l.c.next_sequence, _l.c.head_hash).where(
                _l.c.sender == str(sender), _l.c.receiver == str(receiver)
            )
        ).first()
        return SendingLane() if row is None else SendingLane(*row)

    def pack(self, message: OutMessage, numbers: Sequence[int], lane: SendingLane) -> None:
        """See Outbox.pack."""
        self._connection.execute(
            insert(_o).values(
                message_id=message.message_id,
                sender=str(message.sender),
                receiver=str(message.receiver),
                incarnation=message.incarnation,
                sequence=message.sequence,
                digest=message.digest,
                envelope=message.envelope,
                state=MessageState.READY,
                attempts=0,
                next_attempt=tables.AT_ONCE,
            )
        )
        self._connection.execute(
            update(_d).where(_d.c.number.in_(numbers)).values(message_id=message.message_id)
        )
        values = {
            "incarnation": lane.incarnation,
            "next_sequence": lane.next_sequence,
            "head_hash": lane.head_hash,
        }
        key = {"sender": str(message.sender), "receiver": str(message.receiver)}
        done = self._connection.execute(
            update(_l)
            .where(_l.c.sender == key["sender"], _l.c.receiver == key["receiver"])
            .values(**values)
        )
        if done.rowcount == 0:
            self._connection.execute(insert(_l).values(**key, **values))

    def due(self, now: datetime, limit: int) -> Sequence[OutMessage]:
        """See Outbox.due."""
        rows = self._connection.execute(
            select(*_COLUMNS)
            .where(_o.c.next_attempt <= now)
            .order_by(_o.c.sender, _o.c.receiver, _o.c.incarnation, _o.c.sequence)
            .limit(limit)
        )
        return [_message(row) for row in rows]

    def sent(self, message_ids: Sequence[str], next_attempt: datetime) -> None:
        """See Outbox.sent. A receipt may have overtaken the note; then nothing is due any more."""
        mine = _o.c.message_id.in_(message_ids)
        self._connection.execute(
            update(_o)
            .where(mine, _o.c.next_attempt.is_not(None))
            .values(attempts=_o.c.attempts + 1, next_attempt=next_attempt)
        )
        self._connection.execute(
            update(_o).where(mine, _o.c.state == MessageState.READY).values(state=MessageState.SENT)
        )

    def find(self, sender: OrgId, message_id: str) -> OutMessage | None:
        """See Outbox.find."""
        row = self._connection.execute(
            select(*_COLUMNS).where(_o.c.message_id == message_id, _o.c.sender == str(sender))
        ).first()
        return None if row is None else _message(row)

    def between(
        self, sender: OrgId, receiver: OrgId, incarnation: int, first: int, last: int
    ) -> Sequence[OutMessage]:
        """See Outbox.between."""
        rows = self._connection.execute(
            select(*_COLUMNS)
            .where(
                _o.c.sender == str(sender),
                _o.c.receiver == str(receiver),
                _o.c.incarnation == incarnation,
                _o.c.sequence.between(first, last),
            )
            .order_by(_o.c.sequence)
        )
        return [_message(row) for row in rows]

    def close(
        self, message_id: str, state: MessageState, receipt_id: str, ask_again: datetime | None
    ) -> None:
        """See Outbox.close. A message with a final receipt is not sent again of itself."""
        self._connection.execute(
            update(_o)
            .where(_o.c.message_id == message_id)
            .values(state=state, receipt_id=receipt_id, next_attempt=ask_again)
        )

    def event_ids(self, message_id: str) -> Sequence[str]:
        """See Outbox.event_ids."""
        rows = self._connection.execute(
            select(_d.c.event_id).where(_d.c.message_id == message_id).order_by(_d.c.number)
        )
        return [row[0] for row in rows]

    def make_due(self, now: datetime) -> int:
        """See Outbox.make_due."""
        done = self._connection.execute(
            update(_o).where(_o.c.next_attempt.is_not(None)).values(next_attempt=now)
        )
        return int(done.rowcount)
