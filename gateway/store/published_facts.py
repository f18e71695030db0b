"""The chains of published facts in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.domain.fact_chain import FactChain
from gateway.domain.organisations import OrgId
from gateway.ports.published_facts import ChainRecord, NoticeRecord
from gateway.store.subscription_tables import fact_chains, fact_notices

_c, _n = fact_chains.c, fact_notices.c


class SqlPublishedFacts:
    """Implements gateway.ports.published_facts.PublishedFacts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def chains(self, org: OrgId) -> Mapping[int, ChainRecord]:
        """See PublishedFacts.chains."""
        query = select(_c.type, _c.sequence, _c.head, _c.looked_at, _c.published)
        return {
            kind: ChainRecord(FactChain(sequence, head), looked_at, published)
            for kind, sequence, head, looked_at, published in self._connection.execute(
                query.where(_c.org == str(org))
            )
        }

    def put_chain(self, org: OrgId, kind: int, record: ChainRecord) -> None:
        """See PublishedFacts.put_chain."""
        key: dict[str, Any] = {"org": str(org), "type": kind}
        values: dict[str, Any] = {
            "sequence": record.chain.sequence,
            "head": record.chain.head,
            "looked_at": record.looked_at,
            "published": record.published,
        }
        done = self._connection.execute(update(fact_chains).filter_by(**key).values(**values))
        if done.rowcount == 0:
            self._connection.execute(insert(fact_chains).values(**key, **values))

    def clear(self, org: OrgId) -> None:
        """See PublishedFacts.clear."""
        self._connection.execute(delete(fact_chains).where(_c.org == str(org)))
        self._connection.execute(delete(fact_notices).where(_n.org == str(org)))

    def append(self, org: OrgId, kind: int, notice: NoticeRecord) -> None:
        """See PublishedFacts.append."""
        self._connection.execute(
            insert(fact_notices).values(org=str(org), type=kind, **vars(notice))
        )

    def page(
        self, org: OrgId, kind: int, after: int, limit: int, most_bytes: int
    ) -> Sequence[NoticeRecord]:
        """See PublishedFacts.page."""
        query = (
            select(_n.sequence, _n.event_id, _n.noted_at, _n.envelope)
            .where(_n.org == str(org), _n.type == kind, _n.sequence > after)
            .order_by(_n.sequence)
            .limit(limit)
            .execution_options(stream_results=True, max_row_buffer=16)
        )
        notices: list[NoticeRecord] = []
        left = most_bytes
        with self._connection.execute(query) as rows:
            for notice in (NoticeRecord(*row) for row in rows):
                left -= len(notice.envelope)
                if notices and left < 0:
                    break
                notices.append(notice)
        return notices

    def first_since(self, org: OrgId, kind: int, since: datetime) -> int | None:
        """See PublishedFacts.first_since."""
        return self._connection.execute(
            select(func.min(_n.sequence)).where(
                _n.org == str(org), _n.type == kind, _n.noted_at >= since
            )
        ).scalar()
