"""The chains of facts that an organisation publishes, kept for whoever lacks a part of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.domain.fact_chain import FactChain
from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class ChainRecord:
    """One chain: its end, up to which log position it was looked for facts, and what was sent."""

    chain: FactChain = field(default_factory=FactChain)
    looked_at: int = 0
    published: int = 0


@dataclass(frozen=True)
class NoticeRecord:
    """One notice. `envelope` is the serialised SignedEnvelope, byte for byte as signed."""

    sequence: int
    event_id: str
    noted_at: datetime
    envelope: bytes


class PublishedFacts(Protocol):
    """Numbers run from 1 without holes for each organisation and type."""

    def chains(self, org: OrgId) -> Mapping[int, ChainRecord]:
        """Return the chains of an organisation by the type of their facts."""
        ...

    def put_chain(self, org: OrgId, kind: int, record: ChainRecord) -> None:
        """Store where a chain stands."""
        ...

    def clear(self, org: OrgId) -> None:
        """Drop the chains of an organisation, so that they begin anew; its facts stay in the log."""
        ...

    def append(self, org: OrgId, kind: int, notice: NoticeRecord) -> None:
        """Append a notice; its number must be the next."""
        ...

    def page(
        self, org: OrgId, kind: int, after: int, limit: int, most_bytes: int
    ) -> Sequence[NoticeRecord]:
        """Return notices after a number: at most `limit`, at most so many bytes, but always one."""
        ...

    def first_since(self, org: OrgId, kind: int, since: datetime) -> int | None:
        """Return the lowest number noted since a moment; None when there is none."""
        ...
