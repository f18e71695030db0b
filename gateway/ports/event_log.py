"""The log of an organisation: every event it stated or took in, in order, as signed bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class LogEntry:
    """One entry. `envelope` is the serialised SignedEnvelope, byte for byte as signed, and `head`
    that of the chain at its position (`gateway.domain.log_chain`).
    """

    position: int
    event_id: str
    type: int
    source: str
    logged_at: datetime
    envelope: bytes
    head: bytes = b""


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
        """Append an event, chain it to the one before, and return its position."""
        ...

    def get(self, org: OrgId, event_id: str) -> LogEntry | None:
        """Return the entry of an event, or None."""
        ...

    def page(
        self,
        org: OrgId,
        after: int,
        limit: int,
        condition: LogFilter,
        most_bytes: int | None = None,
    ) -> Sequence[LogEntry]:
        """Return matching entries after a position, oldest first.

        At most `limit`, and of envelopes at most `most_bytes` together, but always the first.
        """
        ...

    def head(self, org: OrgId, position: int) -> bytes | None:
        """Return the head of the chain at a position; None where the log has no such position."""
        ...

    def end(self, org: OrgId) -> int:
        """Return the last position, 0 for an empty log."""
        ...
