"""Facts of our own that came back, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, exists, select

from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import RecoveredFact
from gateway.store.recovery import put
from gateway.store.recovery_tables import recovered_facts, recoveries

_f, _r = recovered_facts.c, recoveries.c
_LEFT = (
    _f.rebuilt == 0,
    _f.checked_at.is_(None),
    exists().where(_r.org == _f.org, _r.recovery_id == _f.recovery_id, _r.ended_at.is_not(None)),
)


class SqlRecoveredFacts:
    """Implements gateway.ports.recovery.RecoveredFacts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, org: OrgId, event_id: str) -> RecoveredFact | None:
        """See RecoveredFacts.get."""
        row = self._connection.execute(_fact(org).where(_f.event_id == event_id)).first()
        return None if row is None else _to_fact(row)

    def put(self, org: OrgId, fact: RecoveredFact) -> None:
        """See RecoveredFacts.put."""
        values = {
            "recovery_id": fact.recovery_id,
            "kind": fact.kind,
            "case_id": fact.case_id,
            "returned_by": str(fact.returned_by),
            "taken_at": fact.taken_at,
            "rebuilt": int(fact.rebuilt),
            "checked_at": fact.checked_at,
        }
        key = {"org": str(org), "event_id": fact.event_id}
        put(self._connection, recovered_facts, key, values)

    def of(self, org: OrgId, recovery_id: str) -> Sequence[RecoveredFact]:
        """See RecoveredFacts.of: identifiers rise with time."""
        query = _fact(org).where(_f.recovery_id == recovery_id).order_by(_f.event_id)
        return [_to_fact(row) for row in self._connection.execute(query)]

    def left(self, org: OrgId) -> Sequence[RecoveredFact]:
        """See RecoveredFacts.left."""
        query = _fact(org).where(*_LEFT).order_by(_f.event_id)
        return [_to_fact(row) for row in self._connection.execute(query)]

    def with_some_left(self) -> Sequence[OrgId]:
        """See RecoveredFacts.with_some_left."""
        rows = self._connection.execute(select(_f.org).where(*_LEFT).distinct())
        return [OrgId.parse(org) for (org,) in rows]

    def page(
        self, org: OrgId, after: str, limit: int, *, with_checked: bool
    ) -> Sequence[RecoveredFact]:
        """See RecoveredFacts.page."""
        query = _fact(org).order_by(_f.event_id.desc()).limit(limit)
        if after:
            query = query.where(_f.event_id < after)
        if not with_checked:
            query = query.where(_f.checked_at.is_(None))
        return [_to_fact(row) for row in self._connection.execute(query)]


def _fact(org: OrgId) -> Select[Any]:
    return select(
        _f.event_id,
        _f.recovery_id,
        _f.kind,
        _f.case_id,
        _f.returned_by,
        _f.taken_at,
        _f.rebuilt,
        _f.checked_at,
    ).where(_f.org == str(org))


def _to_fact(row: Any) -> RecoveredFact:
    return RecoveredFact(
        row.event_id,
        row.recovery_id,
        FactKind(row.kind),
        row.case_id,
        OrgId.parse(row.returned_by),
        row.taken_at,
        bool(row.rebuilt),
        row.checked_at,
    )
