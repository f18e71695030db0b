"""The receiver's side of delivery: what was taken, kept or parked, and how it was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.lanes import Arrival, ReceivingLane
from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class InMessage:
    """A message that arrived. `receipt_id` is empty while it is only kept; `envelope` is empty
    once it is not needed any more.
    """

    message_id: str
    sender: OrgId
    digest: str
    incarnation: int
    sequence: int
    receipt_id: str
    envelope: bytes
    arrived_at: datetime


@dataclass(frozen=True)
class ParkedEvent:
    """An event that waits for something of its case. Its bytes stand in the message named; `tries`
    is how often the clock has tried it.
    """

    event_id: str
    message_id: str
    sender: OrgId
    case_ids: tuple[str, ...]
    reason: str
    tries: int = 0


class Inbox(Protocol):
    """Key rows stay for ever: an old message is recognised whenever it comes again."""

    def lane(self, receiver: OrgId, sender: OrgId) -> ReceivingLane:
        """Return the receiver's end of the lane."""
        ...

    def advance(self, receiver: OrgId, sender: OrgId, lane: ReceivingLane) -> None:
        """Store the receiver's end of the lane."""
        ...

    def by_id(self, receiver: OrgId, sender: OrgId, message_id: str) -> InMessage | None:
        """Return the message with that identifier, or None."""
        ...

    def by_number(
        self, receiver: OrgId, sender: OrgId, incarnation: int, sequence: int
    ) -> InMessage | None:
        """Return the message with that lane number, or None."""
        ...

    def keep(
        self, receiver: OrgId, sender: OrgId, arrival: Arrival, envelope: bytes, at: datetime
    ) -> None:
        """Store a message that came before its turn."""
        ...

    def take(
        self,
        receiver: OrgId,
        sender: OrgId,
        arrival: Arrival,
        receipt_id: str,
        envelope: bytes,
        at: datetime,
    ) -> None:
        """Store a message that was answered (it may have been kept before)."""
        ...

    def forget(self, receiver: OrgId, sender: OrgId, message_id: str) -> None:
        """Drop a message that was kept before its turn and does not fit it."""
        ...

    def add_receipt(self, org: OrgId, receipt_id: str, peer: OrgId, envelope: bytes) -> None:
        """Store a receipt that `org` gave or got, as signed bytes."""
        ...

    def receipt(self, org: OrgId, receipt_id: str) -> bytes | None:
        """Return the signed bytes of a receipt, or None."""
        ...

    def park(self, receiver: OrgId, event: ParkedEvent, at: datetime, next_try: datetime) -> None:
        """Park an event; the clock tries it at `next_try`."""
        ...

    def parked_event(self, receiver: OrgId, event_id: str) -> ParkedEvent | None:
        """Return a parked event, or None."""
        ...

    def due_parked(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, ParkedEvent]]:
        """Return (receiver, event) of those that the clock tries now, of all organisations."""
        ...

    def try_again(
        self, receiver: OrgId, event_id: str, tries: int, next_try: datetime | None
    ) -> None:
        """Note how often the clock has tried an event, and when again; None for no more."""
        ...

    def parked(self, receiver: OrgId, case_id: str) -> Sequence[ParkedEvent]:
        """Return the parked events of a case in order of arrival."""
        ...

    def parked_in(self, receiver: OrgId, message_id: str) -> Sequence[ParkedEvent]:
        """Return the events of a message that are still parked."""
        ...

    def unpark(self, receiver: OrgId, event_id: str) -> None:
        """Take an event out of the park."""
        ...
