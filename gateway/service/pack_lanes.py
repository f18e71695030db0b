"""Packing: waiting deliveries become numbered, chained, sealed and signed messages, lane by lane.

Everything that waits for one receiver travels in one message, up to a limit: one seal and one
signature then serve many events, and bulk costs little more than single letters.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from gateway.codec import fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.lanes import MOST_EVENTS
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import MESSAGE
from gateway.log_events import LogEvent, log
from gateway.ports.outbox import Delivery, OutMessage
from gateway.service.desk import Actor, Desk
from gateway.service.private_parts import disclosed_to
from gateway.service.recovery import require_memory
from gateway.service.titles import titles_beside
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_MOST_WAITING = 1000
_SHARE = MOST_EVENTS
"""What each lane packs at a time while more waits than is packed at once: nobody's bulk goes before
anybody's letter."""
_MOST_BYTES = 256 * 1024
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
        with desk.work.savepoint():
            _pack_lane(desk, receiver, deliveries)
    except Refusal as refusal:
        lane = f"{desk.org}:{receiver}"
        log(LogEvent.LANE_HELD_BACK, level="warning", lane=lane, reason=refusal.reason)
        desk.work.outbox.hold_back([d.number for d in deliveries], desk.now + HOLD_BACK)


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
        content = message_pb2.MessageContent()
        taken: list[int] = []
        size = 0
        for delivery in deliveries[start : start + MOST_EVENTS]:
            carried = _carried(desk, receiver, delivery.event_id)
            size += carried.ByteSize()
            if taken and size > _MOST_BYTES:
                break
            content.events.append(carried)
            taken.append(delivery.number)
        lane = desk.work.outbox.lane(desk.org, receiver)
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
        digest = hashlib.sha256(envelope.payload).hexdigest()
        packed = OutMessage(
            header.message_id,
            desk.org,
            receiver,
            lane.incarnation,
            lane.next_sequence,
            digest,
            envelope.SerializeToString(),
            waits_since=desk.now,
        )
        desk.work.outbox.pack(packed, taken, lane.advanced(digest))
        start += len(taken)


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
