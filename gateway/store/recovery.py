"""Recoveries in SQL. All of it is rare but `active`, which is read once in a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, exists, func, insert, select, update

from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import (
    PeerState,
    Recovery,
    RecoveryCause,
    RecoveryPeer,
    Waiver,
    WaiverReason,
)
from gateway.store import recovery_tables as own
from gateway.store import tables
from gateway.store.recovery_lanes import begin_lane
from gateway.store.statements import Cursor, Statement

_r, _p, _w = own.recoveries.c, own.recovery_peers.c, own.recovery_waivers.c
_part = own.returned_parts.c
_COLUMNS = (_r.recovery_id, _r.cause, _r.since, _r.facts_since, _r.witness, _r.ended_at)
_RUNNING = Statement(
    select(_r.org, *_COLUMNS).where(_r.ended_at.is_(None)).order_by(_r.recovery_id)
)


def put(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Replace the row with that key, or insert it."""
    where = [table.c[name] == value for name, value in key.items()]
    if connection.execute(update(table).where(*where).values(**values)).rowcount == 0:
        connection.execute(insert(table).values(**key, **values))


class SqlRecoveries:
    """Implements gateway.ports.recovery.Recoveries."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._active: dict[str, Recovery] | None = None
        self._changed = False

    def active(self, org: OrgId) -> Recovery | None:
        """See Recoveries.active.

        Read once for the many tasks of a transaction, unless one of them changed it: what that
        one wrote may be undone with its savepoint.
        """
        if self._active is None or self._changed:
            rows = self._cursor.rows(_RUNNING)
            self._active = {row[0]: _recovery_of(*row[1:]) for row in rows}
        return self._active.get(str(org))

    def unsettled(self) -> Sequence[tuple[OrgId, Recovery]]:
        """See Recoveries.unsettled."""
        late = exists().where(
            _p.org == _r.org, _p.recovery_id == _r.recovery_id, _p.state == PeerState.RETURNED
        )
        rows = self._connection.execute(_recovery(_r.org).where(_r.ended_at.is_(None) | late))
        return [(OrgId.parse(row.org), _to_recovery(row)) for row in rows]

    def latest(self, org: OrgId) -> Recovery | None:
        """See Recoveries.latest."""
        query = _recovery().where(_r.org == str(org)).order_by(_r.recovery_id.desc()).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else _to_recovery(row)

    def get(self, org: OrgId, recovery_id: str) -> Recovery | None:
        """See Recoveries.get."""
        query = _recovery().where(_r.org == str(org), _r.recovery_id == recovery_id)
        row = self._connection.execute(query).first()
        return None if row is None else _to_recovery(row)

    def put(self, org: OrgId, recovery: Recovery) -> None:
        """See Recoveries.put."""
        self._changed = True
        values = {
            "cause": recovery.cause,
            "since": recovery.since,
            "facts_since": recovery.facts_since,
            "witness": _text(recovery.witness),
            "ended_at": recovery.ended_at,
        }
        put(self._connection, own.recoveries, _key(org, recovery.id), values)

    def peers(self, org: OrgId, recovery_id: str, *states: PeerState) -> Sequence[RecoveryPeer]:
        """See Recoveries.peers."""
        query = _peer(org, recovery_id).order_by(_p.peer)
        if states:
            query = query.where(_p.state.in_(states))
        return [_to_peer(row) for row in self._connection.execute(query)]

    def peer(self, org: OrgId, recovery_id: str, peer: OrgId) -> RecoveryPeer | None:
        """See Recoveries.peer."""
        query = _peer(org, recovery_id).where(_p.peer == str(peer))
        row = self._connection.execute(query).first()
        return None if row is None else _to_peer(row)

    def put_peer(self, org: OrgId, recovery_id: str, peer: RecoveryPeer) -> None:
        """See Recoveries.put_peer."""
        values = {
            "state": peer.state,
            "ask_at": peer.ask_at,
            "asked": peer.asked,
            "received": _head_text(peer.received),
            "sent": _head_text(peer.sent),
            "answered_at": peer.answered_at,
            "directory": peer.directory,
        }
        key = {**_key(org, recovery_id), "peer": str(peer.peer)}
        put(self._connection, own.recovery_peers, key, values)

    def to_ask(
        self, org: OrgId, recovery_id: str, now: datetime, limit: int
    ) -> Sequence[RecoveryPeer]:
        """See Recoveries.to_ask."""
        query = _peer(org, recovery_id).where(_p.ask_at <= now).order_by(_p.ask_at, _p.peer)
        return [_to_peer(row) for row in self._connection.execute(query.limit(limit))]

    def count(self, org: OrgId, recovery_id: str) -> dict[PeerState, int]:
        """See Recoveries.count."""
        rows = self._connection.execute(
            select(_p.state, func.count())
            .where(_p.org == str(org), _p.recovery_id == recovery_id)
            .group_by(_p.state)
        )
        return {PeerState(state): number for state, number in rows}

    def add_part(
        self, org: OrgId, recovery_id: str, peer: OrgId, made_at: datetime, part: int, *, last: bool
    ) -> bool:
        """See Recoveries.add_part."""
        key = {**_key(org, recovery_id), "peer": str(peer), "made_at": made_at}
        put(self._connection, own.returned_parts, {**key, "part": part}, {"last": int(last)})
        where = [own.returned_parts.c[name] == value for name, value in key.items()]
        there = self._connection.execute(select(_part.part, _part.last).where(*where)).all()
        return any(row.last and row.part == len(there) for row in there)

    def add_waiver(self, org: OrgId, recovery_id: str, waiver: Waiver) -> None:
        """See Recoveries.add_waiver."""
        key = {**_key(org, recovery_id), "peer": str(waiver.peer), "post": waiver.post}
        values = {
            "request_id": waiver.request_id,
            "reason": waiver.reason,
            "decided_at": waiver.at,
        }
        put(self._connection, own.recovery_waivers, key, values)

    def waivers(self, org: OrgId, recovery_id: str) -> Sequence[Waiver]:
        """See Recoveries.waivers."""
        rows = self._connection.execute(
            select(_w.peer, _w.post, _w.request_id, _w.reason, _w.decided_at)
            .where(_w.org == str(org), _w.recovery_id == recovery_id)
            .order_by(_w.decided_at, _w.peer, _w.post)
        )
        return [
            Waiver(OrgId.parse(peer), post, request_id, WaiverReason(reason), at)
            for peer, post, request_id, reason, at in rows
        ]

    def last_stated(self, org: OrgId) -> datetime | None:
        """See Recoveries.last_stated."""
        e = tables.events.c
        return self._connection.execute(
            select(func.max(e.logged_at)).where(e.org == str(org), e.source == str(org))
        ).scalar()

    def parked(self, org: OrgId) -> Sequence[tuple[OrgId, str]]:
        """See Recoveries.parked."""
        p = tables.parked_events.c
        rows = self._connection.execute(
            select(p.sender, p.message_id).where(p.receiver == str(org)).order_by(p.number)
        )
        return [(OrgId.parse(s), message_id) for s, message_id in dict.fromkeys(map(tuple, rows))]

    def begin_lane(
        self, org: OrgId, peer: OrgId, lane: SendingLane, taken: LaneHead | None, at: datetime
    ) -> None:
        """See Recoveries.begin_lane."""
        begin_lane(self._connection, org, peer, lane, taken, at)


def _key(org: OrgId, recovery_id: str) -> dict[str, Any]:
    return {"org": str(org), "recovery_id": recovery_id}


def _recovery(*more: Any) -> Select[Any]:
    return select(*more, *_COLUMNS)


def _to_recovery(row: Any) -> Recovery:
    return _recovery_of(*row[-len(_COLUMNS) :])


def _recovery_of(  # as the columns stand
    recovery_id: str,
    cause: str,
    since: datetime,
    facts_since: datetime | None,
    witness: str | None,
    ended_at: datetime | None,
) -> Recovery:
    by = OrgId.parse(witness) if witness else None
    return Recovery(recovery_id, RecoveryCause(cause), since, facts_since, by, ended_at)


def _peer(org: OrgId, recovery_id: str) -> Select[Any]:
    answer = (_p.received, _p.sent, _p.answered_at, _p.directory)
    columns = (_p.peer, _p.state, _p.ask_at, _p.asked, *answer)
    return select(*columns).where(_p.org == str(org), _p.recovery_id == recovery_id)


def _to_peer(row: Any) -> RecoveryPeer:
    return RecoveryPeer(
        OrgId.parse(row.peer),
        PeerState(row.state),
        row.ask_at,
        row.asked,
        _head(row.received),
        _head(row.sent),
        row.answered_at,
        row.directory,
    )


def _text(org: OrgId | None) -> str | None:
    return None if org is None else str(org)


def _head_text(head: LaneHead | None) -> str | None:
    """Write a head as one column: it is read and compared whole."""
    if head is None:
        return None
    return f"{head.incarnation}:{head.last_sequence}:{head.head_hash}"


def _head(text: str | None) -> LaneHead | None:
    if text is None:
        return None
    incarnation, last, digest = text.split(":")
    return LaneHead(int(incarnation), int(last), digest)
