"""The event log in SQL."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select, update

from gateway.domain.log_chain import START, head_after
from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogEntry, LogFilter
from gateway.store import tables
from gateway.store.ledger import SqlCounters
from gateway.store.statements import Cursor, Statement, given, insertion
from gateway.v1.envelope_pb2 import SignedEnvelope

_COLUMNS = (
    tables.events.c.position,
    tables.events.c.event_id,
    tables.events.c.type,
    tables.events.c.source,
    tables.events.c.logged_at,
    tables.events.c.envelope,
    tables.events.c.head,
)
_e, _n = tables.events.c, tables.counters.c
_POSITION = "log position"
_NEXT = Statement(
    update(tables.counters)
    .where(*given(_n.org, _n.name))
    .values(value=_n.value + 1)
    .returning(
        _n.value,
        # With the next position comes the head before it, in the one statement that takes it.
        # Written out, because SQLAlchemy leaves out table names in what SQLite returns.
        literal_column(
            "(SELECT events.head FROM events"
            " WHERE events.org = counters.org AND events.position = counters.value - 1)"
        ),
    )
)
_APPEND = insertion(tables.events)
_OF_CASE = insertion(tables.event_cases)
_GET = Statement(select(*_COLUMNS).where(*given(_e.org, _e.event_id)))
_HEAD = Statement(select(_e.head).where(*given(_e.org, _e.position)))
_END = Statement(select(func.max(_e.position)).where(*given(_e.org)))


class SqlEventLog:
    """Implements gateway.ports.event_log.EventLog."""

    def __init__(self, connection: Connection, cursor: Cursor, counters: SqlCounters) -> None:
        self._connection = connection
        self._cursor = cursor
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
        position, previous = self._next(org)
        digest = hashlib.sha256(SignedEnvelope.FromString(envelope).payload).digest()
        self._cursor.change(
            _APPEND,
            org=str(org),
            position=position,
            event_id=event_id,
            type=kind,
            source=source,
            logged_at=logged_at,
            envelope=envelope,
            head=head_after(previous, position, digest),
        )
        self._cursor.change_each(
            _OF_CASE,
            [
                {"org": str(org), "case_id": case_id, "position": position}
                for case_id in dict.fromkeys(case_ids)
            ],
        )
        return position

    def _next(self, org: OrgId) -> tuple[int, bytes]:
        row = self._cursor.row(_NEXT, org=str(org), name=_POSITION)
        if row is None:
            return self._counters.next(org, _POSITION), START
        return row[0], row[1]

    def get(self, org: OrgId, event_id: str) -> LogEntry | None:
        """See EventLog.get."""
        row = self._cursor.row(_GET, org=str(org), event_id=event_id)
        return None if row is None else LogEntry(*row)

    def page(
        self,
        org: OrgId,
        after: int,
        limit: int,
        condition: LogFilter,
        most_bytes: int | None = None,
    ) -> Sequence[LogEntry]:
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
        query = query.order_by(e.c.position).limit(limit)
        if most_bytes is None:
            return [LogEntry(*row) for row in self._connection.execute(query)]
        entries: list[LogEntry] = []
        left = most_bytes
        # Row by row, so that no more is read into memory than is handed over.
        query = query.execution_options(stream_results=True, max_row_buffer=16)
        with self._connection.execute(query) as rows:
            for entry in (LogEntry(*row) for row in rows):
                left -= len(entry.envelope)
                if entries and left < 0:
                    break
                entries.append(entry)
        return entries

    def head(self, org: OrgId, position: int) -> bytes | None:
        """See EventLog.head."""
        if position == 0:
            return START
        row = self._cursor.row(_HEAD, org=str(org), position=position)
        return row[0] if row else None

    def end(self, org: OrgId) -> int:
        """See EventLog.end."""
        found = self._cursor.row(_END, org=str(org))
        return int((found and found[0]) or 0)
