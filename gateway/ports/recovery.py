"""What a recovery remembers: whom it asked, what came back, what was given back to others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import PeerState, RecoveredFact, Recovery, RecoveryPeer, Waiver
from gateway.ports.event_log import LogEntry


class Recoveries(Protocol):
    """The recoveries of the organisations at home."""

    def active(self, org: OrgId) -> Recovery | None:
        """Return the recovery that runs, or None. Asked for every act of authority."""
        ...

    def unsettled(self) -> Sequence[tuple[OrgId, Recovery]]:
        """Return the recoveries that run, and those to which a waived peer has answered late."""
        ...

    def latest(self, org: OrgId) -> Recovery | None:
        """Return the recovery that began last, or None."""
        ...

    def get(self, org: OrgId, recovery_id: str) -> Recovery | None:
        """Return a recovery, or None."""
        ...

    def put(self, org: OrgId, recovery: Recovery) -> None:
        """Store a recovery."""
        ...

    def peers(self, org: OrgId, recovery_id: str, *states: PeerState) -> Sequence[RecoveryPeer]:
        """Return the peers in these states (none named: in any), ordered by code."""
        ...

    def peer(self, org: OrgId, recovery_id: str, peer: OrgId) -> RecoveryPeer | None:
        """Return a peer of a recovery, or None."""
        ...

    def put_peer(self, org: OrgId, recovery_id: str, peer: RecoveryPeer) -> None:
        """Store how far the recovery has come with a peer."""
        ...

    def to_ask(
        self, org: OrgId, recovery_id: str, now: datetime, limit: int
    ) -> Sequence[RecoveryPeer]:
        """Return peers that are to be asked (again) now."""
        ...

    def count(self, org: OrgId, recovery_id: str) -> dict[PeerState, int]:
        """Count the peers in each state."""
        ...

    def add_part(
        self, org: OrgId, recovery_id: str, peer: OrgId, made_at: datetime, part: int, *, last: bool
    ) -> bool:
        """Note that a part came; return whether all parts made at that moment are there now."""
        ...

    def add_waiver(self, org: OrgId, recovery_id: str, waiver: Waiver) -> None:
        """Store a post's decision; another of the same post takes its place."""
        ...

    def waivers(self, org: OrgId, recovery_id: str) -> Sequence[Waiver]:
        """Return the decisions, oldest first."""
        ...

    def last_stated(self, org: OrgId) -> datetime | None:
        """Return when the last own fact in the store was logged, or None when there is none."""
        ...

    def parked(self, org: OrgId) -> Sequence[tuple[OrgId, str]]:
        """Return (sender, message) of every message with a parked event, oldest first."""
        ...

    def begin_lane(
        self, org: OrgId, peer: OrgId, lane: SendingLane, taken: LaneHead | None, at: datetime
    ) -> None:
        """Go on with the lane to a peer anew, and put back into it what the peer has not taken.

        Messages without a receipt that lie beyond `taken` (all of them, when it is None) are given
        up as messages: their bytes are gone, their dead letters healed. What they carried waits to
        be packed again, ahead of everything newer, and its term for a receipt goes on.
        """
        ...


class RecoveredFacts(Protocol):
    """Own facts that came back, and whether records and officers have caught up with them."""

    def get(self, org: OrgId, event_id: str) -> RecoveredFact | None:
        """Return what is noted of a fact that came back, or None."""
        ...

    def put(self, org: OrgId, fact: RecoveredFact) -> None:
        """Store what is noted of a fact that came back."""
        ...

    def of(self, org: OrgId, recovery_id: str) -> Sequence[RecoveredFact]:
        """Return the facts that came back in a recovery, in the order in which they were stated."""
        ...

    def left(self, org: OrgId) -> Sequence[RecoveredFact]:
        """Return those of ended recoveries that were neither rebuilt nor checked by an officer."""
        ...

    def with_some_left(self) -> Sequence[OrgId]:
        """Return the organisations that have such facts."""
        ...

    def page(
        self, org: OrgId, after: str, limit: int, *, with_checked: bool
    ) -> Sequence[RecoveredFact]:
        """Return facts that came back, latest first, below the identifier `after`."""
        ...


@dataclass(frozen=True)
class Return:
    """What a recovering peer is given back: where in the log this is, and how many parts left.

    `made_at` names the run; asked again, it begins anew. `due` says that there is more to send.
    """

    peer: OrgId
    recovery_id: str
    facts_since: datetime | None
    made_at: datetime
    position: int = 0
    parts: int = 0
    due: bool = True


class Returns(Protocol):
    """What the organisations at home give back to peers that recover."""

    def get(self, org: OrgId, peer: OrgId, recovery_id: str) -> Return | None:
        """Return how far it is, None for a recovery never heard of."""
        ...

    def put(self, org: OrgId, given: Return) -> None:
        """Store how far it is."""
        ...

    def begin(self, org: OrgId, given: Return) -> None:
        """Store it in the place of any other return to that peer that has more to send."""
        ...

    def due(self, limit: int) -> Sequence[tuple[OrgId, Return]]:
        """Return what has more to send, with the organisation that sends it; first of whom least
        was sent, so that nobody waits for the end of another's.
        """
        ...

    def entries(self, org: OrgId, given: Return, source: OrgId, limit: int) -> Sequence[LogEntry]:
        """Return what the log holds from that source after the position, logged late enough."""
        ...

    def newest(
        self, org: OrgId, source: OrgId, limit: int, before: str | None = None
    ) -> Sequence[LogEntry]:
        """Return what the source stated last of all that the log holds from it, newest first,
        whenever it was logged; or what it stated before the event named.
        """
        ...

    def parked_of(self, org: OrgId, sender: OrgId, limit: int) -> Sequence[str]:
        """Return the sender's own messages with a parked event, what was parked last first."""
        ...


class Starts(Protocol):
    """The start counter in the store."""

    def read(self) -> tuple[int | None, bool]:
        """Return the count (None: never counted), and whether a backup made this copy."""
        ...

    def write(self, count: int) -> None:
        """Store the count; from now on the copy is the store itself."""
        ...
