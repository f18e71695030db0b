"""Recovery at one organisation: how it begins, and what it forbids while it lasts (rule 8).

A store that lost its memory may have granted a case away, or ordered, or numbered a message, and
not know it. So it states nothing that rests on a title, and packs no message, until every peer has
returned what it had; what comes in meanwhile is kept, in order, and takes effect afterwards.
"""

from gateway.domain.errors import Parked, Reason
from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import PeerState, Recovery, RecoveryCause, RecoveryPeer
from gateway.log_events import LogEvent, log
from gateway.service.desk import Desk


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


def begin_recovery(desk: Desk, cause: RecoveryCause, witness: OrgId | None = None) -> None:
    """Begin the recovery of the acting organisation, unless one runs already.

    Asked is everybody: whom the store wrote to or heard from, and whoever stands in the directory,
    since the store may have forgotten even whom it wrote to.
    """
    work = desk.work
    if work.recoveries.active(desk.org) is not None:
        return
    recovery = Recovery(
        id=desk.tools.ids.new(),
        cause=cause,
        since=desk.now,
        facts_since=work.recoveries.last_stated(desk.org),
        witness=witness,
    )
    work.recoveries.put(desk.org, recovery)
    listed = {organisation.id for organisation in desk.tools.directory.organisations()}
    peers = (listed | set(work.lanes.peers(desk.org))) - {desk.org}
    for peer in sorted(peers, key=str):
        asked = RecoveryPeer(peer, PeerState.ASKED, ask_at=desk.now)
        work.recoveries.put_peer(desk.org, recovery.id, asked)
    log(
        LogEvent.RECOVERY_BEGUN,
        level="error",
        org=str(desk.org),
        recovery=recovery.id,
        cause=cause,
        peers=len(peers),
        witness=str(witness or ""),
    )


def memory_lost(desk: Desk, peer: OrgId, _head: LaneHead) -> None:
    """Begin recovery because a peer proved that it has taken what is not in the store."""
    begin_recovery(desk, RecoveryCause.PEER_AHEAD, peer)
