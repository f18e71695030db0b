"""The outbox in SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, exists, func, select, update

from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import Delivery, MessageState, OutMessage
from gateway.store import tables
from gateway.store.statements import Cursor, Statement, given, insertion

_d, _l, _o = tables.deliveries, tables.sending_lanes, tables.outbox
COLUMNS = (
    _o.c.message_id,
    _o.c.sender,
    _o.c.receiver,
    _o.c.incarnation,
    _o.c.sequence,
    _o.c.digest,
    _o.c.envelope,
    _o.c.state,
    _o.c.attempts,
    _o.c.receipt_id,
    _o.c.waits_since,
)


_DELIVERY = (_d.c.number, _d.c.sender, _d.c.receiver, _d.c.event_id, _d.c.waits_since)
_DELIVER = insertion(_d, "number", "message_id", "held_until", "waits_since")
_WAITING = Statement(
    select(*_DELIVERY)
    .where(_d.c.message_id.is_(None), _d.c.held_until.is_(None))
    .order_by(_d.c.number)
    .limit(bindparam("limit"))
)
_WAITING_ON = Statement(
    select(*_DELIVERY)
    .where(_d.c.message_id.is_(None), _d.c.held_until.is_(None))
    .where(*given(_d.c.sender, _d.c.receiver))
    .order_by(_d.c.number)
    .limit(bindparam("limit"))
)
_HOLD_BACK = Statement(
    update(_d)
    .where(_d.c.message_id.is_(None))
    .where(*given(_d.c.sender, _d.c.receiver))
    .values(held_until=bindparam("until"))
)
_newer = _d.alias()
_RELEASE = Statement(
    update(_d)
    .where(_d.c.held_until.is_not(None), _d.c.message_id.is_(None))
    .where(
        (_d.c.held_until <= bindparam("now", type_=_d.c.held_until.type))
        | exists(
            select(_newer.c.number).where(
                _newer.c.message_id.is_(None),
                _newer.c.held_until.is_(None),
                _newer.c.sender == _d.c.sender,
                _newer.c.receiver == _d.c.receiver,
            )
        )
    )
    .values(held_until=None)
)
_SENT = Statement(
    update(_o)
    .where(_o.c.message_id == bindparam("message"), _o.c.next_attempt.is_not(None))
    .values(
        attempts=_o.c.attempts + 1,
        next_attempt=bindparam("attempt"),
        state=case((_o.c.state == MessageState.READY, MessageState.SENT), else_=_o.c.state),
    )
)
_TAKE_BACK = Statement(
    update(_o)
    .where(_o.c.message_id == bindparam("message"), _o.c.next_attempt.is_not(None))
    .where(_o.c.attempts == bindparam("before") + 1)
    .values(
        attempts=_o.c.attempts - 1,
        next_attempt=tables.AT_ONCE,
        state=case(
            ((_o.c.state == MessageState.SENT) & (_o.c.attempts == 1), MessageState.READY),
            else_=_o.c.state,
        ),
    )
)
_TIE = Statement(
    update(_d).where(_d.c.number == bindparam("delivery")).values(message_id=bindparam("message"))
)
_EVENT_IDS = Statement(select(_d.c.event_id).where(*given(_d.c.message_id)).order_by(_d.c.number))
_LANE = Statement(
    select(_l.c.incarnation, _l.c.next_sequence, _l.c.head_hash).where(
        *given(_l.c.sender, _l.c.receiver)
    )
)
_ADVANCE = Statement(
    update(_l)
    .where(*given(_l.c.sender, _l.c.receiver))
    .values({name: bindparam(name) for name in ("incarnation", "next_sequence", "head_hash")})
)
_OPEN_LANE = insertion(_l)
_PACK = insertion(_o, "receipt_id")
_FIND = Statement(select(*COLUMNS).where(*given(_o.c.message_id, _o.c.sender)))
_CLOSE = Statement(
    update(_o)
    .where(*given(_o.c.message_id))
    .values({name: bindparam(name) for name in ("state", "receipt_id", "next_attempt")})
)


def message_of(row: Sequence[Any]) -> OutMessage:
    """Return the message that stands in a row of COLUMNS."""
    message_id, sender, receiver, incarnation, sequence, digest, envelope, *rest = row
    state, attempts, receipt_id, waits_since = rest
    return OutMessage(
        message_id=message_id,
        sender=OrgId.parse(sender),
        receiver=OrgId.parse(receiver),
        incarnation=incarnation,
        sequence=sequence,
        digest=digest,
        envelope=envelope,
        state=MessageState(state),
        attempts=attempts,
        receipt_id=receipt_id,
        waits_since=waits_since,
    )


def _delivery(row: Sequence[Any]) -> Delivery:
    number, sender, receiver, event_id, waits_since = row
    return Delivery(number, OrgId.parse(sender), OrgId.parse(receiver), event_id, waits_since)


class SqlOutbox:
    """Implements gateway.ports.outbox.Outbox."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self._connection = connection
        self._cursor = cursor

    def deliver(self, sender: OrgId, receivers: Sequence[OrgId], event_id: str) -> None:
        """See Outbox.deliver."""
        self._cursor.change_each(
            _DELIVER,
            [
                {"sender": str(sender), "receiver": str(receiver), "event_id": event_id}
                for receiver in receivers
            ],
        )

    def waiting(self, limit: int) -> Sequence[Delivery]:
        """See Outbox.waiting."""
        return [_delivery(row) for row in self._cursor.rows(_WAITING, limit=limit)]

    def waiting_lanes(self) -> Sequence[tuple[OrgId, OrgId]]:
        """See Outbox.waiting_lanes."""
        rows = self._connection.execute(
            select(_d.c.sender, _d.c.receiver)
            .where(_d.c.message_id.is_(None), _d.c.held_until.is_(None))
            .group_by(_d.c.sender, _d.c.receiver)
            .order_by(func.min(_d.c.number))
        )
        return [(OrgId.parse(sender), OrgId.parse(receiver)) for sender, receiver in rows]

    def waiting_on(self, sender: OrgId, receiver: OrgId, limit: int) -> Sequence[Delivery]:
        """See Outbox.waiting_on."""
        key = {"sender": str(sender), "receiver": str(receiver)}
        return [_delivery(row) for row in self._cursor.rows(_WAITING_ON, **key, limit=limit)]

    def hold_back(self, sender: OrgId, receiver: OrgId, until: datetime) -> None:
        """See Outbox.hold_back."""
        self._cursor.change(_HOLD_BACK, sender=str(sender), receiver=str(receiver), until=until)

    def withdraw(self, number: int) -> None:
        """See Outbox.withdraw."""
        self._connection.execute(delete(_d).where(_d.c.number == number, _d.c.message_id.is_(None)))

    def release(self, now: datetime) -> None:
        """See Outbox.release."""
        self._cursor.change(_RELEASE, now=now)

    def lane(self, sender: OrgId, receiver: OrgId) -> SendingLane:
        """See Outbox.lane."""
        row = self._cursor.row(_LANE, sender=str(sender), receiver=str(receiver))
        return SendingLane() if row is None else SendingLane(*row)

    def pack(self, message: OutMessage, numbers: Sequence[int], lane: SendingLane) -> None:
        """See Outbox.pack."""
        key = {"sender": str(message.sender), "receiver": str(message.receiver)}
        self._cursor.change(
            _PACK,
            **key,
            message_id=message.message_id,
            incarnation=message.incarnation,
            sequence=message.sequence,
            digest=message.digest,
            envelope=message.envelope,
            state=MessageState.READY,
            attempts=0,
            next_attempt=tables.AT_ONCE,
            waits_since=message.waits_since,
        )
        self._cursor.change_each(
            _TIE, [{"delivery": number, "message": message.message_id} for number in numbers]
        )
        values = {
            "incarnation": lane.incarnation,
            "next_sequence": lane.next_sequence,
            "head_hash": lane.head_hash,
        }
        if not self._cursor.change(_ADVANCE, **key, **values):
            self._cursor.change(_OPEN_LANE, **key, **values)

    def due(
        self, now: datetime, limit: int, passing_over: Collection[OrgId] = ()
    ) -> Sequence[OutMessage]:
        """See Outbox.due. The index gives the order, so a long queue costs no more than a page."""
        query = select(*COLUMNS).where(_o.c.next_attempt <= now)
        if passing_over:
            query = query.where(_o.c.receiver.not_in([str(receiver) for receiver in passing_over]))
        place = (_o.c.sender, _o.c.receiver, _o.c.incarnation, _o.c.sequence)
        rows = self._connection.execute(query.order_by(_o.c.next_attempt, *place).limit(limit))
        return [message_of(row) for row in rows]

    def sent(self, message_ids: Sequence[str], next_attempt: datetime) -> None:
        """See Outbox.sent. A receipt may have overtaken the note; then nothing is due any more."""
        self._cursor.change_each(
            _SENT, [{"message": one, "attempt": next_attempt} for one in message_ids]
        )

    def take_back(self, attempts: Mapping[str, int]) -> None:
        """See Outbox.take_back."""
        self._cursor.change_each(
            _TAKE_BACK, [{"message": one, "before": before} for one, before in attempts.items()]
        )

    def put_off(self, message_id: str, until: datetime) -> None:
        """See Outbox.put_off."""
        self._connection.execute(
            update(_o)
            .where(_o.c.message_id == message_id, _o.c.next_attempt.is_not(None))
            .values(next_attempt=until)
        )

    def find(self, sender: OrgId, message_id: str) -> OutMessage | None:
        """See Outbox.find."""
        row = self._cursor.row(_FIND, message_id=message_id, sender=str(sender))
        return None if row is None else message_of(row)

    def between(
        self, sender: OrgId, receiver: OrgId, incarnation: int, first: int, last: int
    ) -> Sequence[OutMessage]:
        """See Outbox.between."""
        rows = self._connection.execute(
            select(*COLUMNS)
            .where(
                _o.c.sender == str(sender),
                _o.c.receiver == str(receiver),
                _o.c.incarnation == incarnation,
                _o.c.sequence.between(first, last),
            )
            .order_by(_o.c.sequence)
        )
        return [message_of(row) for row in rows]

    def close(
        self, message_id: str, state: MessageState, receipt_id: str, ask_again: datetime | None
    ) -> None:
        """See Outbox.close. A message with a final receipt is not sent again of itself."""
        self._cursor.change(
            _CLOSE,
            message_id=message_id,
            state=state,
            receipt_id=receipt_id,
            next_attempt=ask_again,
        )

    def event_ids(self, message_id: str) -> Sequence[str]:
        """See Outbox.event_ids."""
        return [row[0] for row in self._cursor.rows(_EVENT_IDS, message_id=message_id)]

    def make_due(self, now: datetime) -> int:
        """See Outbox.make_due."""
        done = self._connection.execute(
            update(_o).where(_o.c.next_attempt.is_not(None)).values(next_attempt=now)
        )
        return int(done.rowcount)
