"""The lanes of an organisation in SQL, counted without reading a message."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Integer, case, cast, func, select, union
from sqlalchemy.sql.elements import ColumnElement

from gateway.domain.lane_balance import LaneBalance
from gateway.domain.lanes import FIRST
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState
from gateway.store import tables

_o, _i, _r = tables.outbox, tables.inbox, tables.receipts
_sl, _rl = tables.sending_lanes, tables.receiving_lanes
_ON_ITS_WAY = (MessageState.READY, MessageState.SENT, MessageState.PARKED)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


_proved = _r.c.receipt_id.is_not(None)
_SENT = (
    select(
        _o.c.receiver,
        _o.c.incarnation,
        func.max(_o.c.sequence).label("numbered"),
        func.count().label("stored"),
        _count((_o.c.state == MessageState.APPLIED) & _proved).label("receipted"),
        _count((_o.c.state == MessageState.REFUSED) & _proved).label("rejected"),
        _count(_o.c.state.in_(_ON_ITS_WAY) & _o.c.next_attempt.is_not(None)).label("in_flight"),
        _count(_o.c.state == MessageState.DEAD).label("dead"),
        _count(_o.c.state == MessageState.REPLACED).label("replaced"),
    )
    .select_from(_o.outerjoin(_r, (_r.c.org == _o.c.sender) & (_r.c.receipt_id == _o.c.receipt_id)))
    .group_by(_o.c.receiver, _o.c.incarnation)
)
_ANSWERED = (
    select(_i.c.sender, func.count().label("answered"))
    .select_from(
        _i.join(
            _rl,
            (_rl.c.receiver == _i.c.receiver)
            & (_rl.c.sender == _i.c.sender)
            & (_rl.c.incarnation == _i.c.incarnation)
            & (_rl.c.next_sequence > _i.c.sequence),
        ).join(_r, (_r.c.org == _i.c.receiver) & (_r.c.receipt_id == _i.c.receipt_id))
    )
    .group_by(_i.c.sender)
)


class SqlLanes:
    """Implements gateway.ports.lanes.Lanes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def peers(self, org: OrgId) -> Sequence[OrgId]:
        """See Lanes.peers."""
        both = union(
            select(_sl.c.receiver.label("peer")).where(
                _sl.c.sender == str(org), _sl.c.next_sequence > FIRST
            ),
            select(_rl.c.sender.label("peer")).where(
                _rl.c.receiver == str(org), _rl.c.next_sequence > FIRST
            ),
        ).subquery()
        rows = self._connection.execute(select(both.c.peer).order_by(both.c.peer))
        return [OrgId.parse(peer) for (peer,) in rows]

    def balances(self, org: OrgId) -> Sequence[LaneBalance]:
        """See Lanes.balances."""
        found: dict[tuple[str, int], LaneBalance] = {}
        for counts in self._connection.execute(_SENT.where(_o.c.sender == str(org))).mappings():
            numbers = {name: int(count) for name, count in counts.items() if name != "receiver"}
            peer = OrgId.parse(counts["receiver"])
            found[str(peer), numbers["incarnation"]] = LaneBalance(peer, **numbers)
        present: dict[str, int] = {}
        for row in self._connection.execute(select(_sl).where(_sl.c.sender == str(org))):
            present[row.receiver] = row.incarnation
            known = found.get(
                (row.receiver, row.incarnation), LaneBalance(OrgId.parse(row.receiver))
            )
            found[row.receiver, row.incarnation] = replace(
                known, incarnation=row.incarnation, numbered=row.next_sequence - 1
            )
        self._add_taken(org, present, found)
        return [found[key] for key in sorted(found)]

    def _add_taken(
        self, org: OrgId, present: Mapping[str, int], found: dict[tuple[str, int], LaneBalance]
    ) -> None:
        """Count the lane from each peer beside the present incarnation of the lane to it."""
        answered = {
            row.sender: int(row.answered)
            for row in self._connection.execute(_ANSWERED.where(_i.c.receiver == str(org)))
        }
        for row in self._connection.execute(select(_rl).where(_rl.c.receiver == str(org))):
            key = (row.sender, present.get(row.sender, 1))
            known = found.get(key, LaneBalance(OrgId.parse(row.sender), key[1]))
            found[key] = replace(
                known, received=row.next_sequence - 1, answered=answered.get(row.sender, 0)
            )
