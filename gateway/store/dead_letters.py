"""The list of dead letters in SQL."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from gateway.domain.dead_letters import (
    DeadLetter,
    DeadLetterKind,
    DeadLetterState,
    DiscardReason,
)
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.store import tables

_t = tables.dead_letters
_BYTES = ("envelope", "evidence")
_COMES_BACK = (DeadLetterState.HEALED, DeadLetterState.REDRIVEN)


def _comes_back(known: DeadLetter) -> bool:
    """Say whether it may die again. What was discarded is the same bytes for ever, but a claim: its
    subject is the peer, who may claim something else.
    """
    again = known.kind is DeadLetterKind.CLAIM_UNPROVED
    return known.state in _COMES_BACK or (again and known.state is DeadLetterState.DISCARDED)


def _row(org: OrgId, letter: DeadLetter) -> dict[str, Any]:
    row = {field.name: getattr(letter, field.name) for field in fields(DeadLetter)}
    return row | {"org": str(org), "peer": str(letter.peer) if letter.peer else None}


def _letter(row: RowMapping) -> DeadLetter:
    values = {name: value for name, value in row.items() if name != "org"}
    peer, discarded = row["peer"], row["discard_reason"]
    return DeadLetter(
        **values
        | {
            "kind": DeadLetterKind(row["kind"]),
            "state": DeadLetterState(row["state"]),
            "reason": Reason(row["reason"]),
            "peer": OrgId.parse(peer) if peer else None,
            "discard_reason": DiscardReason(discarded) if discarded else None,
        }
    )


class SqlDeadLetters:
    """Implements gateway.ports.dead_letters.DeadLetters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, org: OrgId, letter: DeadLetter) -> bool:
        """See DeadLetters.add."""
        known = self.find(org, letter.kind, letter.subject)
        if known is None:
            self._connection.execute(insert(_t).values(_row(org, letter)))
        elif _comes_back(known):
            # What dies again at once never ceased to wait, and is judged by its own time.
            again = known.state is DeadLetterState.REDRIVEN
            arose_at = known.arose_at if again else letter.arose_at
            self.put(org, replace(letter, id=known.id, redrives=known.redrives, arose_at=arose_at))
        return known is None or _comes_back(known)

    def find(self, org: OrgId, kind: DeadLetterKind, subject: str) -> DeadLetter | None:
        """See DeadLetters.find."""
        return self._one(org, _t.c.kind == kind, _t.c.subject == subject)

    def get(self, org: OrgId, letter_id: str) -> DeadLetter | None:
        """See DeadLetters.get."""
        return self._one(org, _t.c.id == letter_id)

    def _one(self, org: OrgId, *where: ColumnElement[bool]) -> DeadLetter | None:
        found = self._connection.execute(select(_t).where(_t.c.org == str(org), *where))
        row = found.mappings().first()
        return None if row is None else _letter(row)

    def put(self, org: OrgId, letter: DeadLetter) -> None:
        """See DeadLetters.put."""
        self._connection.execute(
            update(_t).where(_t.c.org == str(org), _t.c.id == letter.id).values(_row(org, letter))
        )

    def heal(self, org: OrgId, kind: DeadLetterKind, subject: str, at: datetime) -> None:
        """See DeadLetters.heal. The bytes have done their work."""
        self.heal_each(org, kind, (subject,), at)

    def heal_each(
        self, org: OrgId, kind: DeadLetterKind, subjects: Select[Any] | Sequence[str], at: datetime
    ) -> None:
        """Do the same for several subjects, or for those that a query of this store names."""
        self._connection.execute(
            update(_t)
            .where(_t.c.org == str(org), _t.c.kind == kind, _t.c.subject.in_(subjects))
            .where(_t.c.state == DeadLetterState.OPEN)
            .values(state=DeadLetterState.HEALED, settled_at=at, envelope=b"", evidence=b"")
        )

    def page(
        self,
        org: OrgId,
        *,
        after: str = "",
        limit: int = 200,
        kind: DeadLetterKind | None = None,
        state: DeadLetterState = DeadLetterState.OPEN,
    ) -> Sequence[DeadLetter]:
        """See DeadLetters.page."""
        query = select(*(column for column in _t.c if column.name not in _BYTES)).where(
            _t.c.org == str(org), _t.c.state == state, _t.c.id > after
        )
        if kind is not None:
            query = query.where(_t.c.kind == kind)
        rows = self._connection.execute(query.order_by(_t.c.id).limit(limit)).mappings()
        return [_letter(row) for row in rows]
