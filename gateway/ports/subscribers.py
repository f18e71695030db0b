"""The named subscribers of a log: how far each has got, and what it has set aside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class SubscriberRecord:
    """One subscriber: its acknowledged position, when it was last heard, and its dead letters."""

    name: str
    position: int
    seen_at: datetime
    rejected: int


@dataclass(frozen=True)
class RejectedRecord:
    """An event that a subscriber could not process. `wanted`: it is to come again."""

    event_id: str
    position: int
    type: int
    reason: str
    rejected_at: datetime
    times: int
    wanted: bool


class Subscribers(Protocol):
    """Every row belongs to one organisation and one subscriber's name."""

    def position(self, org: OrgId, name: str) -> int | None:
        """Return the acknowledged position; None when the name is not known."""
        ...

    def count(self, org: OrgId) -> int:
        """Return how many names are known."""
        ...

    def keep(self, org: OrgId, name: str, position: int, at: datetime) -> None:
        """Store the position and that the subscriber was heard, making the row if need be."""
        ...

    def page(self, org: OrgId, after: str, limit: int) -> Sequence[SubscriberRecord]:
        """Return subscribers by name, after a name."""
        ...

    def reject(self, org: OrgId, name: str, record: RejectedRecord) -> None:
        """Set an event aside; one that was set aside before is replaced."""
        ...

    def rejected(self, org: OrgId, name: str, event_id: str) -> RejectedRecord | None:
        """Return the entry of an event, or None."""
        ...

    def rejected_page(
        self, org: OrgId, name: str, after: int, limit: int, *, wanted: bool = False
    ) -> Sequence[RejectedRecord]:
        """Return entries by position, after a position; only those wanted again if asked."""
        ...

    def settle(self, org: OrgId, name: str, event_ids: Collection[str]) -> None:
        """Take events off the list."""
        ...
