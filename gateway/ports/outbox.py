"""The sender's side of delivery: what has to go out, and what went but is not receipted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class Delivery:
    """An event that has to reach a receiver and is not yet in a message.

    `waits_since` is when its term for a receipt began, if it was in a message before.
    """

    number: int
    sender: OrgId
    receiver: OrgId
    event_id: str
    waits_since: datetime | None = None


class MessageState(StrEnum):
    """State of a message at its sender."""

    READY = "READY"
    SENT = "SENT"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"
    PARKED = "PARKED"
    DEAD = "DEAD"
    REPLACED = "REPLACED"


@dataclass(frozen=True)
class OutMessage:
    """A packed message. `envelope` is the signed bytes, empty once replaced; `digest` is hex SHA-256 of the payload.

    `waits_since` is when its term for a receipt began.
    """

    message_id: str
    sender: OrgId
    receiver: OrgId
    incarnation: int
    sequence: int
    digest: str
    envelope: bytes
    state: MessageState = MessageState.READY
    attempts: int = 0
    receipt_id: str = ""
    waits_since: datetime | None = None


class Outbox(Protocol):
    """Deliveries and messages. Nothing leaves it before the receiver's receipt is in the store."""

    def deliver(self, sender: OrgId, receivers: Sequence[OrgId], event_id: str) -> None:
        """Note that the event has to reach the receivers."""
        ...

    def waiting(self, limit: int) -> Sequence[Delivery]:
        """Return deliveries not yet packed, oldest first, passing over those held back."""
        ...

    def waiting_lanes(self) -> Sequence[tuple[OrgId, OrgId]]:
        """Return (sender, receiver) of every lane with such deliveries."""
        ...

    def waiting_on(self, sender: OrgId, receiver: OrgId, limit: int) -> Sequence[Delivery]:
        """Return those of one lane, oldest first."""
        ...

    def hold_back(self, sender: OrgId, receiver: OrgId, until: datetime) -> None:
        """Pass over all that waits on a lane until a moment, for example while there is no key.

        All of it: what was left would bring the rest back (see `release`).
        """
        ...

    def withdraw(self, number: int) -> None:
        """Take back a delivery that no message can carry."""
        ...

    def release(self, now: datetime) -> None:
        """Bring back the deliveries whose moment has come, and those of a lane with newer mail.

        Otherwise the newer would overtake the held ones.
        """
        ...

    def lane(self, sender: OrgId, receiver: OrgId) -> SendingLane:
        """Return the sender's end of the lane."""
        ...

    def pack(self, message: OutMessage, numbers: Sequence[int], lane: SendingLane) -> None:
        """Store the message, tie the deliveries to it and advance the lane."""
        ...

    def due(
        self, now: datetime, limit: int, passing_over: Collection[OrgId] = ()
    ) -> Sequence[OutMessage]:
        """Return messages without a final receipt whose next attempt is due.

        In lane order, what was never sent first; none for the receivers to pass over.
        """
        ...

    def sent(self, message_ids: Sequence[str], next_attempt: datetime) -> None:
        """Note an attempt and when to try again unless a receipt comes."""
        ...

    def take_back(self, attempts: Mapping[str, int]) -> None:
        """Undo the note of an attempt that was not made: the messages are due at once.

        Given is how many attempts each had before; one for which another number is noted by now
        stays as it is.
        """
        ...

    def put_off(self, message_id: str, until: datetime) -> None:
        """Try a message that is due not before that moment; no attempt was made."""
        ...

    def find(self, sender: OrgId, message_id: str) -> OutMessage | None:
        """Return a message of the sender, or None."""
        ...

    def between(
        self, sender: OrgId, receiver: OrgId, incarnation: int, first: int, last: int
    ) -> Sequence[OutMessage]:
        """Return the lane's messages with these numbers, in order."""
        ...

    def close(
        self, message_id: str, state: MessageState, receipt_id: str, ask_again: datetime | None
    ) -> None:
        """Note what the receipt said; `ask_again` is when to send once more (a parked message)."""
        ...

    def event_ids(self, message_id: str) -> Sequence[str]:
        """Return the events a message carries, in order."""
        ...

    def make_due(self, now: datetime) -> int:
        """Make every unreceipted message due now; return how many. The dead stay dead."""
        ...
