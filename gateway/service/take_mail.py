"""Taking mail: what arrived for one organisation takes effect in its store, in one transaction.

Messages are taken in lane order; one that came early is kept and the gap is asked for; one that
came before is answered with the very bytes of its first receipt. Each event of a message has a
savepoint of its own, so that a refused one spoils nothing.
"""

import hashlib
from collections.abc import Sequence

from gateway.domain.errors import Reason
from gateway.domain.lanes import ReceivingLane, Verdict, judge
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import InMessage
from gateway.ports.store import PartFailed
from gateway.service.arrivals import (
    Arrived,
    ArrivedGapRequest,
    ArrivedMessage,
    ArrivedReceipt,
    Unauthentic,
    read_arrival,
)
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, answer, ask_for, refused, sign_replies
from gateway.service.park_events import retry_message, retry_parked, take_event
from gateway.service.take_receipt import take_receipt
from gateway.v1 import message_pb2

_MOST_RESENT = 200
_MOST_KEPT = 1000  # how far ahead of its turn a message is kept; beyond, it is sent again


def take_mail(desk: Desk, arrivals: Sequence[Arrived]) -> list[tuple[OrgId, bytes]]:
    """Take what arrived and return what has to be sent back, by receiver."""
    replies = Replies()
    for arrived in arrivals:
        match arrived:
            case ArrivedMessage():
                _take_message(desk, arrived, replies)
            case ArrivedReceipt():
                _take_receipt(desk, arrived)
            case ArrivedGapRequest():
                _send_again(desk, arrived, replies)
            case Unauthentic():
                _set_aside(desk, arrived.digest, arrived.reason, arrived.data)
    return sign_replies(desk, replies)


def _take_message(desk: Desk, arrived: ArrivedMessage, replies: Replies) -> None:
    inbox, place = desk.work.inbox, arrived.place
    lane = inbox.lane(desk.org, arrived.sender)
    by_id = inbox.by_id(desk.org, arrived.sender, place.message_id)
    by_number = inbox.by_number(desk.org, arrived.sender, place.incarnation, place.sequence)
    verdict = judge(
        lane, place, by_id.digest if by_id else None, by_number.digest if by_number else None
    )
    match verdict:
        case Verdict.TAKE:
            _take_in_turn(desk, arrived, lane, replies)
        case Verdict.KEEP:
            if place.sequence <= lane.next_sequence + _MOST_KEPT:
                inbox.keep(desk.org, arrived.sender, place, arrived.envelope, desk.now)
            _ask_for_gap(desk, arrived, lane, replies)
        case Verdict.REPEATED:
            log(LogEvent.MESSAGE_DUPLICATE, message=place.message_id)
            if by_id is not None:
                _answer_repeated(desk, arrived, lane, by_id, replies)
        case Verdict.EQUIVOCATION:
            _raise_alarm(desk, arrived, Reason.EQUIVOCATION)
        case Verdict.BROKEN:
            _raise_alarm(desk, arrived, Reason.LANE_BROKEN)


def _answer_repeated(
    desk: Desk, arrived: ArrivedMessage, lane: ReceivingLane, known: InMessage, replies: Replies
) -> None:
    """Answer with the bytes of the receipt given; one that was only kept may have its turn now."""
    if not known.receipt_id:
        if arrived.place.sequence > lane.next_sequence:
            _ask_for_gap(desk, arrived, lane, replies)
        elif arrived.place.previous_hash == lane.head_hash:
            _take_in_turn(desk, arrived, lane, replies)
        else:
            _raise_alarm(desk, arrived, Reason.LANE_BROKEN)
        return
    receipt = desk.work.inbox.receipt(desk.org, known.receipt_id)
    if receipt is not None:  # None: it is being answered in this very batch
        replies.ready.append((arrived.sender, receipt))
    retry_message(desk, arrived.place.message_id, replies)


def _ask_for_gap(
    desk: Desk, arrived: ArrivedMessage, lane: ReceivingLane, replies: Replies
) -> None:
    log(LogEvent.LANE_GAP, lane=f"{arrived.sender}:{desk.org}", missing=lane.next_sequence)
    gap = message_pb2.GapRequest(
        lane_incarnation=lane.incarnation,
        first_missing=lane.next_sequence,
        last_missing=arrived.place.sequence - 1,
    )
    ask_for(replies, desk, arrived.sender, gap)


def _take_in_turn(
    desk: Desk, arrived: ArrivedMessage, lane: ReceivingLane, replies: Replies
) -> None:
    """Apply the message whose turn it is, then those kept that follow it without a hole."""
    current: ArrivedMessage | None = arrived
    while current is not None:
        lane = lane.advanced(current.place.digest)
        desk.work.inbox.advance(desk.org, current.sender, lane)
        _apply_message(desk, current, replies)
        current = _kept_next(desk, current.sender, lane)


def _kept_next(desk: Desk, sender: OrgId, lane: ReceivingLane) -> ArrivedMessage | None:
    kept = desk.work.inbox.by_number(desk.org, sender, lane.incarnation, lane.next_sequence)
    if kept is None or kept.receipt_id:
        return None
    # What was good when it arrived stays good: keys end, and what they signed does not (B22).
    again = read_arrival(desk.tools, desk.org, kept.envelope, kept.arrived_at)
    if isinstance(again, ArrivedMessage) and again.place.previous_hash == lane.head_hash:
        return again
    return None


def _apply_message(desk: Desk, arrived: ArrivedMessage, replies: Replies) -> None:
    exceptions = [refused(fault.event_id, fault.reason) for fault in arrived.faults]
    for fault in arrived.faults:
        _set_aside(desk, arrived.place.digest, fault.reason, arrived.envelope)
    applied: list[str] = []
    for event in arrived.events:
        outcome = take_event(desk, arrived, event)
        if outcome is None:
            applied.extend(event.case_ids)
        else:
            exceptions.append(outcome)
    receipt_id = answer(desk, replies, arrived, exceptions)
    # Parked events are read again from the message; otherwise its bytes have done their work.
    waits = bool(desk.work.inbox.parked_in(desk.org, arrived.place.message_id))
    envelope = arrived.envelope if waits else b""
    desk.work.inbox.take(desk.org, arrived.sender, arrived.place, receipt_id, envelope, desk.now)
    retry_parked(desk, applied, replies)


def _take_receipt(desk: Desk, arrived: ArrivedReceipt) -> None:
    """Take a receipt; one that a fault of this node spoils is set aside and will be given again."""
    try:
        with desk.work.attempt():
            take_receipt(desk, arrived)
    except PartFailed as fault:
        digest = hashlib.sha256(arrived.envelope).hexdigest()
        _set_aside(desk, digest, Reason.INTERNAL, arrived.envelope)
        log(LogEvent.MESSAGE_QUARANTINED, level="error", reason=Reason.INTERNAL, fault=str(fault))


def _send_again(desk: Desk, arrived: ArrivedGapRequest, replies: Replies) -> None:
    """Send stored bytes again; it needs no permission and changes nothing."""
    request = arrived.request
    last = min(request.last_missing, request.first_missing + _MOST_RESENT)
    for message in desk.work.outbox.between(
        desk.org, arrived.receiver, request.lane_incarnation, request.first_missing, last
    ):
        replies.ready.append((arrived.receiver, message.envelope))
        log(LogEvent.MESSAGE_RESENT, message=message.message_id)


def _raise_alarm(desk: Desk, arrived: ArrivedMessage, reason: Reason) -> None:
    log(LogEvent.EQUIVOCATION, level="error", sender=str(arrived.sender), reason=reason)
    _set_aside(desk, arrived.place.digest, reason, arrived.envelope)


def _set_aside(desk: Desk, digest: str, reason: Reason, data: bytes) -> None:
    if desk.work.inbox.quarantine(desk.org, digest, reason, data, desk.now):
        log(LogEvent.MESSAGE_QUARANTINED, level="error", reason=reason, org=str(desk.org))
