"""Parked events: what cannot take effect yet waits in the store and is tried again, in order.

An event waits for something of its case (a title, the event that opens the case), behind an earlier
one of the same lane and case, or for a fault of this node to be mended. It is tried again whenever
an event of its case took effect, when its sender asks what became of its message, and by the clock,
a bounded number of times: then it is a dead letter, which keeps back its own case until an operator
has it taken up again or gives it up. It is never refused in silence.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.domain.dead_letters import MOST_TRIES, DeadLetter, DeadLetterKind, pause_after
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.lanes import Arrival
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import InMessage, ParkedEvent
from gateway.ports.store import PartFailed
from gateway.service.apply_event import apply_event
from gateway.service.arrivals import ArrivedEvent, ArrivedMessage, read_arrival
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, answer, exceptions_so_far, parked, refused
from gateway.service.recovery import require_memory
from gateway.service.set_aside import bury, set_aside_contradiction
from gateway.v1 import message_pb2


def take_event(
    desk: Desk, arrived: ArrivedMessage, event: ArrivedEvent
) -> message_pb2.EventOutcome | None:
    """Let an event of the message take effect, park it, or refuse it; None when it took effect.

    An event that a fault of this node keeps from taking effect waits too, and is a dead letter at
    once, so that an operator sees the fault while it is tried again.
    """
    event_id = event.event.event_id
    reason: Reason
    stumbled = False
    try:
        require_memory(desk)
        _require_turn(desk, event)
        with desk.work.attempt():
            apply_event(desk, event)
        return None
    except Parked as wait:
        reason = wait.reason
    except Refusal as refusal:
        _note_refusal(event, refusal.reason)
        if refusal.reason is Reason.EQUIVOCATION:
            set_aside_contradiction(desk, arrived, event)
        return refused(event_id, refusal.reason)
    except PartFailed as fault:
        reason, stumbled = Reason.INTERNAL, True
        log(LogEvent.MESSAGE_PARKED, level="error", event_id=event_id, fault=str(fault))
    waiting = ParkedEvent(
        event_id, arrived.place.message_id, arrived.sender, event.case_ids, reason
    )
    try:
        _park(desk, waiting)
    except PartFailed:
        # The same fact came by another lane too and waits there already, once.
        return refused(event_id, reason)
    if stumbled:
        bury_parked(desk, waiting)
    log(LogEvent.MESSAGE_PARKED, event_id=event_id, reason=reason)
    return parked(event_id, reason)


def retry_parked(desk: Desk, case_ids: Iterable[str], replies: Replies) -> None:
    """Try what waits for these cases, in order, and answer anew for what went."""
    cases = list(dict.fromkeys(case_ids))
    for case_id in cases:  # grows while events of other cases take effect
        progress = True
        while progress:
            progress = False
            for waiting in desk.work.inbox.parked(desk.org, case_id):
                event = _retry(desk, waiting, replies)
                if event is not None:
                    progress = True
                    cases.extend(other for other in event.case_ids if other not in cases)


def retry_message(desk: Desk, message_id: str, replies: Replies) -> None:
    """Try what waits of one message, as its sender asks what became of it."""
    for waiting in desk.work.inbox.parked_in(desk.org, message_id):
        event = _retry(desk, waiting, replies)
        if event is not None:
            retry_parked(desk, event.case_ids, replies)


def _retry(
    desk: Desk, waiting: ParkedEvent, replies: Replies, *, heard_again: bool = False
) -> ArrivedEvent | None:
    """Try one parked event; return it when it waits no longer."""
    stored, again, event = find_parked(desk, waiting)
    if stored is None or again is None or event is None:
        return None
    outcome = take_event(desk, again, replace(event, heard_again=heard_again))
    if outcome is not None and outcome.outcome == message_pb2.RECEIPT_OUTCOME_PARKED:
        return None
    _answer_finally(desk, waiting, stored, outcome, replies)
    desk.work.dead_letters.heal(desk.org, DeadLetterKind.PARKED, waiting.event_id, desk.now)
    return event


def find_parked(
    desk: Desk, waiting: ParkedEvent
) -> tuple[InMessage | None, ArrivedMessage | None, ArrivedEvent | None]:
    """Read a parked event again from its message; nothing where it waits no longer."""
    stored = desk.work.inbox.by_id(desk.org, waiting.sender, waiting.message_id)
    if stored is None or waiting not in desk.work.inbox.parked_in(desk.org, waiting.message_id):
        return None, None, None
    # What was good when it arrived stays good: keys end, and what they signed does not (B22).
    again = read_arrival(desk.tools, desk.org, stored.envelope, stored.arrived_at)
    if not isinstance(again, ArrivedMessage):
        return stored, None, None
    event = next((e for e in again.events if e.event.event_id == waiting.event_id), None)
    return stored, again, event


def hear_again(desk: Desk, waiting: ParkedEvent, replies: Replies) -> bool:
    """Try one event that waited for the memory of the store, and none that waits for it; return
    whether it waits no longer.
    """
    return _retry(desk, waiting, replies, heard_again=True) is not None


def _answer_finally(
    desk: Desk,
    waiting: ParkedEvent,
    stored: InMessage,
    outcome: message_pb2.EventOutcome | None,
    replies: Replies,
) -> None:
    """Take the event out of the park and say in a linked receipt what became of it."""
    desk.work.inbox.unpark(desk.org, waiting.event_id)
    known = exceptions_so_far(desk, replies, waiting.sender, stored.digest, stored.receipt_id)
    exceptions = [e for e in known if e.event_id != waiting.event_id]
    exceptions += [outcome] if outcome is not None else []
    place = Arrival(
        stored.message_id, stored.digest, stored.incarnation, stored.sequence, previous_hash=""
    )
    message = ArrivedMessage(waiting.sender, place, stored.envelope)
    receipt_id = answer(desk, replies, message, exceptions, stored.receipt_id)
    rest = desk.work.inbox.parked_in(desk.org, waiting.message_id)
    envelope = stored.envelope if rest else b""
    desk.work.inbox.take(desk.org, waiting.sender, place, receipt_id, envelope, desk.now)


def retry_by_clock(desk: Desk, waiting: ParkedEvent, replies: Replies) -> None:
    """Try a parked event whose time has come; after the last try it is a dead letter.

    One that waits behind another of its lane and case, or for the memory of the store, is not
    tried, and its tries do not pass.
    """
    if _is_behind(desk, waiting) or desk.work.recoveries.active(desk.org) is not None:
        again_at = desk.now + pause_after(waiting.tries)
        desk.work.inbox.try_again(desk.org, waiting.event_id, waiting.tries, again_at)
        return
    event = _retry(desk, waiting, replies)
    if event is not None:
        retry_parked(desk, event.case_ids, replies)
        return
    tries = waiting.tries + 1
    again = desk.now + pause_after(tries) if tries < MOST_TRIES else None
    desk.work.inbox.try_again(desk.org, waiting.event_id, tries, again)
    if again is None:
        bury_parked(desk, waiting)


def redrive_parked(desk: Desk, waiting: ParkedEvent, replies: Replies) -> bool:
    """Try a parked event for an operator; return whether it waits no longer."""
    event = _retry(desk, waiting, replies)
    if event is not None:
        retry_parked(desk, event.case_ids, replies)
    return event is not None


def give_up_parked(desk: Desk, waiting: ParkedEvent, replies: Replies) -> None:
    """Refuse a parked event to its sender, as an operator decided; its case goes on."""
    stored = desk.work.inbox.by_id(desk.org, waiting.sender, waiting.message_id)
    if stored is not None:
        outcome = refused(waiting.event_id, Reason(waiting.reason))
        _answer_finally(desk, waiting, stored, outcome, replies)
    retry_parked(desk, waiting.case_ids, replies)


def bury_parked(desk: Desk, waiting: ParkedEvent) -> None:
    """Put a parked event on the list of dead letters; it stays parked."""
    letter = DeadLetter(
        desk.tools.ids.new(),
        DeadLetterKind.PARKED,
        Reason(waiting.reason),
        subject=waiting.event_id,
        arose_at=desk.now,
        peer=waiting.sender,
        message_id=waiting.message_id,
        event_id=waiting.event_id,
    )
    bury(desk, letter)


def _park(desk: Desk, event: ParkedEvent) -> None:
    """Park an event unless it waits already. Raises PartFailed when it waits in another message."""
    already = desk.work.inbox.parked_in(desk.org, event.message_id)
    if event.event_id not in {waiting.event_id for waiting in already}:
        with desk.work.attempt():
            desk.work.inbox.park(desk.org, event, desk.now, desk.now + pause_after(event.tries))


def _require_turn(desk: Desk, event: ArrivedEvent) -> None:
    """Keep the order of (lane, case): behind a parked event of its case an event parks too."""
    for case_id in event.case_ids:
        first = _first_of(desk, case_id, event.sender)
        if first is not None and first.event_id != event.event.event_id:
            raise Parked(
                Reason(first.reason), "An earlier event of the case waits.", "It is retried."
            )


def _is_behind(desk: Desk, waiting: ParkedEvent) -> bool:
    first = (_first_of(desk, case_id, waiting.sender) for case_id in waiting.case_ids)
    return any(one is not None and one.event_id != waiting.event_id for one in first)


def _first_of(desk: Desk, case_id: str, sender: OrgId) -> ParkedEvent | None:
    of_lane = (w for w in desk.work.inbox.parked(desk.org, case_id) if w.sender == sender)
    return next(of_lane, None)


def _note_refusal(event: ArrivedEvent, reason: Reason) -> None:
    log(
        LogEvent.MESSAGE_REFUSED,
        level="warning",
        event_id=event.event.event_id,
        reason=reason,
        source=str(event.source),
    )
