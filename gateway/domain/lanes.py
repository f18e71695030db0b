"""A lane: the numbered, hash-chained way from one organisation to another. Pure protocol.

The sender numbers its messages 1, 2, 3 and names the one before by hash. The receiver takes them
in order, keeps what came early, asks for what is missing, and tells a repetition from a forgery.
A sender that lost its memory begins the lane anew, in a higher incarnation. What either end says
of itself (`LaneHead`) shows the other a lost last message, and lost memory at either end.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

FIRST = 1
"""Sequence number of the first message of an incarnation."""

MOST_EVENTS = 200
"""Most events in one message; so the receipt for a batch of messages stays small too."""


MOST_INCARNATION = 2**31 - 1
"""What a store keeps of an incarnation; nobody recovers so often."""


@dataclass(frozen=True)
class LaneHead:
    """How far one end of a lane is: its last number (0 for none) and that message's hash (hex).

    `closed` is said by the receiver: it takes no more of this incarnation, and waits for the next.
    """

    incarnation: int = 1
    last_sequence: int = FIRST - 1
    head_hash: str = ""
    closed: bool = False


@dataclass(frozen=True)
class SendingLane:
    """The sender's end: the next number to give and the hash of the last message (hex)."""

    incarnation: int = 1
    next_sequence: int = FIRST
    head_hash: str = ""

    @property
    def head(self) -> LaneHead:
        """What has been numbered."""
        return LaneHead(self.incarnation, self.next_sequence - 1, self.head_hash)

    def advanced(self, digest: str) -> "SendingLane":
        """Return the lane after the message with that digest took the next number."""
        return replace(self, next_sequence=self.next_sequence + 1, head_hash=digest)


@dataclass(frozen=True)
class ReceivingLane:
    """The receiver's end: the next number to take and the hash of the last taken (hex).

    `closed_after` is the last number that this incarnation may still have: its sender recovers and
    knows of none beyond. None while it goes on.
    """

    incarnation: int = 1
    next_sequence: int = FIRST
    head_hash: str = ""
    closed_after: int | None = None

    @property
    def head(self) -> LaneHead:
        """What has been taken."""
        closed = self.closed_after is not None
        return LaneHead(self.incarnation, self.next_sequence - 1, self.head_hash, closed)

    def advanced(self, digest: str) -> "ReceivingLane":
        """Return the lane after the message with that digest was taken."""
        return replace(self, next_sequence=self.next_sequence + 1, head_hash=digest)

    def heard(self, incarnation: int) -> "ReceivingLane":
        """Return the lane as a message of that incarnation meets it: a higher one begins anew."""
        return ReceivingLane(incarnation) if incarnation > self.incarnation else self

    def closed(self, remembered: LaneHead) -> "ReceivingLane":
        """Return the lane after its sender, recovering, said what it remembers to have numbered.

        Whatever it once numbered beyond, the receiver takes no more, wherever it still travels: only
        so can it return all that was taken, and the sender act on that.
        """
        if remembered.incarnation < self.incarnation:
            return replace(self, closed_after=self.next_sequence - 1)
        lane = self.heard(remembered.incarnation)
        return replace(lane, closed_after=remembered.last_sequence)

    def open_to(self, sequence: int) -> bool:
        """Say whether this incarnation may have a message of that number."""
        return self.closed_after is None or sequence <= self.closed_after


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
    """It does not continue what was taken here: refuse and raise the alarm. Its number stays free
    for the message that does, so that nobody's forgery pushes out what the sender truly sent."""


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
    known = lane.incarnation <= arrival.incarnation <= MOST_INCARNATION
    lane = lane.heard(arrival.incarnation)
    if not known or arrival.sequence < lane.next_sequence or not lane.open_to(arrival.sequence):
        return Verdict.BROKEN
    if arrival.sequence > lane.next_sequence:
        return Verdict.KEEP
    return Verdict.TAKE if arrival.previous_hash == lane.head_hash else Verdict.BROKEN


class Standing(StrEnum):
    """How a sending lane stands beside what its receiver says it has taken."""

    AGREES = "AGREES"
    """The peer has taken everything that was numbered."""
    PEER_BEHIND = "PEER_BEHIND"
    """The peer has taken less. Mail is on its way; or, where it gave a receipt for what it now
    lacks, it lost its memory."""
    OWN_MEMORY_LOST = "OWN_MEMORY_LOST"
    """The peer says that it has taken what was never numbered here."""
    FORKED = "FORKED"
    """The peer has taken another message under that number: there are two histories."""


DISPUTED = (Standing.OWN_MEMORY_LOST, Standing.FORKED)
"""By what the peer says the two ends have two histories. Its word alone proves neither."""


def compare(
    own_sent: SendingLane, peer_received: LaneHead, digest_there: str | None = None
) -> Standing:
    """Say how an own sending lane stands beside what the peer says it has taken of it.

    `digest_there` is the hash of the own message that bears the peer's last number, where the peer
    is behind; None when it was not looked up, and two histories are then told apart at the heads
    alone. What a peer says of an earlier incarnation is about a lane that has ended.
    """
    own = own_sent.head
    if peer_received.incarnation > own.incarnation:
        return Standing.OWN_MEMORY_LOST
    if peer_received.incarnation < own.incarnation:
        return Standing.PEER_BEHIND
    if peer_received.last_sequence > own.last_sequence:
        return Standing.OWN_MEMORY_LOST
    level = peer_received.last_sequence == own.last_sequence
    there = own.head_hash if level else digest_there
    if there is not None and there != peer_received.head_hash:
        return Standing.FORKED
    return Standing.AGREES if level else Standing.PEER_BEHIND
