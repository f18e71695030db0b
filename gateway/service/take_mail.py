"""Taking mail: what arrived for one organisation takes effect in its store, in one transaction.

Messages are taken in lane order; one that came early is kept and the gap is asked for; one that
came before is answered with the very bytes of its first receipt; one that has no place on its lane
is refused. Each event of a message has a savepoint of its own, so that a refused one spoils nothing.
"""

import hashlib
from collections.abc import Sequence

from gateway.domain.errors import Reason
from gateway.domain.lanes import FIRST, ReceivingLane, Verdict, judge
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import InMessage
from gateway.ports.store import PartFailed
from gateway.service.arrivals import (
    Arrived,
    ArrivedGapRequest,
    ArrivedMessage,
    ArrivedReceipt,
    ArrivedStatement,
    Unauthentic,
    read_arrival,
)
from gateway.service.arrived_returns import ArrivedReturn
from gateway.service.desk import Desk
from gateway.service.ended_keys import under_good_key
from gateway.service.give_receipts import Replies, answer, ask_for, refused, sign_replies
from gateway.service.lane_statements import take_statement
from gateway.service.park_events import retry_message, retry_parked, take_event
from gateway.service.set_aside import (
    refuse_broken,
    refuse_twin,
    set_aside_bytes,
    set_aside_receipt,
    set_aside_unreadable,
)
from gateway.service.take_receipt import take_receipt
from gateway.service.take_return import take_return
from gateway.v1 import message_pb2

_MOST_RESENT = 50  # at once; more of a gap goes the way of all mail, at its pace
_MOST_NUMBER = 2**62  # far beyond any lane, and no store stumbles on it
_MOST_KEPT = 1000  # how far ahead of its turn a message is kept; beyond, it is sent again


def take_mail(desk: Desk, arrivals: Sequence[Arrived]) -> list[tuple[OrgId, bytes]]:
    """Take what arrived and return what has to be sent back, by receiver."""
    replies = Replies()
    take_arrivals(desk, arrivals, replies)
    return sign_replies(desk, replies)


def take_arrivals(desk: Desk, arrivals: Sequence[Arrived], replies: Replies) -> None:
    """Take what arrived and note what has to be sent back."""
    for arrived in arrivals:
        match arrived:
            case ArrivedMessage():
                _take_message(desk, arrived, replies)
            case ArrivedReceipt():
                _take_receipt(desk, arrived, replies)
            case ArrivedGapRequest():
                _send_again(desk, arrived, replies)
            case ArrivedStatement():
                take_statement(desk, arrived, replies)
            case ArrivedReturn():
                take_return(desk, arrived)
            case Unauthentic():
                set_aside_bytes(desk, arrived)


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
            if place.sequence <= lane.heard(place.incarnation).next_sequence + _MOST_KEPT:
                inbox.keep(desk.org, arrived.sender, place, arrived.envelope, desk.now)
            _ask_for_gap(desk, arrived, lane, replies)
        case Verdict.REPEATED:
            log(LogEvent.MESSAGE_DUPLICATE, message=place.message_id)
            if by_id is not None:
                _answer_repeated(desk, arrived, lane, by_id, replies)
        case Verdict.EQUIVOCATION:
            if earlier := by_id or by_number:
                refuse_twin(desk, arrived, earlier, replies)
        case Verdict.BROKEN:
            refuse_broken(desk, arrived, replies)


def _answer_repeated(
    desk: Desk, arrived: ArrivedMessage, lane: ReceivingLane, known: InMessage, replies: Replies
) -> None:
    """Answer with the bytes of the receipt given; one that was only kept may have its turn now."""
    if not known.receipt_id:
        match judge(lane, arrived.place, None, None):
            case Verdict.TAKE:
                _take_in_turn(desk, arrived, lane, replies)
            case Verdict.KEEP:
                _ask_for_gap(desk, arrived, lane, replies)
            case _:
                _refuse_kept(desk, arrived, replies)
        return
    receipt = desk.work.inbox.receipt(desk.org, known.receipt_id)
    if receipt is not None:  # None: it is being answered in this very batch
        replies.ready.append((arrived.sender, under_good_key(desk, receipt)))
    retry_message(desk, arrived.place.message_id, replies)


def _ask_for_gap(
    desk: Desk, arrived: ArrivedMessage, lane: ReceivingLane, replies: Replies
) -> None:
    lane = lane.heard(arrived.place.incarnation)
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
    if arrived.place.incarnation > lane.incarnation:
        lane = lane.heard(arrived.place.incarnation)
        log(LogEvent.LANE_RENEWED, lane=f"{arrived.sender}:{desk.org}", life=lane.incarnation)
    current: ArrivedMessage | None = arrived
    while current is not None:
        lane = lane.advanced(current.place.digest)
        desk.work.inbox.advance(desk.org, current.sender, lane)
        replies.heads[current.sender] = lane.head
        _apply_message(desk, current, replies)
        current = _kept_next(desk, current.sender, lane, replies)


def _kept_next(
    desk: Desk, sender: OrgId, lane: ReceivingLane, replies: Replies
) -> ArrivedMessage | None:
    kept = desk.work.inbox.by_number(desk.org, sender, lane.incarnation, lane.next_sequence)
    if kept is None or kept.receipt_id:
        return None
    # What was good when it arrived stays good: keys end, and what they signed does not (B22).
    again = read_arrival(desk.tools, desk.org, kept.envelope, kept.arrived_at)
    if not isinstance(again, ArrivedMessage):
        return None
    if judge(lane, again.place, None, None) is Verdict.TAKE:
        return again
    _refuse_kept(desk, again, replies)
    return None


def _refuse_kept(desk: Desk, arrived: ArrivedMessage, replies: Replies) -> None:
    """Refuse what was kept and does not fit: the number is free for the message that does."""
    desk.work.inbox.forget(desk.org, arrived.sender, arrived.place.message_id)
    refuse_broken(desk, arrived, replies)


def _apply_message(desk: Desk, arrived: ArrivedMessage, replies: Replies) -> None:
    exceptions = [refused(fault.event_id, fault.reason) for fault in arrived.faults]
    for fault in arrived.faults:
        set_aside_unreadable(desk, arrived, fault.reason)
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


def _take_receipt(desk: Desk, arrived: ArrivedReceipt, replies: Replies) -> None:
    """Take a receipt; one that a fault of this node spoils is set aside and will be given again."""
    try:
        with desk.work.attempt():
            take_receipt(desk, arrived, replies)
    except PartFailed as fault:
        digest = hashlib.sha256(arrived.envelope).hexdigest()
        set_aside_receipt(desk, arrived, digest)
        log(LogEvent.MESSAGE_QUARANTINED, level="error", reason=Reason.INTERNAL, fault=str(fault))


def _send_again(desk: Desk, arrived: ArrivedGapRequest, replies: Replies) -> None:
    """Send stored bytes again; it needs no permission.

    A long gap, such as that of a peer that was away, begins at once and follows as mail that is due.
    """
    request = arrived.request
    lane = (desk.org, arrived.receiver, request.lane_incarnation)
    first = min(max(request.first_missing, FIRST), _MOST_NUMBER)
    following = first + _MOST_RESENT
    for message in desk.work.outbox.between(*lane, first, min(request.last_missing, following - 1)):
        if not message.envelope:
            continue  # what it carried goes under another number
        replies.ready.append((arrived.receiver, under_good_key(desk, message.envelope)))
        log(LogEvent.MESSAGE_RESENT, message=message.message_id)
    if request.last_missing >= following:
        count = desk.work.backlog.revive(*lane, following, request.last_missing, desk.now)
        log(LogEvent.MESSAGE_RESENT, due=count)
