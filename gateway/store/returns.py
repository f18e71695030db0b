"""What is given back to recovering peers, and the start counter, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

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

    def due(self, limit: int) -> Sequence[tuple[OrgId, Return]]:
        """See Returns.due."""
        rows = self._connection.execute(
            select(_t.org, *_COLUMNS).where(_t.due == 1).order_by(_t.made_at).limit(limit)
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

    def last(self, org: OrgId, source: OrgId, limit: int) -> Sequence[LogEntry]:
        """See Returns.last."""
        e = tables.events.c
        query = select(e.position, e.event_id, e.type, e.source, e.logged_at, e.envelope).where(
            e.org == str(org), e.source == str(source)
        )
        rows = self._connection.execute(query.order_by(e.position.desc()).limit(limit)).all()
        return [LogEntry(*row) for row in reversed(rows)]


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
