"""Shelves: one table for each kind of aggregate, with optimistic versions."""

from collections.abc import Sequence
from functools import cache
from typing import Generic, TypeVar

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.cases import stale_version
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.ports.shelf import Shelved
from gateway.store.documents import from_document, to_document
from gateway.store.statements import Cursor, Statement, given, insertion

T = TypeVar("T", bound=Shelved)


class SqlShelf(Generic[T]):
    """Implements gateway.ports.shelf.Shelf."""

    def __init__(self, cursor: Cursor, table: Table, kind: type[T]) -> None:
        self._cursor = cursor
        self._table = table
        self._kind = kind

    def get(self, org: OrgId, key: str) -> T | None:
        """See Shelf.get."""
        row = self._cursor.row(_get(self._table), org=str(org), id=key)
        return None if row is None else from_document(self._kind, row[0])

    def require(self, org: OrgId, key: str) -> T:
        """See Shelf.require."""
        value = self.get(org, key)
        if value is None:
            raise Refusal(
                Reason.NOT_FOUND,
                f"{org} has no such entry among its {self._table.name}.",
                "Check the identifier; what belongs to other organisations is not shown.",
            )
        return value

    def put(self, org: OrgId, value: T) -> None:
        """See Shelf.put."""
        columns = {
            "org": str(org),
            "id": value.id,
            "case_id": getattr(value, "case_id", ""),
            "subject_id": getattr(value, "subject_id", ""),
            "state": str(getattr(value, "state", "")),
            "version": value.version,
            "changed_at": value.changed_at,
            "document": to_document(self._kind, value),
        }
        if value.version == 1:
            try:
                self._cursor.change(_insert(self._table), **columns)
            except IntegrityError:
                raise stale_version(0, value.version) from None
        elif not self._cursor.change(_replace(self._table), **columns, before=value.version - 1):
            raise stale_version(value.version - 1, value.version)

    def page(
        self,
        org: OrgId,
        *,
        after: str = "",
        limit: int = 50,
        states: Sequence[str] = (),
        case_id: str = "",
        subject_id: str = "",
    ) -> Sequence[T]:
        """See Shelf.page."""
        conditions = {"case_id": case_id, "subject_id": subject_id, "after": after}
        named = {name: value for name, value in conditions.items() if value}
        statement = _page(self._table, len(states), *named)
        numbered = {f"state{number}": str(state) for number, state in enumerate(states)}
        rows = self._cursor.rows(statement, org=str(org), limit=limit, **named, **numbered)
        return [from_document(self._kind, row[0]) for row in rows]


@cache
def _get(table: Table) -> Statement:
    return Statement(select(table.c.document).where(*given(table.c.org, table.c.id)))


@cache
def _insert(table: Table) -> Statement:
    return insertion(table)


@cache
def _replace(table: Table) -> Statement:
    names = ("case_id", "subject_id", "state", "version", "changed_at", "document")
    return Statement(
        update(table)
        .where(*given(table.c.org, table.c.id), table.c.version == bindparam("before"))
        .values({name: bindparam(name) for name in names})
    )


@cache
def _page(table: Table, states: int, *named: str) -> Statement:
    """Return the statement for these conditions, with that many states to choose from."""
    query = select(table.c.document).where(*given(table.c.org))
    for name in named:
        column = table.c.id if name == "after" else table.c[name]
        query = query.where(
            column < bindparam(name) if name == "after" else column == bindparam(name)
        )
    if states:
        query = query.where(table.c.state.in_([bindparam(f"state{n}") for n in range(states)]))
    return Statement(query.order_by(table.c.id.desc()).limit(bindparam("limit")))
