"""A recovered sender's lane begins anew in SQL."""

from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from gateway.domain.dead_letters import DeadLetterKind
from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState
from gateway.store import tables
from gateway.store.dead_letters import SqlDeadLetters

_d, _l, _o = tables.deliveries, tables.sending_lanes, tables.outbox
_UNRECEIPTED = (MessageState.READY, MessageState.SENT, MessageState.DEAD)


def begin_lane(
    connection: Connection,
    org: OrgId,
    peer: OrgId,
    lane: SendingLane,
    taken: LaneHead | None,
    at: datetime,
) -> None:
    """See Recoveries.begin_lane."""
    not_taken = [
        _o.c.sender == str(org),
        _o.c.receiver == str(peer),
        _o.c.state.in_(_UNRECEIPTED),
    ]
    if taken is not None:
        not_taken.append(
            or_(_o.c.incarnation != taken.incarnation, _o.c.sequence > taken.last_sequence)
        )
    lost = select(_o.c.message_id).where(*not_taken)
    SqlDeadLetters(connection).heal_each(org, DeadLetterKind.UNRECEIPTED, lost, at)
    term = select(_o.c.waits_since).where(_o.c.message_id == _d.c.message_id).scalar_subquery()
    connection.execute(
        update(_d)
        .where(_d.c.message_id.in_(lost))
        .values(message_id=None, held_until=None, waits_since=term)
    )
    connection.execute(
        update(_o)
        .where(*not_taken)
        .values(state=MessageState.REPLACED, next_attempt=None, envelope=b"")
    )
    waiting = (_d.c.sender == str(org), _d.c.receiver == str(peer), _d.c.message_id.is_(None))
    connection.execute(update(_d).where(*waiting).values(held_until=None))
    values = {
        "incarnation": lane.incarnation,
        "next_sequence": lane.next_sequence,
        "head_hash": lane.head_hash,
    }
    ends = (_l.c.sender == str(org), _l.c.receiver == str(peer))
    if connection.execute(update(_l).where(*ends).values(**values)).rowcount == 0:
        connection.execute(insert(_l).values(sender=str(org), receiver=str(peer), **values))
