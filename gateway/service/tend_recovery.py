"""What an organisation is shown of its recovery, and what two posts decide in it."""

from collections import Counter
from dataclasses import replace

from gateway.codec import enums, fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.recovery import (
    PeerState,
    RecoveredFact,
    Recovery,
    Waiver,
    WaiverReason,
    waived,
)
from gateway.log_events import LogEvent, log
from gateway.service.desk import Desk
from gateway.v1 import recovery_pb2

_MOST_WAIVED = 200


def get_recovery(
    desk: Desk, _request: recovery_pb2.GetRecoveryRequest
) -> recovery_pb2.GetRecoveryResponse:
    """RecoveryService.GetRecovery."""
    recovery = desk.work.recoveries.latest(desk.org)
    shown = _encode(desk, recovery) if recovery else None
    return recovery_pb2.GetRecoveryResponse(recovery=shown)


def waive_peer(
    desk: Desk, request: recovery_pb2.WaivePeerRequest
) -> recovery_pb2.WaivePeerResponse:
    """RecoveryService.WaivePeer: what a waived peer alone knows is given up, so two decide."""
    recovery = desk.work.recoveries.active(desk.org)
    if recovery is None or recovery.id != request.recovery_id:
        raise Refusal(
            Reason.STALE_VERSION,
            "This is not the recovery that runs.",
            "Look at it again with: gateway recovery show",
            field="recovery_id",
        )
    reason = enums.required(WaiverReason, request.reason, "reason")
    if not 0 < len(request.organisations) <= _MOST_WAIVED:
        raise fields.invalid(
            "organisations", f"Name 1 to {_MOST_WAIVED} peers.", "Name those waited for."
        )
    for text in request.organisations:
        peer = fields.organisation(text, "organisations")
        waiver = Waiver(peer, desk.actor.post, request.request_id, reason, desk.now)
        _waive(desk, recovery, waiver)
    return recovery_pb2.WaivePeerResponse(recovery=_encode(desk, recovery))


def _waive(desk: Desk, recovery: Recovery, waiver: Waiver) -> None:
    recoveries = desk.work.recoveries
    peer = recoveries.peer(desk.org, recovery.id, waiver.peer)
    if peer is None or peer.state not in {PeerState.ASKED, PeerState.RETURNED}:
        raise fields.invalid(
            "organisations", f"{waiver.peer} is not waited for.", "Name those that are."
        )
    recoveries.add_waiver(desk.org, recovery.id, waiver)
    decided = [w for w in recoveries.waivers(desk.org, recovery.id) if w.peer == waiver.peer]
    if waived(w.post for w in decided):
        done = replace(peer, state=PeerState.WAIVED, ask_at=None, directory=0)
        recoveries.put_peer(desk.org, recovery.id, done)
        log(
            LogEvent.RECOVERY_WAIVED,
            level="warning",
            org=str(desk.org),
            peer=str(waiver.peer),
            reason=waiver.reason,
        )


def list_recovered_facts(
    desk: Desk, request: recovery_pb2.ListRecoveredFactsRequest
) -> recovery_pb2.ListRecoveredFactsResponse:
    """RecoveryService.ListRecoveredFacts."""
    size = fields.page_size(request.page_size, 50, 200)
    after = fields.uuid(request.page_token, "page_token") if request.page_token else ""
    found = desk.work.recovered_facts.page(
        desk.org, after, size + 1, with_checked=request.with_checked
    )
    page = found[:size]
    return recovery_pb2.ListRecoveredFactsResponse(
        facts=map(_encode_fact, page),
        next_page_token=page[-1].event_id if len(found) > size else "",
    )


def check_recovered_fact(
    desk: Desk, request: recovery_pb2.CheckRecoveredFactRequest
) -> recovery_pb2.CheckRecoveredFactResponse:
    """RecoveryService.CheckRecoveredFact."""
    fact = desk.work.recovered_facts.get(desk.org, fields.uuid(request.event_id, "event_id"))
    if fact is None:
        raise Refusal(
            Reason.NOT_FOUND,
            f"No such fact came back to {desk.org}.",
            "List them with: gateway recovery facts",
            field="event_id",
        )
    if fact.checked_at is None:
        fact = replace(fact, checked_at=desk.now)
        desk.work.recovered_facts.put(desk.org, fact)
    return recovery_pb2.CheckRecoveredFactResponse(fact=_encode_fact(fact))


def _encode(desk: Desk, recovery: Recovery) -> recovery_pb2.Recovery:
    recoveries = desk.work.recoveries
    counts = Counter(recoveries.count(desk.org, recovery.id))
    waivers = recoveries.waivers(desk.org, recovery.id)
    open_states = (PeerState.ASKED, PeerState.RETURNED, PeerState.WAIVED)
    return recovery_pb2.Recovery(
        recovery_id=recovery.id,
        cause=enums.wire(recovery.cause),
        since=fields.timestamp(recovery.since),
        facts_since=fields.timestamp(recovery.facts_since),
        witness=str(recovery.witness or ""),
        ended_at=fields.timestamp(recovery.ended_at),
        peers=[
            recovery_pb2.RecoveryPeer(
                organisation=str(peer.peer),
                state=enums.wire(peer.state),
                times_asked=peer.asked,
                waivers=[_encode_waiver(w) for w in waivers if w.peer == peer.peer],
                directory_version=peer.directory,
            )
            for peer in recoveries.peers(desk.org, recovery.id, *open_states)
        ],
        asked=counts.total(),
        answered=counts[PeerState.ANSWERED],
        facts_returned=len(desk.work.recovered_facts.of(desk.org, recovery.id)),
        directory_version=desk.tools.directory.version,
    )


def _encode_waiver(waiver: Waiver) -> recovery_pb2.PeerWaiver:
    return recovery_pb2.PeerWaiver(
        post=waiver.post,
        reason=enums.wire(waiver.reason),
        decided_at=fields.timestamp(waiver.at),
    )


def _encode_fact(fact: RecoveredFact) -> recovery_pb2.RecoveredFact:
    return recovery_pb2.RecoveredFact(
        event_id=fact.event_id,
        type=enums.wire(fact.kind),
        case_id=fact.case_id,
        returned_by=str(fact.returned_by),
        taken_at=fields.timestamp(fact.taken_at),
        rebuilt=fact.rebuilt,
        checked_at=fields.timestamp(fact.checked_at),
    )
