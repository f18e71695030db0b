"""Answers given, titles, running numbers and bookmarks in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from gateway.domain.organisations import OrgId
from gateway.store import tables


class SqlRequests:
    """Implements gateway.ports.ledger.Requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answer(self, org: OrgId, request_id: str) -> tuple[bytes, bytes] | None:
        """See Requests.answer."""
        t = tables.requests
        row = self._connection.execute(
            select(t.c.digest, t.c.response).where(
                t.c.org == str(org), t.c.request_id == request_id
            )
        ).first()
        return None if row is None else (row[0], row[1])

    def remember(
        self, org: OrgId, request_id: str, digest: bytes, response: bytes, at: datetime
    ) -> None:
        """See Requests.remember."""
        self._connection.execute(
            insert(tables.requests).values(
                org=str(org),
                request_id=request_id,
                digest=digest,
                response=response,
                answered_at=at,
            )
        )


class SqlTitles:
    """Implements gateway.ports.ledger.Titles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def chain(self, org: OrgId, case_id: str) -> Sequence[bytes]:
        """See Titles.chain."""
        t = tables.titles
        rows = self._connection.execute(
            select(t.c.envelope)
            .where(t.c.org == str(org), t.c.case_id == case_id)
            .order_by(t.c.term, t.c.number)
        )
        return [row[0] for row in rows]

    def add(
        self, org: OrgId, case_id: str, term: int, number: int, digest: str, envelope: bytes
    ) -> None:
        """See Titles.add."""
        self._connection.execute(
            insert(tables.titles).values(
                org=str(org),
                case_id=case_id,
                term=term,
                number=number,
                digest=digest,
                envelope=envelope,
            )
        )


class SqlCounters:
    """Implements gateway.ports.ledger.Counters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next(self, org: OrgId, name: str) -> int:
        """See Counters.next. The row stays locked until the transaction ends: no holes."""
        t = tables.counters
        value = self._connection.execute(
            update(t)
            .where(t.c.org == str(org), t.c.name == name)
            .values(value=t.c.value + 1)
            .returning(t.c.value)
        ).scalar()
        if value is None:
            self._connection.execute(insert(t).values(org=str(org), name=name, value=1))
            return 1
        return int(value)


class SqlBookmarks:
    """Implements gateway.ports.ledger.Bookmarks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, org: OrgId, name: str) -> str:
        """See Bookmarks.get."""
        t = tables.bookmarks
        value = self._connection.execute(
            select(t.c.value).where(t.c.org == str(org), t.c.name == name)
        ).scalar()
        return str(value or "")

    def set(self, org: OrgId, name: str, value: str) -> None:
        """See Bookmarks.set."""
        t = tables.bookmarks
        done = self._connection.execute(
            update(t).where(t.c.org == str(org), t.c.name == name).values(value=value)
        )
        if done.rowcount == 0:
            self._connection.execute(insert(t).values(org=str(org), name=name, value=value))
