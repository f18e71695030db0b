"""Giving a recovering peer its own facts back, as they were once received from it.

The answer is a promise too: before anything is looked up, the lane from the peer is closed behind
what the peer remembers, so that no fact of the forgotten time takes effect here after it was looked
for. So what all peers return together is all there is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.codec import fields
from gateway.codec.lanes import decode_head
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.lanes import MOST_EVENTS, MOST_INCARNATION
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import may_lack
from gateway.ports.recovery import Return
from gateway.service.arrivals import ArrivedMessage, ArrivedStatement, read_arrival
from gateway.service.desk import Desk
from gateway.service.pause import too_soon
from gateway.service.private_parts import disclosed_to
from gateway.service.recovery import may_act
from gateway.service.returned_parts import (
    LARGEST,
    MOST_BYTES,
    first_of,
    signed_part,
    size_of,
    split,
)
from gateway.service.set_aside import bury
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_PAGE = MOST_EVENTS  # no part has more, and none is made of more than one page
_PROVING = 20  # facts read at once
_OPENED = 10  # parked messages opened for a proof
_PROOF_PAUSE = timedelta(minutes=2)
_RETURN_PAUSE = timedelta(seconds=20)
_MOST_NUMBER = 2**62  # far beyond any lane, and no store stumbles on it


def hear_recovering(desk: Desk, arrived: ArrivedStatement) -> None:
    """Close the lane from a recovering peer, and put what it lacks up for return.

    Asked again in the same recovery, only the return begins again: a statement that comes late or
    twice closes nothing that has begun anew.
    """
    statement, peer = arrived.statement, arrived.author
    try:
        recovery_id = fields.uuid(statement.recovery_id, "recovery_id")
        since = _moment(statement)
    except Refusal:
        return
    remembered = decode_head(statement.sent)
    if remembered.incarnation > MOST_INCARNATION or remembered.last_sequence > _MOST_NUMBER:
        return
    known = desk.work.returns.get(desk.org, peer, recovery_id)
    if (known is not None and known.due) or too_soon(desk, peer, "return", _RETURN_PAUSE):
        return
    if known is None:
        lane = desk.work.inbox.lane(desk.org, peer)
        desk.work.inbox.advance(desk.org, peer, lane.closed(remembered))
    desk.work.returns.begin(desk.org, Return(peer, recovery_id, since, made_at=desk.now))


def _moment(statement: message_pb2.LaneStatement) -> datetime | None:
    if not statement.HasField("facts_since"):
        return None
    return fields.moment(statement.facts_since, "facts_since").astimezone(UTC)


def next_parts(desk: Desk, given: Return) -> list[bytes]:
    """Return the next signed part of a return and note how far it is; the last may be several.

    None while own mail for the peer has no number yet: the parts say how much the peer has to wait
    for, and what it denied (see `denied_mail`) is among that.

    Raises Refusal(KEY_UNKNOWN) when the peer has no sealing key: nothing is noted then.
    """
    key = desk.tools.directory.current_key(given.peer, KeyPurpose.SEAL, desk.now)
    if key is None:
        raise Refusal(
            Reason.KEY_UNKNOWN,
            f"The directory has no key that seals to {given.peer}.",
            "Have the directory's authority enter one.",
        )
    if may_act(desk) and desk.work.outbox.waiting_on(desk.org, given.peer, 1):
        return []
    position, batch, whole = _from_log(desk, given)
    batches = [batch]
    if whole:
        # In the same transaction as the end of the log: what waits now cannot slip between.
        parked = _from_park(desk, given, desk.work.recoveries.parked(desk.org))
        batches = split([*batch, *(one for one in parked if _sendable(desk, given, one))])
    elif not batch:
        batches = []
    parts = []
    for number, carried in enumerate(batches, 1):
        last = whole and number == len(batches)
        given = replace(given, parts=given.parts + 1, due=not last)
        parts.append(signed_part(desk, given, key, carried))
    desk.work.returns.put(desk.org, replace(given, position=position))
    return parts


def proof(desk: Desk, peer: OrgId, *, asked: bool) -> list[bytes]:
    """Return what the peer stated last of all that came here, as it signed it, in one signed part.

    By when it was stated, not logged: what others pass on of it late is nothing that it forgot. The
    part is one, since its taker concludes from each. Returns nothing when there is no key that seals
    to the peer, or when that question was answered a moment ago.
    """
    key = desk.tools.directory.current_key(peer, KeyPurpose.SEAL, desk.now)
    what = "proof asked for" if asked else "proof"
    if key is None or too_soon(desk, peer, what, _PROOF_PAUSE):
        return []
    given = Return(peer, desk.tools.ids.new(), None, made_at=desk.now, parts=1, due=False)
    facts = first_of(_newest(desk, peer), MOST_BYTES, MOST_EVENTS // 2)
    room = LARGEST - sum(map(size_of, facts))
    parked_of = desk.work.returns.parked_of(desk.org, peer, _OPENED)
    messages = [(peer, message_id) for message_id in parked_of]
    parked = (
        message_pb2.CarriedEvent(event=carried.event)
        for carried in _from_park(desk, given, messages)
    )
    fitting = (one for one in parked if size_of(one) <= room)
    facts += first_of(fitting, min(room, MOST_BYTES), MOST_EVENTS // 2)
    return [signed_part(desk, given, key, facts)]


def _newest(desk: Desk, peer: OrgId) -> Iterator[message_pb2.CarriedEvent]:
    """Yield the facts of the peer from the log, newest first."""
    before = None
    while page := desk.work.returns.newest(desk.org, peer, _PROVING, before):
        for entry in page:
            yield message_pb2.CarriedEvent(event=SignedEnvelope.FromString(entry.envelope))
        before = page[-1].event_id


def _from_log(desk: Desk, given: Return) -> tuple[int, list[message_pb2.CarriedEvent], bool]:
    """Return up to which position was read, what was found, and whether the log ends there."""
    entries = desk.work.returns.entries(desk.org, given, given.peer, _PAGE)
    found: list[message_pb2.CarriedEvent] = []
    position, size = given.position, 0
    for entry in entries:
        carried = _carried(desk, given, entry.envelope)
        if carried is not None and _sendable(desk, given, carried):
            size += size_of(carried)
            if found and size > MOST_BYTES:
                return position, found, False
            found.append(carried)
        position = entry.position
    return position, found, len(entries) < _PAGE


def _sendable(desk: Desk, given: Return, carried: message_pb2.CarriedEvent) -> bool:
    """Say whether the event can be carried, be it without titles: others of its case bring them too.

    Whatever stays here for its size is put before the operators.
    """
    if size_of(carried) <= LARGEST:
        return True
    event_id = Event.FromString(carried.event.payload).event_id
    letter = DeadLetter(
        desk.tools.ids.new(),
        DeadLetterKind.UNSENDABLE,
        Reason.TOO_LARGE,
        subject=f"{event_id}:{given.peer}",
        arose_at=desk.now,
        peer=given.peer,
        event_id=event_id,
    )
    bury(desk, letter)
    del carried.titles[:]
    return size_of(carried) <= LARGEST


def _from_park(
    desk: Desk, given: Return, messages: Iterable[tuple[OrgId, str]]
) -> Iterator[message_pb2.CarriedEvent]:
    """Yield what was received from the peer and has not taken effect: it still may."""
    for sender, message_id in messages:
        stored = desk.work.inbox.by_id(desk.org, sender, message_id)
        again = (
            read_arrival(desk.tools, desk.org, stored.envelope, stored.arrived_at)
            if stored is not None
            else None
        )
        for event in again.events if isinstance(again, ArrivedMessage) else ():
            if event.source == given.peer and event.fault is None:
                yield message_pb2.CarriedEvent(
                    event=SignedEnvelope.FromString(event.envelope),
                    parts=disclosed_to(given.peer, event.parts),
                    titles=event.titles,
                )


def _carried(desk: Desk, given: Return, envelope: bytes) -> message_pb2.CarriedEvent | None:
    """Return the event with its parts and all titles of its cases; None when it is not lacked."""
    signed = SignedEnvelope.FromString(envelope)
    event = Event.FromString(signed.payload)
    if not may_lack(given.facts_since, fields.moment(event.recorded_at, "recorded_at")):
        return None
    parts = desk.work.vault.reveal(desk.org, event.event_id, purpose="return to its own source")
    return message_pb2.CarriedEvent(
        event=signed,
        parts=disclosed_to(given.peer, parts),
        titles=[
            SignedEnvelope.FromString(title)
            for reference in event.cases
            for title in desk.work.titles.chain(desk.org, reference.case_id)
        ],
    )
