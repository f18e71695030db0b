"""Shelves: one table for each kind of aggregate, with optimistic versions."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.cases import stale_version
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.ports.shelf import Shelved
from gateway.store.documents import from_document, to_document

T = TypeVar("T", bound=Shelved)


class SqlShelf(Generic[T]):
    """Implements gateway.ports.shelf.Shelf."""

    def __init__(self, connection: Connection, table: Table, kind: type[T]) -> None:
        self._connection = connection
        self._table = table
        self._kind = kind

    def get(self, org: OrgId, key: str) -> T | None:
        """See Shelf.get."""
        t = self._table
        row = self._connection.execute(
            select(t.c.document).where(t.c.org == str(org), t.c.id == key)
        ).first()
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
        t = self._table
        columns = {
            "case_id": getattr(value, "case_id", ""),
            "subject_id": getattr(value, "subject_id", ""),
            "state": str(getattr(value, "state", "")),
            "version": value.version,
            "changed_at": value.changed_at,
            "document": to_document(self._kind, value),
        }
        if value.version == 1:
            try:
                self._connection.execute(insert(t).values(org=str(org), id=value.id, **columns))
            except IntegrityError:
                raise stale_version(0, value.version) from None
            return
        done = self._connection.execute(
            update(t)
            .where(t.c.org == str(org), t.c.id == value.id, t.c.version == value.version - 1)
            .values(**columns)
        )
        if done.rowcount != 1:
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
        t = self._table
        query = select(t.c.document).where(t.c.org == str(org))
        if after:
            query = query.where(t.c.id < after)
        if states:
            query = query.where(t.c.state.in_([str(state) for state in states]))
        if case_id:
            query = query.where(t.c.case_id == case_id)
        if subject_id:
            query = query.where(t.c.subject_id == subject_id)
        rows = self._connection.execute(query.order_by(t.c.id.desc()).limit(limit))
        return [from_document(self._kind, row[0]) for row in rows]
