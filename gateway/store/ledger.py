"""Answers given, titles, running numbers and bookmarks in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.store.statements import Cursor, Statement, given, insertion, placing

_r, _t, _c, _b = tables.requests.c, tables.titles.c, tables.counters.c, tables.bookmarks.c

_ANSWER = Statement(select(_r.digest, _r.response).where(*given(_r.org, _r.request_id)))
_REMEMBER = insertion(tables.requests)
_CHAIN = Statement(
    select(_t.envelope).where(*given(_t.org, _t.case_id)).order_by(_t.term, _t.number)
)
_ADD_TITLE = insertion(tables.titles)
_NEXT = Statement(
    update(tables.counters)
    .where(*given(_c.org, _c.name))
    .values(value=_c.value + 1)
    .returning(_c.value)
)
_FIRST = insertion(tables.counters)
_PRESENT = Statement(select(_c.value).where(*given(_c.org, _c.name)))
_RAISE = Statement(
    update(tables.counters)
    .where(*given(_c.org, _c.name), _c.value < bindparam("used"))
    .values(value=bindparam("used"))
)
_BOOKMARK = Statement(select(_b.value).where(*given(_b.org, _b.name)))
_SET_BOOKMARK = placing(tables.bookmarks)


class SqlRequests:
    """Implements gateway.ports.ledger.Requests."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def answer(self, org: OrgId, request_id: str) -> tuple[bytes, bytes] | None:
        """See Requests.answer."""
        row = self._cursor.row(_ANSWER, org=str(org), request_id=request_id)
        return None if row is None else (row[0], row[1])

    def remember(
        self, org: OrgId, request_id: str, digest: bytes, response: bytes, at: datetime
    ) -> None:
        """See Requests.remember."""
        self._cursor.change(
            _REMEMBER,
            org=str(org),
            request_id=request_id,
            digest=digest,
            response=response,
            answered_at=at,
        )


class SqlTitles:
    """Implements gateway.ports.ledger.Titles."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def chain(self, org: OrgId, case_id: str) -> Sequence[bytes]:
        """See Titles.chain."""
        return [row[0] for row in self._cursor.rows(_CHAIN, org=str(org), case_id=case_id)]

    def add(
        self, org: OrgId, case_id: str, term: int, number: int, digest: str, envelope: bytes
    ) -> None:
        """See Titles.add."""
        self._cursor.change(
            _ADD_TITLE,
            org=str(org),
            case_id=case_id,
            term=term,
            number=number,
            digest=digest,
            envelope=envelope,
        )


class SqlCounters:
    """Implements gateway.ports.ledger.Counters."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def next(self, org: OrgId, name: str) -> int:
        """See Counters.next. The row stays locked until the transaction ends: no holes."""
        row = self._cursor.row(_NEXT, org=str(org), name=name)
        if row is None:
            self._cursor.change(_FIRST, org=str(org), name=name, value=1)
            return 1
        return int(row[0])

    def pass_over(self, org: OrgId, name: str, used: int) -> None:
        """See Counters.pass_over."""
        if self._cursor.row(_PRESENT, org=str(org), name=name) is None:
            self._cursor.change(_FIRST, org=str(org), name=name, value=used)
        else:
            self._cursor.change(_RAISE, org=str(org), name=name, used=used)


class SqlBookmarks:
    """Implements gateway.ports.ledger.Bookmarks."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def get(self, org: OrgId, name: str) -> str:
        """See Bookmarks.get."""
        row = self._cursor.row(_BOOKMARK, org=str(org), name=name)
        return str(row[0]) if row else ""

    def set(self, org: OrgId, name: str, value: str) -> None:
        """See Bookmarks.set."""
        self._cursor.change(_SET_BOOKMARK, org=str(org), name=name, value=value)
