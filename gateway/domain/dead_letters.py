"""Dead letters: what did not take effect, and waits in the open for an operator to decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId

UNRECEIPTED_AFTER = timedelta(days=7)
"""How long a message is sent again without a receipt (policy)."""

MOST_TRIES = 12
"""How often a parked event is tried by the clock; with the pauses below, for about three days."""

_FIRST_PAUSE = timedelta(minutes=1)


def pause_after(tries: int) -> timedelta:
    """Return how long a parked event rests after so many tries by the clock: doubling."""
    doublings: int = 2 ** min(tries, MOST_TRIES)
    return _FIRST_PAUSE * doublings


class DeadLetterKind(StrEnum):
    """What did not take effect, and so what can be done about it."""

    UNAUTHENTIC = "UNAUTHENTIC"
    EQUIVOCATION = "EQUIVOCATION"
    LANE_BROKEN = "LANE_BROKEN"
    UNREADABLE = "UNREADABLE"
    RECEIPT_FAILED = "RECEIPT_FAILED"
    PARKED = "PARKED"
    REFUSED_BY_PEER = "REFUSED_BY_PEER"
    UNRECEIPTED = "UNRECEIPTED"
    CLAIM_UNPROVED = "CLAIM_UNPROVED"
    UNSENDABLE = "UNSENDABLE"


class DeadLetterState(StrEnum):
    """State of a dead letter."""

    OPEN = "OPEN"
    HEALED = "HEALED"
    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"


class DiscardReason(StrEnum):
    """Why a dead letter was given up. A code, because free text may hold what must not be here."""

    FORGED = "FORGED"
    OUTDATED = "OUTDATED"
    SETTLED_OTHERWISE = "SETTLED_OTHERWISE"
    DEFECTIVE = "DEFECTIVE"


_NOT_OURS = frozenset(
    {
        DeadLetterKind.EQUIVOCATION,
        DeadLetterKind.LANE_BROKEN,
        DeadLetterKind.UNREADABLE,
        DeadLetterKind.CLAIM_UNPROVED,
    }
)
"""Kinds that only their author can state anew, or prove: a signed receipt has refused them, or the
question for a proof has been asked."""


@dataclass(frozen=True)
class DeadLetter:
    """Something that did not take effect.

    `subject` tells it from others of its kind: the digest of bytes set aside, or the identifiers of
    a message or event. `envelope` is what was set aside, `evidence` the bytes that it contradicts
    where the store still has them. `receipt_id` names the receipt that refused it.
    """

    id: str
    kind: DeadLetterKind
    reason: Reason
    subject: str
    arose_at: datetime
    peer: OrgId | None = None
    message_id: str = ""
    event_id: str = ""
    digest: str = ""
    earlier_digest: str = ""
    receipt_id: str = ""
    envelope: bytes = b""
    evidence: bytes = b""
    state: DeadLetterState = DeadLetterState.OPEN
    redrives: int = 0
    settled_at: datetime | None = None
    discard_reason: DiscardReason | None = None

    @property
    def redrivable(self) -> bool:
        """Whether it can be taken up again."""
        return self.state is DeadLetterState.OPEN and self.kind not in _NOT_OURS
