"""Taking a receipt: only now is a message delivered, and a letter in the other county's store."""

from datetime import timedelta

from gateway.codec import enums
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.letters import MACHINE, LetterTrigger
from gateway.log_events import LogEvent, log
from gateway.ports.outbox import MessageState
from gateway.service.arrivals import ArrivedReceipt
from gateway.service.desk import Desk
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


def take_receipt(desk: Desk, arrived: ArrivedReceipt) -> None:
    """Close the messages that the receipt answers; it counts only for bytes that really left."""
    receipt = arrived.receipt
    for item in receipt.items:
        message = desk.work.outbox.find(desk.org, item.message_id)
        state = _STATES.get(item.outcome)
        if (
            message is None
            or state is None
            or message.receiver != arrived.receiver
            or message.digest != item.message_digest.hex()
            or message.state in _FINAL
        ):
            continue
        desk.work.inbox.add_receipt(
            desk.org, receipt.receipt_id, arrived.receiver, arrived.envelope
        )
        ask_again = desk.now + _ASK_PARKED_AGAIN if state is MessageState.PARKED else None
        desk.work.outbox.close(message.message_id, state, receipt.receipt_id, ask_again)
        _raise_refusals(arrived, item)
        _mark_letters(desk, arrived, item)
        log(LogEvent.RECEIPT_CLOSED, message=message.message_id, outcome=state)


def _raise_refusals(arrived: ArrivedReceipt, item: message_pb2.ReceiptItem) -> None:
    """Say loudly that a fact of ours was declined: no officer will see it arrive."""
    for exception in item.exceptions:
        if exception.outcome == message_pb2.RECEIPT_OUTCOME_REFUSED:
            log(
                LogEvent.MESSAGE_REFUSED,
                level="error",
                event_id=exception.event_id,
                reason=enums.maybe(Reason, exception.reason) or Reason.INTERNAL,
                by=str(arrived.receiver),
            )


def _mark_letters(desk: Desk, arrived: ArrivedReceipt, item: message_pb2.ReceiptItem) -> None:
    """Mark the letters of a message; of one that is still parked nothing is certain yet."""
    outcomes = {exception.event_id: exception.outcome for exception in item.exceptions}
    whole = outcomes.get("")  # the message could not even be read
    for event_id in desk.work.outbox.event_ids(item.message_id):
        outcome = outcomes.get(event_id, whole)
        if outcome != message_pb2.RECEIPT_OUTCOME_PARKED:
            refused = outcome == message_pb2.RECEIPT_OUTCOME_REFUSED
            _mark_letter(desk, arrived, event_id, refused=refused)


def _mark_letter(desk: Desk, arrived: ArrivedReceipt, event_id: str, *, refused: bool) -> None:
    """Show on the letter that it was delivered, or that the receiver's node declined it."""
    entry = desk.work.events.get(desk.org, event_id)
    if entry is None or entry.source != str(desk.org):
        return
    event = Event.FromString(SignedEnvelope.FromString(entry.envelope).payload)
    if event.type != enums.wire(FactKind.LETTER_DISPATCHED):
        return
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
