"""The backlog in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, literal, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState, OutMessage
from gateway.store import tables
from gateway.store.outbox import COLUMNS, message_of

_d, _o = tables.deliveries, tables.outbox
_UNANSWERED = (MessageState.READY, MessageState.SENT)
_RECEIPTED = (MessageState.APPLIED, MessageState.REFUSED, MessageState.PARKED)


def _receipted_beyond(
    sender: OrgId, receiver: OrgId, taken: LaneHead, before: int
) -> tuple[ColumnElement[bool], ...]:
    beyond = (_o.c.incarnation == taken.incarnation) & (_o.c.sequence > taken.last_sequence)
    return (
        _o.c.sender == str(sender),
        _o.c.receiver == str(receiver),
        _o.c.incarnation < before,
        beyond | (_o.c.incarnation > taken.incarnation),
        _o.c.state.in_(_RECEIPTED),
    )


class SqlBacklog:
    """Implements gateway.ports.backlog.Backlog."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def revive(
        self,
        sender: OrgId,
        receiver: OrgId,
        incarnation: int,
        first: int,
        last: int,
        now: datetime,
        *,
        receipted: bool = False,
    ) -> int:
        """See Backlog.revive."""
        query = update(_o).where(
            _o.c.sender == str(sender),
            _o.c.receiver == str(receiver),
            _o.c.incarnation == incarnation,
            _o.c.sequence.between(first, last),
            _o.c.state != MessageState.REPLACED,  # what it carried goes under another number
        )
        if not receipted:
            query = query.where(_o.c.state.not_in(_RECEIPTED))
        done = self._connection.execute(
            query.values(
                state=case((_o.c.state == MessageState.DEAD, _o.c.state), else_=MessageState.SENT),
                next_attempt=now,
                waits_since=case(
                    (_o.c.state.in_(_RECEIPTED), literal(now, _o.c.waits_since.type)),
                    else_=_o.c.waits_since,
                ),
            )
        )
        return int(done.rowcount)

    def first_beyond(
        self, sender: OrgId, receiver: OrgId, taken: LaneHead, before: int
    ) -> OutMessage | None:
        """See Backlog.first_beyond."""
        row = self._connection.execute(
            select(*COLUMNS)
            .where(*_receipted_beyond(sender, receiver, taken, before))
            .order_by(_o.c.incarnation, _o.c.sequence)
            .limit(1)
        ).first()
        return None if row is None else message_of(row)

    def put_back(self, sender: OrgId, receiver: OrgId, taken: LaneHead, before: int) -> int:
        """See Backlog.put_back."""
        where = _receipted_beyond(sender, receiver, taken, before)
        denied = select(_o.c.message_id).where(*where)
        self._connection.execute(
            update(_d).where(_d.c.message_id.in_(denied)).values(message_id=None, held_until=None)
        )
        done = self._connection.execute(
            update(_o)
            .where(*where)
            .values(state=MessageState.REPLACED, next_attempt=None, envelope=b"")
        )
        return int(done.rowcount)

    def restart(self, message_id: str, now: datetime) -> None:
        """See Backlog.restart."""
        self._connection.execute(
            update(_o)
            .where(_o.c.message_id == message_id, _o.c.state == MessageState.DEAD)
            .values(state=MessageState.SENT, next_attempt=now, waits_since=now)
        )

    def overdue(self, before: datetime, limit: int) -> Sequence[OutMessage]:
        """See Backlog.overdue."""
        rows = self._connection.execute(
            select(*COLUMNS)
            .where(_o.c.next_attempt.is_not(None), _o.c.waits_since < before)
            .where(_o.c.state.in_(_UNANSWERED))
            .limit(limit)
        )
        return [message_of(row) for row in rows]

    def bury(self, message_id: str) -> None:
        """See Backlog.bury."""
        self._connection.execute(
            update(_o)
            .where(_o.c.message_id == message_id)
            .values(state=MessageState.DEAD, next_attempt=None)
        )
