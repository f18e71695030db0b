"""A lane: the numbered, hash-chained way from one organisation to another. Pure protocol.

The sender numbers its messages 1, 2, 3 and names the one before by hash. The receiver takes them
in order, keeps what came early, asks for what is missing, and tells a repetition from a forgery.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

FIRST = 1
"""Sequence number of the first message of an incarnation."""

MOST_EVENTS = 200
"""Most events in one message; so the receipt for a batch of messages stays small too."""


@dataclass(frozen=True)
class SendingLane:
    """The sender's end: the next number to give and the hash of the last message (hex)."""

    incarnation: int = 1
    next_sequence: int = FIRST
    head_hash: str = ""

    def advanced(self, digest: str) -> "SendingLane":
        """Return the lane after the message with that digest took the next number."""
        return replace(self, next_sequence=self.next_sequence + 1, head_hash=digest)


@dataclass(frozen=True)
class ReceivingLane:
    """The receiver's end: the next number to take and the hash of the last taken (hex)."""

    incarnation: int = 1
    next_sequence: int = FIRST
    head_hash: str = ""

    def advanced(self, digest: str) -> "ReceivingLane":
        """Return the lane after the message with that digest was taken."""
        return replace(self, next_sequence=self.next_sequence + 1, head_hash=digest)


@dataclass(frozen=True)
class Arrival:
    """What an authenticated message says of its place: digests are hex SHA-256 of payload bytes."""

    message_id: str
    digest: str
    incarnation: int
    sequence: int
    previous_hash: str


class Verdict(StrEnum):
    """What the receiver does with an arrival."""

    TAKE = "TAKE"
    """It is the next one: apply it."""
    KEEP = "KEEP"
    """It came early: keep it and ask for those between."""
    REPEATED = "REPEATED"
    """It was taken before: answer with the first receipt's bytes."""
    EQUIVOCATION = "EQUIVOCATION"
    """The same identifier or number with other bytes: refuse and raise the alarm."""
    BROKEN = "BROKEN"
    """The hash chain does not fit: refuse and raise the alarm."""


def judge(
    lane: ReceivingLane, arrival: Arrival, digest_of_id: str | None, digest_of_number: str | None
) -> Verdict:
    """Decide on an arrival.

    `digest_of_id` is the digest already recorded for the message id from this sender, and
    `digest_of_number` that recorded for this lane number; None when there is none.
    """
    for recorded in (digest_of_id, digest_of_number):
        if recorded is not None and recorded != arrival.digest:
            return Verdict.EQUIVOCATION
    if digest_of_id is not None and digest_of_number is None:
        return Verdict.EQUIVOCATION  # the same message under two numbers
    if digest_of_number is not None:
        return Verdict.REPEATED
    if arrival.incarnation != lane.incarnation or arrival.sequence < lane.next_sequence:
        return Verdict.BROKEN
    if arrival.sequence > lane.next_sequence:
        return Verdict.KEEP
    return Verdict.TAKE if arrival.previous_hash == lane.head_hash else Verdict.BROKEN
