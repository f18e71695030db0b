"""Giving a recovering peer its own facts back, as they were once received from it.

The answer is a promise too: before anything is looked up, the lane from the peer is closed behind
what the peer remembers, so that no fact of the forgotten time takes effect here after it was looked
for. So what all peers return together is all there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gateway.codec import fields
from gateway.codec.lanes import decode_head, encode_head
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose, PublicKey
from gateway.domain.lanes import MOST_INCARNATION
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RETURNED_FACTS
from gateway.domain.recovery import may_lack
from gateway.ports.recovery import Return
from gateway.service.arrivals import ArrivedMessage, ArrivedStatement, read_arrival
from gateway.service.desk import Desk
from gateway.service.private_parts import disclosed_to
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_MOST_BYTES = 256 * 1024
_PAGE = 200
_PROVING = 10  # more than one, since a fact may come again after newer ones
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
    if known is None:
        lane = desk.work.inbox.lane(desk.org, peer)
        desk.work.inbox.advance(desk.org, peer, lane.closed(remembered))
    if known is None or not known.due:
        desk.work.returns.put(desk.org, Return(peer, recovery_id, since, made_at=desk.now))


def _moment(statement: message_pb2.LaneStatement) -> datetime | None:
    if not statement.HasField("facts_since"):
        return None
    return fields.moment(statement.facts_since, "facts_since").astimezone(UTC)


def next_parts(desk: Desk, given: Return) -> list[bytes]:
    """Return the next signed part of a return and note how far it is; the last may be several.

    Raises Refusal(KEY_UNKNOWN) when the peer has no sealing key: nothing is noted then.
    """
    key = desk.tools.directory.current_key(given.peer, KeyPurpose.SEAL, desk.now)
    if key is None:
        raise Refusal(
            Reason.KEY_UNKNOWN,
            f"The directory has no key that seals to {given.peer}.",
            "Have the directory's authority enter one.",
        )
    position, batch, whole = _from_log(desk, given)
    batches = [batch]
    if whole:
        # In the same transaction as the end of the log: what waits now cannot slip between.
        batches = _split([*batch, *_from_park(desk, given)])
    elif not batch:
        batches = []
    parts = []
    for number, carried in enumerate(batches, 1):
        last = whole and number == len(batches)
        given = replace(given, parts=given.parts + 1, due=not last)
        parts.append(_part(desk, given, key, carried))
    desk.work.returns.put(desk.org, replace(given, position=position))
    return parts


def proof(desk: Desk, peer: OrgId) -> list[bytes]:
    """Return the last facts that came from the peer, as it signed them, in one signed part.

    They were taken in the order of its lane: a peer that forgot any has forgotten the last.
    Returns nothing when there is no key that seals to the peer.
    """
    key = desk.tools.directory.current_key(peer, KeyPurpose.SEAL, desk.now)
    given = Return(peer, desk.tools.ids.new(), None, made_at=desk.now, parts=1, due=False)
    logged = desk.work.returns.last(desk.org, peer, _PROVING)
    facts = [SignedEnvelope.FromString(entry.envelope) for entry in logged]
    facts += [carried.event for carried in _from_park(desk, given)]
    if key is None:
        return []
    carried = [message_pb2.CarriedEvent(event=fact) for fact in reversed(facts)]
    return [_part(desk, given, key, _split(carried)[0])]


def _from_log(desk: Desk, given: Return) -> tuple[int, list[message_pb2.CarriedEvent], bool]:
    """Return up to which position was read, what was found, and whether the log ends there."""
    entries = desk.work.returns.entries(desk.org, given, given.peer, _PAGE)
    found: list[message_pb2.CarriedEvent] = []
    position, size = given.position, 0
    for entry in entries:
        carried = _carried(desk, given, entry.envelope)
        if carried is not None:
            size += carried.ByteSize()
            if found and size > _MOST_BYTES:
                return position, found, False
            found.append(carried)
        position = entry.position
    return position, found, len(entries) < _PAGE


def _from_park(desk: Desk, given: Return) -> Iterator[message_pb2.CarriedEvent]:
    """Yield what was received and has not taken effect: it still may."""
    for sender, message_id in desk.work.recoveries.parked(desk.org):
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


def _split(
    carried: Sequence[message_pb2.CarriedEvent],
) -> list[list[message_pb2.CarriedEvent]]:
    """Split into batches of bounded size; always one, though it be empty."""
    batches: list[list[message_pb2.CarriedEvent]] = [[]]
    size = 0
    for one in carried:
        size += one.ByteSize()
        if batches[-1] and size > _MOST_BYTES:
            batches.append([])
            size = one.ByteSize()
        batches[-1].append(one)
    return batches


def _part(
    desk: Desk, given: Return, key: PublicKey, carried: Sequence[message_pb2.CarriedEvent]
) -> bytes:
    header = message_pb2.ReturnHeader(
        author=str(desk.org),
        peer=str(given.peer),
        recovery_id=given.recovery_id,
        part=given.parts,
        last=not given.due,
        seal_key_id=key.key_id,
        received=encode_head(desk.work.inbox.lane(desk.org, given.peer).head),
        sent=encode_head(desk.work.outbox.lane(desk.org, given.peer).head),
        created_at=fields.timestamp(given.made_at),
    ).SerializeToString()
    content = message_pb2.MessageContent(events=carried).SerializeToString()
    returned = message_pb2.ReturnedFacts(
        header=header, sealed_content=desk.tools.sealer.seal(key, header, content)
    )
    envelope = desk.tools.signer.sign(desk.org, RETURNED_FACTS, returned.SerializeToString())
    return envelope.SerializeToString()
