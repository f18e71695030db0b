"""The subscribers of a log in SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.domain.organisations import OrgId
from gateway.ports.subscribers import RejectedRecord, SubscriberRecord
from gateway.store.subscription_tables import rejected_events, subscribers

_s, _r = subscribers.c, rejected_events.c
_ENTRY = (_r.event_id, _r.position, _r.type, _r.reason, _r.rejected_at, _r.times, _r.wanted)


class SqlSubscribers:
    """Implements gateway.ports.subscribers.Subscribers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def position(self, org: OrgId, name: str) -> int | None:
        """See Subscribers.position."""
        return self._connection.execute(
            select(_s.position).where(_s.org == str(org), _s.name == name)
        ).scalar()

    def count(self, org: OrgId) -> int:
        """See Subscribers.count."""
        query = select(func.count()).select_from(subscribers).where(_s.org == str(org))
        return self._connection.execute(query).scalar_one()

    def keep(self, org: OrgId, name: str, position: int, at: datetime) -> None:
        """See Subscribers.keep."""
        key: dict[str, Any] = {"org": str(org), "name": name}
        values: dict[str, Any] = {"position": position, "seen_at": at}
        done = self._connection.execute(update(subscribers).filter_by(**key).values(**values))
        if done.rowcount == 0:
            self._connection.execute(insert(subscribers).values(**key, **values))

    def page(self, org: OrgId, after: str, limit: int) -> Sequence[SubscriberRecord]:
        """See Subscribers.page."""
        aside = (
            select(func.count())
            .select_from(rejected_events)
            .where(_r.org == _s.org, _r.subscriber == _s.name)
            .scalar_subquery()
        )
        rows = self._connection.execute(
            select(_s.name, _s.position, _s.seen_at, aside)
            .where(_s.org == str(org), _s.name > after)
            .order_by(_s.name)
            .limit(limit)
        )
        return [SubscriberRecord(*row) for row in rows]

    def reject(self, org: OrgId, name: str, record: RejectedRecord) -> None:
        """See Subscribers.reject."""
        self.settle(org, name, [record.event_id])
        self._connection.execute(
            insert(rejected_events).values(org=str(org), subscriber=name, **vars(record))
        )

    def rejected(self, org: OrgId, name: str, event_id: str) -> RejectedRecord | None:
        """See Subscribers.rejected."""
        row = self._connection.execute(
            select(*_ENTRY).where(
                _r.org == str(org), _r.subscriber == name, _r.event_id == event_id
            )
        ).first()
        return RejectedRecord(*row) if row else None

    def rejected_page(
        self, org: OrgId, name: str, after: int, limit: int, *, wanted: bool = False
    ) -> Sequence[RejectedRecord]:
        """See Subscribers.rejected_page."""
        query = select(*_ENTRY).where(
            _r.org == str(org), _r.subscriber == name, _r.position > after
        )
        if wanted:
            query = query.where(_r.wanted)
        rows = self._connection.execute(query.order_by(_r.position).limit(limit))
        return [RejectedRecord(*row) for row in rows]

    def settle(self, org: OrgId, name: str, event_ids: Collection[str]) -> None:
        """See Subscribers.settle."""
        self._connection.execute(
            delete(rejected_events).where(
                _r.org == str(org), _r.subscriber == name, _r.event_id.in_(event_ids)
            )
        )
