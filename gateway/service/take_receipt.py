"""Taking a receipt: only now is a message delivered, and a letter in the other county's store.

What the peer refused becomes a dead letter here. A message refused for its place on the lane says
nothing of the facts in it: their letters stay as they are until the message is taken up again.
"""

from collections.abc import Iterator
from datetime import timedelta

from gateway.codec import enums
from gateway.codec.lanes import decode_head
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.lanes import LaneHead
from gateway.domain.letters import MACHINE, LetterTrigger
from gateway.log_events import LogEvent, log
from gateway.ports.outbox import MessageState, OutMessage
from gateway.service.arrivals import ArrivedReceipt
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies
from gateway.service.lane_statements import check_receipt_head
from gateway.service.set_aside import bury
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_ASK_PARKED_AGAIN = timedelta(hours=1)
_STATES = {
    message_pb2.RECEIPT_OUTCOME_APPLIED: MessageState.APPLIED,
    message_pb2.RECEIPT_OUTCOME_REFUSED: MessageState.REFUSED,
    message_pb2.RECEIPT_OUTCOME_PARKED: MessageState.PARKED,
}
_FINAL = (MessageState.APPLIED, MessageState.REFUSED)
_OF_THE_LANE = (Reason.EQUIVOCATION, Reason.LANE_BROKEN)


def take_receipt(desk: Desk, arrived: ArrivedReceipt, replies: Replies) -> None:
    """Close the messages that the receipt answers; it counts only for bytes that really left."""
    receipt = arrived.receipt
    head = decode_head(receipt.head)
    latest: OutMessage | None = None
    for item in receipt.items:
        message = desk.work.outbox.find(desk.org, item.message_id)
        if (
            message is None
            or message.receiver != arrived.receiver
            or message.digest != item.message_digest.hex()
        ):
            continue
        if latest is None or _place(message) > _place(latest):
            latest = message
        if not (_beyond(head, message) and _out_of_place(item)):
            _close(desk, arrived, item, message)
    if receipt.HasField("head"):
        # A message refused for its place shows that the histories differ somewhere: look closely.
        known = None if any(map(_out_of_place, receipt.items)) else latest
        check_receipt_head(desk, arrived.receiver, head, known, replies)


def _beyond(head: LaneHead, message: OutMessage) -> bool:
    """Say whether the message came after the peer closed its lane; it goes again on the next."""
    taken = head.incarnation, head.last_sequence
    return head.closed and message.incarnation == head.incarnation and _place(message) > taken


def _out_of_place(item: message_pb2.ReceiptItem) -> bool:
    """Say whether the message as a whole was refused for its place on the lane."""
    return any(
        not exception.event_id and enums.maybe(Reason, exception.reason) in _OF_THE_LANE
        for exception in item.exceptions
    )


def _place(message: OutMessage) -> tuple[int, int]:
    return message.incarnation, message.sequence


def _close(
    desk: Desk, arrived: ArrivedReceipt, item: message_pb2.ReceiptItem, message: OutMessage
) -> None:
    state = _STATES.get(item.outcome)
    if state is None or message.state in _FINAL:
        return
    if message.state is MessageState.REPLACED and state is MessageState.PARKED:
        return  # nothing of it is left to send: its final receipt comes by itself, or that of another
    receipt_id = arrived.receipt.receipt_id
    desk.work.inbox.add_receipt(desk.org, receipt_id, arrived.receiver, arrived.envelope)
    ask_again = desk.now + _ASK_PARKED_AGAIN if state is MessageState.PARKED else None
    desk.work.outbox.close(message.message_id, state, receipt_id, ask_again)
    if message.state is MessageState.DEAD:
        kind = DeadLetterKind.UNRECEIPTED
        desk.work.dead_letters.heal(desk.org, kind, message.message_id, desk.now)
    if item.exceptions:
        _bury_refused(desk, arrived, item)
    _mark_letters(desk, arrived, item)
    log(LogEvent.RECEIPT_CLOSED, message=message.message_id, outcome=state)


def _bury_refused(desk: Desk, arrived: ArrivedReceipt, item: message_pb2.ReceiptItem) -> None:
    """Say loudly that a fact of ours was declined: no officer will see it arrive."""
    for event_id, reason in _refusals(desk, item):
        log(
            LogEvent.MESSAGE_REFUSED,
            level="error",
            event_id=event_id,
            reason=reason,
            by=str(arrived.receiver),
        )
        letter = DeadLetter(
            desk.tools.ids.new(),
            DeadLetterKind.REFUSED_BY_PEER,
            reason,
            subject=f"{item.message_id}:{event_id}",
            arose_at=desk.now,
            peer=arrived.receiver,
            message_id=item.message_id,
            event_id=event_id,
            receipt_id=arrived.receipt.receipt_id,
        )
        bury(desk, letter)


def _refusals(desk: Desk, item: message_pb2.ReceiptItem) -> Iterator[tuple[str, Reason]]:
    """Yield the events of the message that were refused; without an identifier all are meant."""
    carried = desk.work.outbox.event_ids(item.message_id)
    for exception in item.exceptions:
        if exception.outcome == message_pb2.RECEIPT_OUTCOME_REFUSED:
            reason = enums.maybe(Reason, exception.reason) or Reason.INTERNAL
            if reason is Reason.RECOVERING:
                continue  # it waits there already, under another message
            meant = [event_id for event_id in carried if exception.event_id in {"", event_id}]
            yield from ((event_id, reason) for event_id in meant)


def _mark_letters(desk: Desk, arrived: ArrivedReceipt, item: message_pb2.ReceiptItem) -> None:
    """Mark the letters of a message; of one that is still parked nothing is certain yet."""
    outcomes = {exception.event_id: exception.outcome for exception in item.exceptions}
    whole = outcomes.get("")  # the message could not even be read
    if _out_of_place(item):
        return
    for event_id in desk.work.outbox.event_ids(item.message_id):
        outcome = outcomes.get(event_id, whole)
        if outcome != message_pb2.RECEIPT_OUTCOME_PARKED:
            refused = outcome == message_pb2.RECEIPT_OUTCOME_REFUSED
            _mark_letter(desk, arrived, event_id, refused=refused)


def _mark_letter(desk: Desk, arrived: ArrivedReceipt, event_id: str, *, refused: bool) -> None:
    """Show on the letter that it was delivered, or that the receiver's node declined it."""
    entry = desk.work.events.get(desk.org, event_id)
    if (
        entry is None
        or entry.source != str(desk.org)
        or entry.type != enums.wire(FactKind.LETTER_DISPATCHED)
    ):
        return
    event = Event.FromString(SignedEnvelope.FromString(entry.envelope).payload)
    letter = desk.work.letters.get(desk.org, event.letter_dispatched.letter.letter_id)
    if letter is None or letter.recipient != arrived.receiver:
        return
    trigger = LetterTrigger.GIVE_UP if refused else LetterTrigger.DELIVER
    if not MACHINE.allows(letter.state, trigger):
        return
    delivered = {} if refused else {"delivered_at": desk.now}
    desk.work.letters.put(desk.org, letter.moved(trigger, desk.now, **delivered))
    if refused:
        for line in letter.lines:
            case = desk.work.cases.get(desk.org, line.case_id)
            if case is not None and case.offer is not None and case.offer.letter_id == letter.id:
                desk.work.cases.put(desk.org, case.changed(desk.now, offer=None))
