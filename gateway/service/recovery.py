"""Recovery at one organisation: how it begins, and what it forbids while it lasts (rule 8).

A store that lost its memory may have granted a case away, or ordered, or numbered a message, and
not know it. So it states nothing that rests on a title, and packs no message, until every peer has
returned what it had; what comes in meanwhile is kept, in order, and takes effect afterwards.
"""

from dataclasses import replace
from datetime import timedelta

from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Parked, Reason
from gateway.domain.lanes import DISPUTED, FIRST, LaneHead, SendingLane, Standing, compare
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import (
    SETTLED,
    PeerState,
    Recovery,
    RecoveryCause,
    RecoveryPeer,
    began_anew,
)
from gateway.log_events import LogEvent, log
from gateway.service.desk import Desk
from gateway.service.pause import too_soon
from gateway.service.renew_chains import renew_chains
from gateway.service.set_aside import bury

_RENEWAL_PAUSE = timedelta(hours=1)
"""A lane begins anew once for each recovery here; all that waits on it is then packed again."""


def require_memory(desk: Desk) -> None:
    """Raise Parked(RECOVERING) while the acting organisation recovers."""
    recovery = desk.work.recoveries.active(desk.org)
    if recovery is not None:
        raise Parked(
            Reason.RECOVERING,
            f"The store of {desk.org} lost its memory and gets it back from its peers.",
            "Read and record facts meanwhile; see the peers waited for with: gateway recovery show",
            recovery_id=recovery.id,
            since=recovery.since.isoformat(),
        )


def may_act(desk: Desk) -> OrgId | None:
    """Return the organisation when it may act on what it holds, None while it recovers."""
    return None if desk.work.recoveries.active(desk.org) else desk.org


def begin_recovery(desk: Desk, cause: RecoveryCause, witness: OrgId | None = None) -> Recovery:
    """Begin the recovery of the acting organisation and return it; a peer's proof begins none while
    one runs, which is returned.
    """
    work = desk.work
    running = work.recoveries.active(desk.org)
    facts_since = work.recoveries.last_stated(desk.org)
    if cause is RecoveryCause.PEER_AHEAD:
        if running is not None:
            return running
        facts_since = None  # it went on stating facts after it had forgotten others
    elif running is not None:
        # The copy was made while this one ran: who answered then may have more to return now.
        facts_since = running.facts_since
        _end_unfinished(desk, running)
    recovery = Recovery(
        id=desk.tools.ids.new(),
        cause=cause,
        since=desk.now,
        facts_since=facts_since,
        witness=witness,
    )
    work.recoveries.put(desk.org, recovery)
    peers = ask_everybody(desk, recovery)
    renew_chains(desk)
    if witness is not None:
        subject = str(witness)
        work.dead_letters.heal(desk.org, DeadLetterKind.CLAIM_UNPROVED, subject, desk.now)
    log(
        LogEvent.RECOVERY_BEGUN,
        level="error",
        org=str(desk.org),
        recovery=recovery.id,
        cause=cause,
        peers=peers,
        witness=str(witness or ""),
    )
    return recovery


def ask_everybody(desk: Desk, recovery: Recovery) -> int:
    """Have everybody asked who is no peer of the recovery yet; return how many those are.

    Everybody: whom the store wrote to or heard from, and whoever stands in the directory, since the
    store may have forgotten even whom it wrote to. The directory may be old when the recovery
    begins, just as the store is; whoever a newer one lists is asked too.
    """
    recoveries = desk.work.recoveries
    listed = {organisation.id for organisation in desk.tools.directory.organisations()}
    peers = (listed | set(desk.work.lanes.peers(desk.org))) - {desk.org}
    known = {peer.peer for peer in recoveries.peers(desk.org, recovery.id)}
    for peer in sorted(peers - known, key=str):
        asked = RecoveryPeer(peer, PeerState.ASKED, ask_at=desk.now)
        recoveries.put_peer(desk.org, recovery.id, asked)
    return len(peers - known)


def _end_unfinished(desk: Desk, running: Recovery) -> None:
    """End a recovery that another one takes the place of; nobody settles in it any more."""
    recoveries = desk.work.recoveries
    recoveries.put(desk.org, replace(running, ended_at=desk.now))
    for peer in recoveries.peers(desk.org, running.id):
        if peer.state not in SETTLED:
            given_up = replace(peer, state=PeerState.ANSWERED, ask_at=None)
            recoveries.put_peer(desk.org, running.id, given_up)


def doubt_memory(desk: Desk, peer: OrgId, _head: LaneHead) -> bool:
    """Put a peer's claim to have taken what was never numbered here before the operators, and return
    whether it is to be asked for proof; not while a recovery runs, in which all are asked.

    Anybody can say so, and a recovery is dear: it begins when the peer shows a fact of ours that
    this store lacks.
    """
    if desk.work.recoveries.active(desk.org) is not None:
        return False
    claim = DeadLetter(
        desk.tools.ids.new(),
        DeadLetterKind.CLAIM_UNPROVED,
        Reason.EQUIVOCATION,
        subject=str(peer),
        arose_at=desk.now,
        peer=peer,
    )
    bury(desk, claim)
    return True


def standing_of(desk: Desk, peer: OrgId, head: LaneHead) -> Standing:
    """Compare what the peer says it has taken with what was numbered for it here."""
    outbox = desk.work.outbox
    own, last = outbox.lane(desk.org, peer), head.last_sequence
    there = None
    if head.incarnation == own.incarnation and FIRST <= last < own.head.last_sequence:
        numbered = outbox.between(desk.org, peer, head.incarnation, last, last)
        there = numbered[0].digest if numbered else None
    return compare(own, head, there)


def renew_lane(desk: Desk, peer: OrgId, taken: LaneHead) -> None:
    """Begin the lane to a peer anew when it takes no more of the present one, and no recovery will.

    It closed it when it heard, be it only after the end, that this organisation recovered; or it has
    taken other numbers than were given here, and no fact was lost with them.
    """
    own = desk.work.outbox.lane(desk.org, peer)
    closed = taken.closed and taken.incarnation == own.incarnation
    disputed = standing_of(desk, peer, taken) in DISPUTED
    if not (closed or disputed) or desk.work.recoveries.active(desk.org) is not None:
        return
    if not too_soon(desk, peer, "renewal", _RENEWAL_PAUSE):
        lane = begin_lane(desk, peer, taken)
        log(LogEvent.LANE_RENEWED, lane=f"{desk.org}:{peer}", life=lane.incarnation)


def begin_lane(desk: Desk, peer: OrgId, taken: LaneHead | None) -> SendingLane:
    """Begin the lane to a peer anew behind what it says it has taken, and return it."""
    lane = began_anew(desk.work.outbox.lane(desk.org, peer), taken, desk.now)
    if taken is not None and standing_of(desk, peer, taken) in DISPUTED:
        taken = None  # what it took under a disputed number is not what bears that number here
    desk.work.recoveries.begin_lane(desk.org, peer, lane, taken, desk.now)
    return lane
