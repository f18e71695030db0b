"""Parked events: what cannot take effect yet waits in the store and is tried again, in order.

An event waits for something of its case (a title, the event that opens the case), behind an earlier
one of the same lane and case, or for a fault of this node to be mended. It is tried again whenever
an event of its case took effect, and when its sender asks what became of its message.
"""

from collections.abc import Iterable

from gateway.domain.errors import Parked, Reason, Refusal
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import ParkedEvent
from gateway.ports.store import PartFailed
from gateway.service.apply_event import apply_event
from gateway.service.arrivals import ArrivedEvent, ArrivedMessage, read_arrival
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, answer, exceptions_so_far, parked, refused
from gateway.v1 import message_pb2


def take_event(
    desk: Desk, arrived: ArrivedMessage, event: ArrivedEvent
) -> message_pb2.EventOutcome | None:
    """Let an event of the message take effect, park it, or refuse it; None when it took effect.

    An event that a fault of this node keeps from taking effect waits, and the message is kept in
    quarantine with the reason INTERNAL, where an operator finds it.
    """
    event_id = event.event.event_id
    reason: Reason
    try:
        _require_turn(desk, event)
        with desk.work.attempt():
            apply_event(desk, event)
        return None
    except Parked as wait:
        reason = wait.reason
    except Refusal as refusal:
        _note_refusal(event, refusal.reason)
        return refused(event_id, refusal.reason)
    except PartFailed as fault:
        reason = Reason.INTERNAL
        desk.work.inbox.quarantine(
            desk.org, arrived.place.digest, reason, arrived.envelope, desk.now
        )
        log(LogEvent.MESSAGE_QUARANTINED, level="error", reason=reason, fault=str(fault))
    waiting = ParkedEvent(
        event_id, arrived.place.message_id, arrived.sender, event.case_ids, reason
    )
    try:
        _park(desk, waiting)
    except PartFailed:
        # The same fact came by another lane too and waits there already, once.
        return refused(event_id, reason)
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


def _retry(desk: Desk, waiting: ParkedEvent, replies: Replies) -> ArrivedEvent | None:
    """Try one parked event; return it when it waits no longer."""
    stored = desk.work.inbox.by_id(desk.org, waiting.sender, waiting.message_id)
    if stored is None or waiting not in desk.work.inbox.parked_in(desk.org, waiting.message_id):
        return None
    # What was good when it arrived stays good: keys end, and what they signed does not (B22).
    again = read_arrival(desk.tools, desk.org, stored.envelope, stored.arrived_at)
    events = again.events if isinstance(again, ArrivedMessage) else ()
    event = next((e for e in events if e.event.event_id == waiting.event_id), None)
    if event is None or not isinstance(again, ArrivedMessage):
        return None
    outcome = take_event(desk, again, event)
    if outcome is not None and outcome.outcome == message_pb2.RECEIPT_OUTCOME_PARKED:
        return None
    desk.work.inbox.unpark(desk.org, waiting.event_id)
    known = exceptions_so_far(desk, replies, waiting.sender, waiting.message_id, stored.receipt_id)
    exceptions = [e for e in known if e.event_id != waiting.event_id]
    exceptions += [outcome] if outcome is not None else []
    receipt_id = answer(desk, replies, again, exceptions, stored.receipt_id)
    rest = desk.work.inbox.parked_in(desk.org, waiting.message_id)
    envelope = stored.envelope if rest else b""
    desk.work.inbox.take(desk.org, again.sender, again.place, receipt_id, envelope, desk.now)
    return event


def _park(desk: Desk, event: ParkedEvent) -> None:
    """Park an event unless it waits already. Raises PartFailed when it waits in another message."""
    already = desk.work.inbox.parked_in(desk.org, event.message_id)
    if event.event_id not in {waiting.event_id for waiting in already}:
        with desk.work.attempt():
            desk.work.inbox.park(desk.org, event, desk.now)


def _require_turn(desk: Desk, event: ArrivedEvent) -> None:
    """Keep the order of (lane, case): behind a parked event of its case an event parks too."""
    for case_id in event.case_ids:
        of_lane = (
            waiting
            for waiting in desk.work.inbox.parked(desk.org, case_id)
            if waiting.sender == event.sender
        )
        first = next(of_lane, None)
        if first is not None and first.event_id != event.event.event_id:
            raise Parked(
                Reason(first.reason), "An earlier event of the case waits.", "It is retried."
            )


def _note_refusal(event: ArrivedEvent, reason: Reason) -> None:
    log(
        LogEvent.MESSAGE_REFUSED,
        level="warning",
        event_id=event.event.event_id,
        reason=reason,
        source=str(event.source),
    )
