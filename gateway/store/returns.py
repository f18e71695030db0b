"""What is given back to recovering peers, and the start counter, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from gateway.domain.organisations import OrgId
from gateway.domain.recovery import CLOCKS_APART
from gateway.ports.event_log import LogEntry
from gateway.ports.recovery import Return
from gateway.store import tables
from gateway.store.recovery import put
from gateway.store.recovery_tables import returns, starts

_t = returns.c
_COLUMNS = (
    _t.peer,
    _t.recovery_id,
    _t.facts_since,
    _t.made_at,
    _t.position,
    _t.parts,
    _t.due,
)


class SqlReturns:
    """Implements gateway.ports.recovery.Returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, org: OrgId, peer: OrgId, recovery_id: str) -> Return | None:
        """See Returns.get."""
        row = self._connection.execute(
            select(*_COLUMNS).where(
                _t.org == str(org), _t.peer == str(peer), _t.recovery_id == recovery_id
            )
        ).first()
        return None if row is None else _to_return(row)

    def put(self, org: OrgId, given: Return) -> None:
        """See Returns.put."""
        key = {"org": str(org), "peer": str(given.peer), "recovery_id": given.recovery_id}
        values = {
            "facts_since": given.facts_since,
            "made_at": given.made_at,
            "position": given.position,
            "parts": given.parts,
            "due": int(given.due),
        }
        put(self._connection, returns, key, values)

    def begin(self, org: OrgId, given: Return) -> None:
        """See Returns.begin."""
        self._connection.execute(
            update(returns)
            .where(_t.org == str(org), _t.peer == str(given.peer), _t.due == 1)
            .values(due=0)
        )
        self.put(org, given)

    def due(self, limit: int) -> Sequence[tuple[OrgId, Return]]:
        """See Returns.due."""
        in_turn = (_t.parts, _t.made_at)
        rows = self._connection.execute(
            select(_t.org, *_COLUMNS).where(_t.due == 1).order_by(*in_turn).limit(limit)
        )
        return [(OrgId.parse(row.org), _to_return(row)) for row in rows]

    def entries(self, org: OrgId, given: Return, source: OrgId, limit: int) -> Sequence[LogEntry]:
        """See Returns.entries."""
        e = tables.events.c
        query = select(e.position, e.event_id, e.type, e.source, e.logged_at, e.envelope).where(
            e.org == str(org), e.position > given.position, e.source == str(source)
        )
        if given.facts_since is not None:
            query = query.where(e.logged_at >= given.facts_since - 2 * CLOCKS_APART)
        rows = self._connection.execute(query.order_by(e.position).limit(limit))
        return [LogEntry(*row) for row in rows]

    def newest(
        self, org: OrgId, source: OrgId, limit: int, before: str | None = None
    ) -> Sequence[LogEntry]:
        """See Returns.newest. Identifiers of events sort by the moment they were stated."""
        e = tables.events.c
        query = select(e.position, e.event_id, e.type, e.source, e.logged_at, e.envelope).where(
            e.org == str(org), e.source == str(source)
        )
        if before is not None:
            query = query.where(e.event_id < before)
        rows = self._connection.execute(query.order_by(e.event_id.desc()).limit(limit))
        return [LogEntry(*row) for row in rows]

    def parked_of(self, org: OrgId, sender: OrgId, limit: int) -> Sequence[str]:
        """See Returns.parked_of."""
        p = tables.parked_events.c
        rows = self._connection.execute(
            select(p.message_id)
            .where(p.receiver == str(org), p.sender == str(sender))
            .group_by(p.message_id)
            .order_by(func.max(p.number).desc())
            .limit(limit)
        )
        return list(rows.scalars())


def _to_return(row: Any) -> Return:
    return Return(
        OrgId.parse(row.peer),
        row.recovery_id,
        row.facts_since,
        row.made_at,
        row.position,
        row.parts,
        bool(row.due),
    )


class SqlStarts:
    """Implements gateway.ports.recovery.Starts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> tuple[int | None, bool]:
        """See Starts.read."""
        row = self._connection.execute(select(starts.c.count, starts.c.from_backup)).first()
        return (None, False) if row is None else (row[0], bool(row[1]))

    def write(self, count: int) -> None:
        """See Starts.write."""
        put(self._connection, starts, {"node": 1}, {"count": count, "from_backup": 0})
