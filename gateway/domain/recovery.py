"""Recovery: a store that is older than what was acknowledged from it acts on nothing until healed.

A restored backup does not know which titles it granted away, nor which numbers it gave. So it asks
every peer for what that peer had from it, puts back what is its own, and begins its lanes anew. A
peer that can no longer answer is waived by name, by two posts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.domain.facts import RULES, FactKind
from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId, Post


class RecoveryCause(StrEnum):
    """By what it was noticed that the store lacks what it once held."""

    STORE_OLDER = "STORE_OLDER"
    """The start counter in the store lies below the one kept beside it."""
    COUNTER_MISSING = "COUNTER_MISSING"
    """Beside a store that has been in use there is no start counter: it came from another host."""
    RESTORED = "RESTORED"
    """The store is the copy that a backup made."""
    PEER_AHEAD = "PEER_AHEAD"
    """A peer returned a fact of ours that the store does not have."""


class PeerState(StrEnum):
    """How far a recovery has come with one peer."""

    ASKED = "ASKED"
    """It was asked and has not returned everything."""
    RETURNED = "RETURNED"
    """It returned all it had; its own messages to us are still coming again, or it knows a newer
    directory than we do, in which others may be listed who have something of ours."""
    ANSWERED = "ANSWERED"
    """Nothing more is to come from it."""
    WAIVED = "WAIVED"
    """Two posts decided not to wait for it."""


class WaiverReason(StrEnum):
    """Why a peer is not waited for."""

    NODE_GONE = "NODE_GONE"
    NODE_UNREACHABLE = "NODE_UNREACHABLE"
    MEMORY_LOST_TOO = "MEMORY_LOST_TOO"
    NEVER_TOOK_PART = "NEVER_TOOK_PART"


SETTLED = (PeerState.ANSWERED, PeerState.WAIVED)
"""States of a peer that a recovery no longer waits for."""


@dataclass(frozen=True)
class Recovery:
    """The recovery of one organisation.

    Every fact that it stated before `facts_since` is in its store; None when nothing is certain.
    `witness` is the peer that proved the loss, if one did.
    """

    id: str
    cause: RecoveryCause
    since: datetime
    facts_since: datetime | None = None
    witness: OrgId | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class RecoveryPeer:
    """A peer in a recovery: `received` is what it had taken, `sent` what it had numbered, and
    `directory` the version of the directory under which it answered.
    """

    peer: OrgId
    state: PeerState
    ask_at: datetime | None
    asked: int = 0
    received: LaneHead | None = None
    sent: LaneHead | None = None
    answered_at: datetime | None = None
    directory: int = 0


@dataclass(frozen=True)
class Waiver:
    """One post's decision not to wait for a peer."""

    peer: OrgId
    post: str
    request_id: str
    reason: WaiverReason
    at: datetime


@dataclass(frozen=True)
class RecoveredFact:
    """A fact of our own that a peer returned. An officer looks at it, and it leaves the work list.

    `rebuilt` says that our records show again what the fact did to them.
    """

    event_id: str
    recovery_id: str
    kind: FactKind
    case_id: str
    returned_by: OrgId
    taken_at: datetime
    rebuilt: bool = False
    checked_at: datetime | None = None


NEEDS_MEMORY = frozenset(kind for kind, rule in RULES.items() if rule.authority) | {
    FactKind.DROPOUT_CONFIRMED,
    FactKind.DROPOUT_REFUTED,
    FactKind.LETTER_LINES_ACCEPTED,
    FactKind.LETTER_LINES_RETURNED,
    FactKind.LETTER_RETRACTED,
    FactKind.TITLE_GRANTED,
    FactKind.OFFER_ENDED,
}
"""Kinds of facts that nobody states whose memory is incomplete: acts of authority, and the answers
to an offer, which cannot be taken back. Other facts are information and are never held up."""

CLOCKS_APART = timedelta(days=2)
"""How far the moments of two facts may lie in the wrong order. A clock that was set back may have
dated a forgotten fact before the backup; asking for two days more costs little and hides nothing."""

_SCALE = timedelta(minutes=1)
_EPOCH_YEAR = 1970


@dataclass(frozen=True)
class Start:
    """What a start of the node finds: the next count, and why the store must recover, if so."""

    count: int
    cause: RecoveryCause | None


def judge_start(in_store: int | None, beside: int | None, *, from_backup: bool) -> Start:
    """Compare the start counter in the store with the one kept beside it.

    None means that there is none. A store that has none and nothing beside it has never been
    counted: it is new, or comes from a release that did not count.
    """
    cause = None
    if from_backup:
        cause = RecoveryCause.RESTORED
    elif beside is not None and (in_store or 0) < beside:
        cause = RecoveryCause.STORE_OLDER
    elif in_store is not None and beside is None:
        cause = RecoveryCause.COUNTER_MISSING
    return Start(max(in_store or 0, beside or 0) + 1, cause)


def began_anew(own: SendingLane, taken: LaneHead | None, now: datetime) -> SendingLane:
    """Return the lane on which a recovered sender goes on: no number is ever given twice.

    It is named after the minute: an earlier recovery may have used incarnations that this store
    forgot. `taken` is what the peer says it has taken, None when it says nothing. Nobody has taken
    what lies far ahead of the clock, and no peer's word makes this end jump there.
    """
    minute = (now - datetime(_EPOCH_YEAR, 1, 1, tzinfo=now.tzinfo)) // _SCALE
    said = taken.incarnation if taken is not None else 0
    believed = said if said <= minute + CLOCKS_APART // _SCALE else 0
    return SendingLane(max(own.incarnation + 1, believed + 1, minute))


def may_lack(facts_since: datetime | None, stated_at: datetime) -> bool:
    """Say whether a store with all facts before `facts_since` may lack one stated then."""
    return facts_since is None or stated_at >= facts_since - CLOCKS_APART


def waived(posts: Iterable[str]) -> bool:
    """Say whether those who decided suffice: two posts, one of them the operator's."""
    decided = set(posts)
    return Post.OPERATOR in decided and len(decided) > 1
