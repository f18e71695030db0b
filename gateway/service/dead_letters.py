"""The operator's list of what did not take effect: read it, take one up again, give one up.

What is taken up again goes the way it first went, once: it leaves the list before, and comes back
to it only if it dies again. A receipt that this yields is sent by the keeper of the lanes.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.codec import enums, fields
from gateway.codec.lanes import encode_dead_letter
from gateway.domain.dead_letters import (
    DeadLetter,
    DeadLetterKind,
    DeadLetterState,
    DiscardReason,
)
from gateway.domain.errors import Reason, Refusal
from gateway.log_events import LogEvent, log
from gateway.service.arrivals import Unauthentic, read_arrival
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, leave_replies
from gateway.service.park_events import bury_parked, give_up_parked, redrive_parked
from gateway.service.take_mail import take_arrivals
from gateway.v1 import delivery_pb2

_DEFAULT, _MOST = 50, 200


def list_dead_letters(
    desk: Desk, request: delivery_pb2.ListDeadLettersRequest
) -> delivery_pb2.ListDeadLettersResponse:
    """List dead letters, longest waiting first.

    Raises Refusal(INVALID_FIELD).
    """
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    after = fields.uuid(request.page_token, "page_token") if request.page_token else ""
    kind = enums.optional(DeadLetterKind, request.kind, "kind")
    state = enums.optional(DeadLetterState, request.state, "state") or DeadLetterState.OPEN
    found = desk.work.dead_letters.page(
        desk.org, after=after, limit=size + 1, kind=kind, state=state
    )
    return delivery_pb2.ListDeadLettersResponse(
        dead_letters=[encode_dead_letter(letter) for letter in found[:size]],
        next_page_token=found[size - 1].id if len(found) > size else "",
    )


def redrive_dead_letter(
    desk: Desk, request: delivery_pb2.RedriveDeadLetterRequest
) -> delivery_pb2.RedriveDeadLetterResponse:
    """Take a dead letter up again; it is still open when it died again.

    Raises Refusal: NOT_FOUND; ILLEGAL_TRANSITION when it is settled, or refused for good.
    """
    letter = _open(desk, request.dead_letter_id)
    if not letter.redrivable:
        raise Refusal(
            Reason.ILLEGAL_TRANSITION,
            f"A dead letter of kind {letter.kind} is not for this end to take up.",
            "Its author states it anew or proves it, when that can be done; discard it here.",
        )
    taken_up = replace(letter, redrives=letter.redrives + 1)
    _settle(desk, taken_up, DeadLetterState.REDRIVEN)
    _REDRIVE[letter.kind](desk, taken_up)
    now = desk.work.dead_letters.get(desk.org, letter.id) or taken_up
    if now.state is not DeadLetterState.OPEN:
        now = replace(now, state=DeadLetterState.REDRIVEN, envelope=b"", evidence=b"")
        desk.work.dead_letters.put(desk.org, now)
    _log_settled(desk, now)
    return delivery_pb2.RedriveDeadLetterResponse(dead_letter=encode_dead_letter(now))


def discard_dead_letter(
    desk: Desk, request: delivery_pb2.DiscardDeadLetterRequest
) -> delivery_pb2.DiscardDeadLetterResponse:
    """Give a dead letter up; a parked event is refused to its sender, and its case goes on.

    Raises Refusal: NOT_FOUND, MISSING_FIELD, INVALID_FIELD; ILLEGAL_TRANSITION when it is settled.
    """
    letter = _open(desk, request.dead_letter_id)
    reason = enums.required(DiscardReason, request.reason, "reason")
    settled = _settle(desk, replace(letter, discard_reason=reason), DeadLetterState.DISCARDED)
    if letter.kind is DeadLetterKind.PARKED:
        waiting = desk.work.inbox.parked_event(desk.org, letter.event_id)
        if waiting is not None:
            replies = Replies()
            give_up_parked(desk, waiting, replies)
            leave_replies(desk, replies)
    _log_settled(desk, settled)
    return delivery_pb2.DiscardDeadLetterResponse(dead_letter=encode_dead_letter(settled))


def _open(desk: Desk, letter_id: str) -> DeadLetter:
    letter = desk.work.dead_letters.get(desk.org, fields.uuid(letter_id, "dead_letter_id"))
    if letter is None:
        raise Refusal(
            Reason.NOT_FOUND,
            "There is no such dead letter.",
            "List them with DeliveryService.ListDeadLetters.",
            field="dead_letter_id",
        )
    if letter.state is not DeadLetterState.OPEN:
        raise Refusal(
            Reason.ILLEGAL_TRANSITION,
            f"The dead letter is settled: {letter.state}.",
            "Nothing is left to do.",
        )
    return letter


def _settle(desk: Desk, letter: DeadLetter, state: DeadLetterState) -> DeadLetter:
    settled = replace(letter, state=state, settled_at=desk.now)
    desk.work.dead_letters.put(desk.org, settled)
    return settled


def _log_settled(desk: Desk, letter: DeadLetter) -> None:
    log(
        LogEvent.DEAD_LETTER_SETTLED,
        org=str(desk.org),
        kind=letter.kind,
        state=letter.state,
        post=desk.actor.post,
    )


def _take_again(desk: Desk, letter: DeadLetter) -> None:
    """Read it by the keys of its own time, since keys end; by those of now if that does not help:
    the directory may have come to know its key since.
    """
    arrived = read_arrival(desk.tools, desk.org, letter.envelope, letter.arose_at)
    if isinstance(arrived, Unauthentic):
        arrived = read_arrival(desk.tools, desk.org, letter.envelope, desk.now)
    replies = Replies()
    take_arrivals(desk, [arrived], replies)
    leave_replies(desk, replies)


def _try_again(desk: Desk, letter: DeadLetter) -> None:
    waiting = desk.work.inbox.parked_event(desk.org, letter.event_id)
    if waiting is not None:
        replies = Replies()
        if not redrive_parked(desk, waiting, replies):
            bury_parked(desk, waiting)
        leave_replies(desk, replies)


def _deliver_again(desk: Desk, letter: DeadLetter) -> None:
    """Put the fact up for delivery once more: it goes in a new message, under a new number."""
    if letter.peer is not None:
        desk.work.outbox.deliver(desk.org, [letter.peer], letter.event_id)


def _send_again(desk: Desk, letter: DeadLetter) -> None:
    desk.work.backlog.restart(letter.message_id, desk.now)


_REDRIVE: Mapping[DeadLetterKind, Callable[[Desk, DeadLetter], None]] = {
    DeadLetterKind.UNAUTHENTIC: _take_again,
    DeadLetterKind.RECEIPT_FAILED: _take_again,
    DeadLetterKind.PARKED: _try_again,
    DeadLetterKind.REFUSED_BY_PEER: _deliver_again,
    DeadLetterKind.UNRECEIPTED: _send_again,
    DeadLetterKind.UNSENDABLE: _deliver_again,
}
"""How each kind is taken up again; the kinds that are missing were refused for good."""
