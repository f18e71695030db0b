"""Packing: waiting deliveries become numbered, chained, sealed and signed messages, lane by lane.

Everything that waits for one receiver travels in one message, up to a limit: one seal and one
signature then serve many events, and bulk costs little more than single letters.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from gateway.codec import fields
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose, PublicKey
from gateway.domain.lanes import MOST_EVENTS, SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import MESSAGE
from gateway.log_events import LogEvent, log
from gateway.ports.bus import LARGEST_ITEM
from gateway.ports.outbox import Delivery, OutMessage
from gateway.ports.store import PartFailed
from gateway.service.desk import Actor, Desk
from gateway.service.private_parts import disclosed_to
from gateway.service.recovery import require_memory
from gateway.service.set_aside import bury
from gateway.service.titles import titles_beside
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_MOST_WAITING = 1000
_SHARE = MOST_EVENTS
"""What each lane packs at a time while more waits than is packed at once: nobody's bulk goes before
anybody's letter."""
_MOST_BYTES = 256 * 1024
"""What several events take together at most; one alone may take all that the bus carries."""
HOLD_BACK = timedelta(minutes=1)
"""How long a lane without a key waits before it is tried again."""


def pack_lanes(desk: Desk) -> bool:
    """Pack what waits, a bounded part of it, and return whether there is more.

    A receiver without a sealing key in the directory, or a sender without a key to sign with or
    without its memory, holds back its own lanes only.
    """
    outbox = desk.work.outbox
    outbox.release(desk.now)
    waiting = outbox.waiting(_MOST_WAITING)
    more = len(waiting) == _MOST_WAITING
    if more:
        lanes = outbox.waiting_lanes()
        waiting = [d for lane in lanes for d in outbox.waiting_on(*lane, _SHARE)]
    by_lane: dict[tuple[OrgId, OrgId], list[Delivery]] = {}
    for delivery in waiting:
        by_lane.setdefault((delivery.sender, delivery.receiver), []).append(delivery)
    for (sender, receiver), deliveries in by_lane.items():
        _pack_or_hold_back(desk.acting_as(Actor(sender)), receiver, deliveries)
    return more


def _pack_or_hold_back(desk: Desk, receiver: OrgId, deliveries: Sequence[Delivery]) -> None:
    try:
        with desk.work.attempt():
            _pack_lane(desk, receiver, deliveries)
    except (Refusal, PartFailed) as fault:
        log_held_back(desk, receiver, fault)
        desk.work.outbox.hold_back(desk.org, receiver, desk.now + HOLD_BACK)


def log_held_back(desk: Desk, receiver: OrgId, fault: Refusal | PartFailed) -> None:
    """Say which lane waits, and why: something is missing, or this node stumbled."""
    lane = f"{desk.org}:{receiver}"
    if isinstance(fault, Refusal):
        log(LogEvent.LANE_HELD_BACK, level="warning", lane=lane, reason=fault.reason)
    else:
        reason = Reason.INTERNAL
        log(LogEvent.LANE_HELD_BACK, level="error", lane=lane, reason=reason, fault=str(fault))


def _pack_lane(desk: Desk, receiver: OrgId, deliveries: Sequence[Delivery]) -> None:
    require_memory(desk)  # no number is given by who does not remember which were given
    key = desk.tools.directory.current_key(receiver, KeyPurpose.SEAL, desk.now)
    if key is None:
        raise Refusal(
            Reason.KEY_UNKNOWN,
            f"The directory has no key that seals to {receiver}.",
            "Have the directory's authority enter one.",
        )
    start = 0
    while start < len(deliveries):
        content = _next_content(desk, receiver, deliveries[start : start + MOST_EVENTS])
        taken = deliveries[start : start + len(content.events)]
        lane = desk.work.outbox.lane(desk.org, receiver)
        packed = _message(desk, receiver, key, lane, content)
        began = (delivery.waits_since for delivery in taken if delivery.waits_since is not None)
        packed = replace(packed, waits_since=min(began, default=desk.now))
        if len(packed.envelope) <= LARGEST_ITEM:
            numbers = [delivery.number for delivery in taken]
            desk.work.outbox.pack(packed, numbers, lane.advanced(packed.digest))
        else:
            for delivery in taken:  # one alone: several are cut far below
                _give_up(desk, delivery)
        start += len(taken)


def _next_content(
    desk: Desk, receiver: OrgId, deliveries: Sequence[Delivery]
) -> message_pb2.MessageContent:
    """Return as many of the events as travel together; one always does."""
    content = message_pb2.MessageContent()
    size = 0
    for delivery in deliveries:
        carried = _carried(desk, receiver, delivery.event_id)
        size += carried.ByteSize()
        if content.events and size > _MOST_BYTES:
            break
        content.events.append(carried)
    return content


def _message(
    desk: Desk,
    receiver: OrgId,
    key: PublicKey,
    lane: SendingLane,
    content: message_pb2.MessageContent,
) -> OutMessage:
    header = message_pb2.MessageHeader(
        message_id=desk.tools.ids.new(),
        sender=str(desk.org),
        receiver=str(receiver),
        lane_incarnation=lane.incarnation,
        lane_sequence=lane.next_sequence,
        previous_message_hash=bytes.fromhex(lane.head_hash),
        created_at=fields.timestamp(desk.now),
        seal_key_id=key.key_id,
    )
    clear_header = header.SerializeToString()
    message = message_pb2.Message(
        header=clear_header,
        sealed_content=desk.tools.sealer.seal(key, clear_header, content.SerializeToString()),
    )
    envelope = desk.tools.signer.sign(desk.org, MESSAGE, message.SerializeToString())
    return OutMessage(
        header.message_id,
        desk.org,
        receiver,
        lane.incarnation,
        lane.next_sequence,
        hashlib.sha256(envelope.payload).hexdigest(),
        envelope.SerializeToString(),
    )


def _give_up(desk: Desk, delivery: Delivery) -> None:
    """Put what no message can carry before an operator; it has no number, so its lane goes on."""
    desk.work.outbox.withdraw(delivery.number)
    letter = DeadLetter(
        desk.tools.ids.new(),
        DeadLetterKind.UNSENDABLE,
        Reason.TOO_LARGE,
        subject=f"{delivery.event_id}:{delivery.receiver}",
        arose_at=desk.now,
        peer=delivery.receiver,
        event_id=delivery.event_id,
    )
    bury(desk, letter)


def _carried(desk: Desk, receiver: OrgId, event_id: str) -> message_pb2.CarriedEvent:
    entry = desk.work.events.get(desk.org, event_id)
    if entry is None:
        raise LookupError("a delivery names an event that is not in the log")
    envelope = SignedEnvelope.FromString(entry.envelope)
    parts = desk.work.vault.reveal(desk.org, event_id, purpose="disclosure to a party")
    return message_pb2.CarriedEvent(
        event=envelope,
        parts=disclosed_to(receiver, parts),
        titles=titles_beside(desk, Event.FromString(envelope.payload)),
    )
