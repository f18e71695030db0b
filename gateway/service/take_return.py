"""Putting back what a peer returns: our own facts into the log, the titles into their chains.

Nothing is believed because a peer says it: each fact bears our own signature, each title that of
its maker, under a key that was never revoked: whoever has one in hand would write any moment. What
contradicts the store is kept as evidence, and never settles who may act.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from google.protobuf.message import DecodeError

from gateway.codec import enums, fields
from gateway.domain.cases import CaseState
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import (
    CLOCKS_APART,
    PeerState,
    RecoveredFact,
    Recovery,
    RecoveryCause,
    RecoveryPeer,
    may_lack,
)
from gateway.log_events import LogEvent, log
from gateway.ports.event_log import LogEntry
from gateway.service.arrivals import ArrivedEvent, stated_id
from gateway.service.arrived_returns import ArrivedReturn
from gateway.service.desk import Desk
from gateway.service.ended_keys import verify_event
from gateway.service.pause import too_soon
from gateway.service.private_parts import check_parts, seen_by
from gateway.service.recovery import begin_recovery, renew_lane
from gateway.service.set_aside import set_aside_returned
from gateway.service.titles import known_titles, read_title, take_titles
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event, PrivatePart

_Conflict = tuple[Reason, message_pb2.CarriedEvent]
_PROOF_PAUSE = timedelta(seconds=10)
"""Between two proofs of one peer: each costs a check of every fact in it, and shows the same."""
_BEFORE_TITLE = (CaseState.SUSPECTED, CaseState.VERIFYING)
_BEFORE_PASSING = (*_BEFORE_TITLE, CaseState.CONFIRMED, CaseState.JURISDICTION_PENDING)


def take_return(desk: Desk, arrived: ArrivedReturn) -> None:
    """Take one part, even after the recovery has ended: a peer that was waived may still answer.

    A part with anything in it that cannot be does not count as received, so that its peer is waited
    for and asked again: it may be the directory here that is behind. Where it stays so, two posts
    decide, who are told of it.
    """
    recoveries = desk.work.recoveries
    recovery = recoveries.get(desk.org, arrived.recovery_id)
    peer = recoveries.peer(desk.org, arrived.recovery_id, arrived.author)
    if recovery is None or peer is None:
        _take_proof(desk, arrived)
        return
    renew_lane(desk, arrived.author, arrived.received)
    conflicts = []
    for carried in arrived.events:
        try:
            _put_back(desk, recovery, arrived.author, carried)
        except DecodeError:
            conflicts.append((Reason.PAYLOAD_INVALID, carried))
        except Refusal as refusal:
            conflicts.append((refusal.reason, carried))
    if conflicts:
        _raise_conflict(desk, arrived, conflicts)
        return
    complete = recoveries.add_part(
        desk.org, recovery.id, arrived.author, arrived.made_at, arrived.part, last=arrived.last
    )
    if complete and peer.state in {PeerState.ASKED, PeerState.WAIVED}:
        recoveries.put_peer(desk.org, recovery.id, _returned(desk, recovery, peer, arrived))


def _returned(
    desk: Desk, recovery: Recovery, peer: RecoveryPeer, arrived: ArrivedReturn
) -> RecoveryPeer:
    """Return the peer as it stands once its answer is whole.

    One that was waived is not waited for again: neither by the recovery while it runs, nor after
    it for mail that the peer says to have numbered, which may be more than it ever sends, nor for
    a directory that it says to have.
    """
    late = peer.state is PeerState.WAIVED
    noted = replace(
        peer,
        received=arrived.received,
        sent=None if late else arrived.sent,
        answered_at=desk.now,
        directory=0 if late else arrived.directory,
    )
    if noted.directory > desk.tools.directory.version:
        log(
            LogEvent.RECOVERY_DIRECTORY_OLD,
            level="error",
            org=str(desk.org),
            peer=str(peer.peer),
            version=desk.tools.directory.version,
            newer=noted.directory,
        )
    if late and recovery.ended_at is None:
        return noted
    return replace(noted, state=PeerState.RETURNED, ask_at=desk.now)


def _take_proof(desk: Desk, arrived: ArrivedReturn) -> None:
    """Take what was returned outside of a recovery: the answer to a question of one who doubts his
    memory. One fact of ours that the store does not have proves that it once had more.

    What proves it is put back at once, or the same fact, held back from the return, would prove it
    again. Its titles and private parts come with the return.
    """
    if desk.work.recoveries.active(desk.org) is not None:
        return
    if too_soon(desk, arrived.author, "proof taken", _PROOF_PAUSE):
        return
    forgotten = {own.event.event_id: own for own in _forgotten(desk, arrived)}
    if not forgotten:
        renew_lane(desk, arrived.author, arrived.received)
        return
    recovery = begin_recovery(desk, RecoveryCause.PEER_AHEAD, arrived.author)
    for own in forgotten.values():
        _log_again(desk, recovery, arrived.author, own)


def _forgotten(desk: Desk, arrived: ArrivedReturn) -> Iterator[ArrivedEvent]:
    for carried in arrived.events:
        try:
            own = own_event(desk, carried.event.SerializeToString(), brought_by=arrived.author)
        except (DecodeError, Refusal):
            continue
        if desk.work.events.get(desk.org, own.event.event_id) is None:
            yield own


def own_event(
    desk: Desk, envelope: bytes, parts: tuple[PrivatePart, ...] = (), *, brought_by: OrgId
) -> ArrivedEvent:
    """Read a signed fact of our own, and check that it is one.

    A key that ran out is judged by the moment that the fact states. So is one that was revoked where
    the fact is read from the log here (`brought_by` ourselves), never where a peer brings it.

    Raises Refusal: what the verifier finds, SIGNER_MISMATCH, PAYLOAD_INVALID or PART_MISMATCH, and
    google.protobuf.message.DecodeError for bytes that are no event.
    """
    signed = SignedEnvelope.FromString(envelope)
    event = Event.FromString(signed.payload)
    fields.moment(event.recorded_at, "recorded_at")  # every fact says when
    verification = verify_event(desk.tools, signed, desk.now, brought_by=brought_by)
    if verification.refusal is not None:
        raise _conflict(verification.refusal)
    if verification.signer != desk.org or event.source != str(desk.org):
        raise _conflict(Reason.SIGNER_MISMATCH)
    kind = enums.maybe(FactKind, event.type)
    if kind is None or event.WhichOneof("body") != kind.value:
        raise _conflict(Reason.PAYLOAD_INVALID)
    if fields.uuid(event.event_id, "event_id") != event.event_id:
        raise _conflict(Reason.PAYLOAD_INVALID)
    kept = seen_by(desk.org, check_parts(event, parts))
    return ArrivedEvent(kind, event, envelope, desk.org, desk.org, kept, ())


def _put_back(
    desk: Desk, recovery: Recovery, author: OrgId, carried: message_pb2.CarriedEvent
) -> None:
    """Put a fact back unless the store has it; its titles are merged either way (rules 1, 2, 7).

    The fact is put back whatever becomes of its titles: one that does not hold takes nothing from it.
    """
    known = _known(desk, carried.event.payload)
    # What the store has as it is was its own word, whatever became of the key since.
    own = own_event(
        desk,
        carried.event.SerializeToString() if known is None else known.envelope,
        tuple(carried.parts),
        brought_by=author if known is None else desk.org,
    )
    if known is None:
        stated_at = fields.moment(own.event.recorded_at, "recorded_at")
        # Where the clock was behind as the recovery began, its own beginning says too little.
        latest = max(recovery.since, desk.now) + CLOCKS_APART
        if not may_lack(recovery.facts_since, stated_at) or stated_at > latest:
            raise _conflict(Reason.EQUIVOCATION)  # no fact of the time that was forgotten
        _log_again(desk, recovery, author, own)
    elif _came_back(desk, recovery, own):
        # As a proof it came without its private parts, and another peer may have seen fewer.
        desk.work.vault.put(desk.org, own.event.event_id, own.parts)
    try:
        _take_titles(desk, author, own, carried.titles)
    finally:
        for case_id in own.case_ids:
            follow_titles(desk, case_id)


def _known(desk: Desk, payload: bytes) -> LogEntry | None:
    """Return the entry of a returned fact in the log. Raises Refusal(EQUIVOCATION) for another one
    under its identifier.
    """
    known = desk.work.events.get(desk.org, Event.FromString(payload).event_id)
    if known is not None and SignedEnvelope.FromString(known.envelope).payload != payload:
        raise _conflict(Reason.EQUIVOCATION)
    return known


def _came_back(desk: Desk, recovery: Recovery, own: ArrivedEvent) -> bool:
    """Say whether the store has the fact only since this recovery."""
    fact = desk.work.recovered_facts.get(desk.org, own.event.event_id)
    return fact is not None and fact.recovery_id == recovery.id


def _take_titles(
    desk: Desk, author: OrgId, own: ArrivedEvent, titles: Iterable[SignedEnvelope]
) -> None:
    """Take titles of the fact's own cases, oldest first, each by itself: what holds stays known,
    whatever follows it.
    """
    for envelope in titles:
        if read_title(envelope).case_id in own.case_ids:
            with desk.work.savepoint():
                take_titles(desk, (envelope,), author)


def _log_again(desk: Desk, recovery: Recovery, author: OrgId, own: ArrivedEvent) -> None:
    event = own.event
    desk.work.events.append(
        desk.org,
        event_id=event.event_id,
        kind=event.type,
        source=event.source,
        case_ids=own.case_ids,
        logged_at=desk.now,
        envelope=own.envelope,
    )
    desk.work.vault.put(desk.org, event.event_id, own.parts)
    fact = RecoveredFact(
        event_id=event.event_id,
        recovery_id=recovery.id,
        kind=own.kind,
        case_id=next(iter(own.case_ids), ""),
        returned_by=author,
        taken_at=desk.now,
    )
    desk.work.recovered_facts.put(desk.org, fact)


def follow_titles(desk: Desk, case_id: str) -> None:
    """Bring a case up to its newest title: what was granted away is no longer ours, and what was
    granted to us, or confirmed by us, is. Nothing is acted on before all peers have answered.
    """
    case, chain = desk.work.cases.get(desk.org, case_id), known_titles(desk, case_id)
    if case is None or not chain:
        return
    newest = chain[-1]
    if case.title is not None and case.title.epoch >= newest.epoch:
        return
    passed_on = newest.epoch.number > 0
    state = case.state
    if state in (_BEFORE_PASSING if passed_on else _BEFORE_TITLE):
        state = CaseState.ASSIGNED if passed_on else CaseState.CONFIRMED
    moved = case.changed(desk.now, holder=newest.holder, title=newest.ref, offer=None, state=state)
    desk.work.cases.put(desk.org, moved)


def _raise_conflict(desk: Desk, arrived: ArrivedReturn, conflicts: Sequence[_Conflict]) -> None:
    """Keep what a peer returned and what cannot be: two histories, or bytes that nobody signed.

    Once for the first such fact, however often it is returned: each time it is sealed anew.
    """
    reason, carried = conflicts[0]
    log(
        LogEvent.RECOVERY_CONFLICT,
        level="error",
        org=str(desk.org),
        peer=str(arrived.author),
        reason=reason,
        facts=len(conflicts),
    )
    digest = hashlib.sha256(carried.event.payload).hexdigest()
    set_aside_returned(desk, reason, arrived, stated_id(carried), digest)


def _conflict(reason: Reason) -> Refusal:
    return Refusal(reason, "A returned fact is not one of ours.", "Compare both ends.")
