"""The event log in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogEntry, LogFilter
from gateway.store import tables
from gateway.store.ledger import SqlCounters

_COLUMNS = (
    tables.events.c.position,
    tables.events.c.event_id,
    tables.events.c.type,
    tables.events.c.source,
    tables.events.c.logged_at,
    tables.events.c.envelope,
)


class SqlEventLog:
    """Implements gateway.ports.event_log.EventLog."""

    def __init__(self, connection: Connection, counters: SqlCounters) -> None:
        self._connection = connection
        self._counters = counters

    def append(
        self,
        org: OrgId,
        *,
        event_id: str,
        kind: int,
        source: str,
        case_ids: Sequence[str],
        logged_at: datetime,
        envelope: bytes,
    ) -> int:
        """See EventLog.append."""
        position = self._counters.next(org, "log position")
        self._connection.execute(
            insert(tables.events).values(
                org=str(org),
                position=position,
                event_id=event_id,
                type=kind,
                source=source,
                logged_at=logged_at,
                envelope=envelope,
            )
        )
        rows = [
            {"org": str(org), "case_id": case_id, "position": position}
            for case_id in dict.fromkeys(case_ids)
        ]
        if rows:
            self._connection.execute(insert(tables.event_cases), rows)
        return position

    def get(self, org: OrgId, event_id: str) -> LogEntry | None:
        """See EventLog.get."""
        e = tables.events
        row = self._connection.execute(
            select(*_COLUMNS).where(e.c.org == str(org), e.c.event_id == event_id)
        ).first()
        return None if row is None else LogEntry(*row)

    def page(self, org: OrgId, after: int, limit: int, condition: LogFilter) -> Sequence[LogEntry]:
        """See EventLog.page."""
        e, c = tables.events, tables.event_cases
        query = select(*_COLUMNS).where(e.c.org == str(org), e.c.position > after)
        if condition.types:
            query = query.where(e.c.type.in_(condition.types))
        if condition.source:
            query = query.where(e.c.source == condition.source)
        if condition.case_id:
            query = query.where(
                e.c.position.in_(
                    select(c.c.position).where(
                        c.c.org == str(org), c.c.case_id == condition.case_id
                    )
                )
            )
        rows = self._connection.execute(query.order_by(e.c.position).limit(limit))
        return [LogEntry(*row) for row in rows]

    def end(self, org: OrgId) -> int:
        """See EventLog.end."""
        e = tables.events
        found = self._connection.execute(
            select(func.max(e.c.position)).where(e.c.org == str(org))
        ).scalar()
        return int(found or 0)
