"""The log of an organisation: every event it stated or took in, in order, as signed bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class LogEntry:
    """One entry. `envelope` is the serialised SignedEnvelope, byte for byte as signed."""

    position: int
    event_id: str
    type: int
    source: str
    logged_at: datetime
    envelope: bytes


@dataclass(frozen=True)
class LogFilter:
    """Conditions that must all hold; empty ones always do."""

    types: tuple[int, ...] = ()
    case_id: str = ""
    source: str = ""


class EventLog(Protocol):
    """Append-only; positions run from 1 without holes for each organisation."""

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
        """Append an event and return its position."""
        ...

    def get(self, org: OrgId, event_id: str) -> LogEntry | None:
        """Return the entry of an event, or None."""
        ...

    def page(self, org: OrgId, after: int, limit: int, condition: LogFilter) -> Sequence[LogEntry]:
        """Return matching entries after a position, oldest first."""
        ...

    def end(self, org: OrgId) -> int:
        """Return the last position, 0 for an empty log."""
        ...
