"""A verified event takes effect in one organisation's store, once."""

from gateway.codec import enums, subjects
from gateway.codec.cases import decode_title_ref
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.facts import RULES, FactRule
from gateway.domain.subjects import Subject
from gateway.domain.visibility import PartKind
from gateway.ports.event_log import LogEntry
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.table import EFFECTS, exchange_of
from gateway.service.resolve_subject import keep_identity
from gateway.service.titles import known_titles, take_titles
from gateway.v1 import subject_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import CaseReference


def apply_event(desk: Desk, arrived: ArrivedEvent) -> None:
    """Log the event and let it take effect; one that is in the log already changes nothing.

    Raises Parked when it needs something that has not arrived, Refusal when it is declined.
    """
    known = desk.work.events.get(desk.org, arrived.event.event_id)
    if known is not None:
        _require_same(known, arrived)
        return
    if arrived.fault is not None:
        raise arrived.fault
    take_titles(desk, arrived.titles, arrived.sender)
    rule = RULES[arrived.kind]
    for reference in arrived.event.cases:
        _check_title(desk, arrived, reference, rule)
    desk.work.events.append(
        desk.org,
        event_id=arrived.event.event_id,
        kind=arrived.event.type,
        source=arrived.event.source,
        case_ids=arrived.case_ids,
        logged_at=desk.now,
        envelope=arrived.envelope,
    )
    desk.work.vault.put(desk.org, arrived.event.event_id, arrived.parts)
    adopt_subjects(desk, arrived)
    if exchange_of(desk, arrived) is None:
        EFFECTS[arrived.kind](desk, arrived)


def _require_same(known: LogEntry, arrived: ArrivedEvent) -> None:
    """Raise Refusal(EQUIVOCATION) when another fact took this identifier before."""
    payloads = {
        SignedEnvelope.FromString(envelope).payload
        for envelope in (known.envelope, arrived.envelope)
    }
    if len(payloads) > 1:
        raise Refusal(
            Reason.EQUIVOCATION,
            "Another fact with this identifier is in the log.",
            "State the fact anew under an identifier of its own.",
        )


def _check_title(
    desk: Desk, arrived: ArrivedEvent, reference: CaseReference, rule: FactRule
) -> None:
    """Fence authority by the epoch, never information (rule 5)."""
    titles = known_titles(desk, reference.case_id)
    if arrived.sender != arrived.source and arrived.sender not in {t.holder for t in titles}:
        raise Refusal(
            Reason.JURISDICTION_NOT_ALLOWED,
            "Only a holder of the case passes on what others stated of it.",
            "Let the source or the holder send it.",
        )
    if not rule.authority:
        return
    if not reference.HasField("title") or not titles:
        raise Refusal(
            Reason.TITLE_INVALID,
            "An act of authority came without its title.",
            "Send the act together with the titles of the case.",
        )
    stated, present = decode_title_ref(reference.title), titles[-1]
    if arrived.heard_again:
        # It may have taken effect when it was not yet stale; titles came back before it did.
        present = next((title for title in titles if title.epoch == stated.epoch), present)
    if stated.epoch > present.epoch:
        raise Parked(
            Reason.TITLE_UNKNOWN,
            f"Title {stated.epoch} has not arrived yet.",
            "It is applied when the chain arrives.",
        )
    if stated.epoch < present.epoch:
        raise Refusal(
            Reason.STALE_EPOCH,
            f"The act rests on title {stated.epoch}; the present one is {present.epoch}.",
            "Only the present holder acts on the case.",
            holder=str(present.holder),
        )
    if stated.hash != present.hash or present.holder != arrived.source:
        raise Refusal(
            Reason.TITLE_INVALID,
            "The act rests on a title that its source does not hold.",
            "Only the holder acts on the case.",
            holder=str(present.holder),
        )


def adopt_subjects(desk: Desk, arrived: ArrivedEvent) -> None:
    """Keep the children that an event is about under the token it uses for them."""
    tokens = {reference.subject_id for reference in arrived.event.cases}
    tokens |= {arrived.event.subject_id, *(part.subject_id for part in arrived.parts)}
    for token in sorted(tokens - {""}):
        if desk.work.subjects.get(desk.org, token) is None:
            desk.work.subjects.put(desk.org, Subject(id=token, changed_at=desk.now))
    by_subject = {(part.subject_id, part.kind): part.content for part in arrived.parts}
    for (token, kind), content in by_subject.items():
        # Who sees the child masked cannot find it by number, and keeps no identity of it; what is
        # known of a child here is corrected by its own procedure, never overwritten in passing.
        if kind == enums.wire(PartKind.IDENTITY) and not desk.work.vault.reveal(
            desk.org, token, purpose="whether the child is known"
        ):
            guardian = by_subject.get((token, enums.wire(PartKind.GUARDIAN)))
            keep_identity(
                desk,
                token,
                subjects.read_identity(subject_pb2.PersonIdentity.FromString(content)),
                subjects.read_guardian(subject_pb2.GuardianContact.FromString(guardian))
                if guardian
                else None,
            )
