"""The end of a recovery, and what follows it: records are rebuilt, and what waited takes effect.

Own facts and the peers' mail are taken in turns: an acceptance of ours needs the letter that comes
again, a registration by a peer needs the dispatch of ours that came back. What is left over after
that is on the officers' list.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NoReturn

from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import RULES, FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import SETTLED, RecoveredFact, Recovery
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import ParkedEvent
from gateway.ports.store import PartFailed
from gateway.service.apply_event import apply_event
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, sign_replies
from gateway.service.park_events import find_parked, hear_again
from gateway.service.parties import Matter, receivers
from gateway.service.rebuild import rebuild
from gateway.service.recovery import ask_everybody, begin_lane
from gateway.service.take_return import follow_titles, own_event

_Try = Callable[[], bool]
_LAST = "~"  # after every identifier


def end_when_settled(desk: Desk, recovery: Recovery) -> list[tuple[OrgId, bytes]]:
    """End the recovery once no peer is waited for, nor anybody left to ask whom the directory lists
    by now; return what has to be sent then.
    """
    counts = desk.work.recoveries.count(desk.org, recovery.id)
    if any(number for state, number in counts.items() if state not in SETTLED):
        return []
    if ask_everybody(desk, recovery):
        return []
    _begin_lanes(desk, recovery)
    desk.work.recoveries.put(desk.org, replace(recovery, ended_at=desk.now))
    log(LogEvent.RECOVERY_ENDED, org=str(desk.org), recovery=recovery.id)
    replies = Replies()
    regain(desk, recovery, replies)
    return sign_replies(desk, replies)


def _begin_lanes(desk: Desk, recovery: Recovery) -> None:
    """Begin the lane to every peer anew: it has closed the present one, used or not."""
    for peer in desk.work.recoveries.peers(desk.org, recovery.id):
        begin_lane(desk, peer.peer, peer.received)


def regain(desk: Desk, recovery: Recovery, replies: Replies) -> None:
    """Let own facts that came back and mail that waited take effect, as far as they do.

    They are taken in the order in which they were stated, but what an event once brought about of
    itself before that event: then it is not brought about twice. So again and again, while that
    takes anything forward; only then is refused what still does not fit. Called again when a peer
    that was waived answers after all.
    """
    facts = [
        fact for fact in desk.work.recovered_facts.of(desk.org, recovery.id) if not fact.rebuilt
    ]
    own = {fact.event_id: (fact, event) for fact, event in _readable(desk, facts)}
    waiting = _waiting(desk)
    causes = {one.event_id for one in waiting}
    left: dict[tuple[str, str], _Try] = {}
    for event_id, (fact, event) in own.items():
        cause = event.event.causation_id
        place = (cause, event_id) if cause in causes else (event_id, "")
        left[place] = partial(_rebuilt, desk, fact, event)
    for one in waiting:
        left[one.event_id, _LAST] = partial(_applied, desk, one, replies)
    before = len(left) + 1
    while len(left) < before:
        before = len(left)
        left = {place: left[place] for place in sorted(left) if not left[place]()}
    for one in waiting:
        hear_again(desk, one, replies)
    for fact, event in own.values():
        for case_id in event.case_ids:
            follow_titles(desk, case_id)
        _tell_again(desk, event, fact.returned_by)


def rebuild_left(desk: Desk) -> None:
    """Try again what could not be rebuilt before: the mail that it rests on may have come since."""
    for fact, event in _readable(desk, desk.work.recovered_facts.left(desk.org)):
        if not _rebuilt(desk, fact, event):
            for case_id in event.case_ids:
                follow_titles(desk, case_id)


def _waiting(desk: Desk) -> list[ParkedEvent]:
    return [
        waiting
        for _, message_id in desk.work.recoveries.parked(desk.org)
        for waiting in desk.work.inbox.parked_in(desk.org, message_id)
    ]


def _applied(desk: Desk, waiting: ParkedEvent, replies: Replies) -> bool:
    """Apply a parked event when that succeeds; one that does not fit yet is not refused yet."""
    _, _, event = find_parked(desk, waiting)
    if event is None or not _would_apply(desk, replace(event, heard_again=True)):
        return False
    if not hear_again(desk, waiting, replies):
        return False
    for case_id in event.case_ids:
        follow_titles(desk, case_id)
    return True


def _would_apply(desk: Desk, event: ArrivedEvent) -> bool:
    """Try, and undo it."""
    try:
        with desk.work.attempt():
            apply_event(desk, event)
            _undo()
    except _Undone:
        return True
    except (Refusal, PartFailed):
        return False


def _undo() -> NoReturn:
    raise _Undone


class _Undone(Refusal):
    """A trial that succeeded."""

    def __init__(self) -> None:
        super().__init__(Reason.INTERNAL, "A trial is undone.", "Nothing.")


def _readable(
    desk: Desk, facts: Iterable[RecoveredFact]
) -> Iterator[tuple[RecoveredFact, ArrivedEvent]]:
    """Yield each fact as the event it is; one that cannot be read is left, and keeps no other."""
    for fact in facts:
        try:
            with desk.work.attempt():
                event = _event_of(desk, fact)
        except (Refusal, PartFailed):
            continue
        yield fact, event


def _event_of(desk: Desk, fact: RecoveredFact) -> ArrivedEvent:
    entry = desk.work.events.get(desk.org, fact.event_id)
    if entry is None:
        raise LookupError("a fact that came back is not in the log")
    own = own_event(desk, entry.envelope, brought_by=desk.org)
    parts = desk.work.vault.reveal(desk.org, fact.event_id, purpose="rebuilding our own records")
    return replace(own, parts=tuple(parts))


def _rebuilt(desk: Desk, fact: RecoveredFact, own: ArrivedEvent) -> bool:
    """Do again what the fact did; one that does not fit waits for what it rests on."""
    try:
        with desk.work.attempt():
            done = rebuild(desk, own)
    except (Refusal, PartFailed):
        return False
    if done:
        desk.work.recovered_facts.put(desk.org, replace(fact, rebuilt=True))
    return done


def _tell_again(desk: Desk, own: ArrivedEvent, returned_by: OrgId) -> None:
    """Put the fact up for those who are told of it: one peer had it, another may have missed it.

    Who knows it changes nothing on hearing it twice. Whoever returned it is told like the others: of
    the message in which it once had the fact nothing is in the outbox, and should it lose its memory
    next, there would be nothing to send it again.
    """
    told = receivers(desk, RULES[own.kind].told, _matter(desk, own))
    desk.work.outbox.deliver(
        desk.org, tuple(dict.fromkeys((*told, returned_by))), own.event.event_id
    )


def _matter(desk: Desk, own: ArrivedEvent) -> Matter:
    """Return the matter of a fact as our records show it now."""
    work, org, body = desk.work, desk.org, getattr(own.event, own.kind.value)
    cases = (work.cases.get(org, case_id) for case_id in own.case_ids)
    order_id = getattr(body, "order_id", "") or getattr(
        getattr(body, "order", None), "order_id", ""
    )
    placement_id = getattr(body, "placement_id", "")
    return Matter(
        cases=tuple(case for case in cases if case is not None),
        order=work.orders.get(org, order_id) if order_id else None,
        placement=work.placements.get(org, placement_id) if placement_id else None,
        named=tuple(_named(desk, own)),
        school=org if org.unit else None,
    )


def _named(desk: Desk, own: ArrivedEvent) -> Iterator[OrgId]:
    """Yield whom the act named: the other side of a letter, the recipients, or who had asked."""
    if own.kind is FactKind.LETTER_DISPATCHED:
        wire = own.event.letter_dispatched.letter
        yield from map(OrgId.parse, (wire.recipient, *wire.copy_to))
    elif own.kind is FactKind.SUSPECTED_DROPOUT_SUBMITTED:
        yield from map(OrgId.parse, own.event.suspected_dropout_submitted.recipients)
    letter_id = getattr(getattr(own.event, own.kind.value), "letter_id", "")
    letter = desk.work.letters.get(desk.org, letter_id) if letter_id else None
    if letter is not None:
        yield letter.sender if desk.org == letter.recipient else letter.recipient
    exchange = desk.work.exchanges.get(desk.org, own.event.causation_id)
    if exchange is not None:
        yield exchange.asked_by
