"""Effects of letters and titles: delivery, answers, and the passing of the title (rules 3, 4)."""

from dataclasses import replace

from gateway.codec import cases, enums
from gateway.codec.letters import decode_dispatched
from gateway.domain.cases import MACHINE as CASE_MACHINE
from gateway.domain.cases import CaseState, CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import (
    MACHINE,
    Letter,
    LetterLine,
    LetterTrigger,
    LineState,
    LineTrigger,
    ReturnReason,
)
from gateway.domain.organisations import OrgId, Role
from gateway.domain.titles import granted_title
from gateway.service.answer_letter import letter_matter
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.checks import require_case, require_source
from gateway.service.parties import Matter
from gateway.service.private_parts import stated_reason, stated_whereabouts
from gateway.service.state_fact import state_fact
from gateway.service.titles import known_titles, make_title
from gateway.v1 import letter_pb2
from gateway.v1.event_pb2 import CaseReference


def letter_dispatched(desk: Desk, arrived: ArrivedEvent) -> None:
    """A letter arrived: the receiver gets it with its lines; those in copy only log it."""
    letter = decode_dispatched(
        arrived.event.letter_dispatched.letter, arrived.event.event_id, desk.now
    )
    require_source(arrived, letter.sender)
    if desk.org != letter.recipient:
        return
    if desk.work.letters.get(desk.org, letter.id) is not None:
        raise Refusal(
            Reason.EQUIVOCATION,
            "Another letter with this identifier was received before.",
            "Send a new letter under a new identifier.",
        )
    references = {reference.case_id: reference for reference in arrived.event.cases}
    lines = []
    for line in letter.lines:
        _check_line(desk, line, references.get(line.case_id))
        parts = [part for part in arrived.parts if part.subject_id == line.subject_id]
        lines.append(
            replace(line, reason=stated_reason(parts), whereabouts=stated_whereabouts(parts))
        )
        _open_view(desk, letter, lines[-1])
    desk.work.letters.put(desk.org, replace(letter, lines=tuple(lines)))


def letter_registered(desk: Desk, arrived: ArrivedEvent) -> None:
    """The receiver registered the letter."""
    letter = _answered_letter(desk, arrived, arrived.event.letter_registered.letter_id)
    if MACHINE.allows(letter.state, LetterTrigger.REGISTER):
        registry_no = arrived.event.letter_registered.registry_no
        moved = letter.moved(LetterTrigger.REGISTER, desk.now, registry_no=registry_no)
        desk.work.letters.put(desk.org, moved)


def letter_lines_accepted(desk: Desk, arrived: ArrivedEvent) -> None:
    """The holder's node grants, or says that the offer had ended, with no human (rule 4)."""
    body = arrived.event.letter_lines_accepted
    letter = stored = _answered_letter(desk, arrived, body.letter_id)
    letter.require_kind(LetterKind.HANDOVER)
    for accepted in body.lines:
        line = letter.line(accepted.line_no)
        if line.state in {LineState.GRANTED, LineState.OFFER_ENDED}:
            continue  # answered in a time that this store had forgotten
        case = desk.work.cases.require(desk.org, line.case_id)
        if _offer_stands(case, letter, line, accepted.title_hash.hex()):
            letter = letter.with_lines([line.line_no], LineTrigger.ACCEPT, desk.now)
            letter = letter.with_lines([line.line_no], LineTrigger.GRANT, desk.now)
            _grant(desk, arrived, letter, line, case)
        else:
            if line.state in {LineState.OPEN, LineState.RETRACTED}:
                letter = letter.with_lines([line.line_no], LineTrigger.END, desk.now)
            if case.offer is not None and case.offer.letter_id == letter.id:
                case = case.changed(desk.now, offer=None)
                desk.work.cases.put(desk.org, case)
            _end_offer(desk, arrived, letter, line, case)
    letter = letter.answered(desk.now)
    desk.work.letters.put(desk.org, replace(letter, version=stored.version + 1))


def letter_lines_returned(desk: Desk, arrived: ArrivedEvent) -> None:
    """Lines came back with their reasons: their offers end, the holder stays responsible (B02)."""
    body = arrived.event.letter_lines_returned
    letter = stored = _answered_letter(desk, arrived, body.letter_id)
    for returned in body.lines:
        line = letter.line(returned.line_no)
        if line.state is LineState.RETRACTED:
            continue  # returned and retracted crossed on the way; both end the offer
        letter = letter.with_lines(
            [line.line_no],
            LineTrigger.RETURN,
            desk.now,
            return_reason=enums.required(ReturnReason, returned.reason, "reason"),
            return_county=returned.county,
        )
        case = desk.work.cases.get(desk.org, line.case_id)
        if case is not None and case.offer is not None and case.offer.letter_id == letter.id:
            desk.work.cases.put(desk.org, case.changed(desk.now, offer=None))
    letter = letter.answered(desk.now)
    desk.work.letters.put(desk.org, replace(letter, version=stored.version + 1))


def letter_noted(desk: Desk, arrived: ArrivedEvent) -> None:
    """A notification was noted; nothing else changes (art. 7)."""
    letter = stored = _answered_letter(desk, arrived, arrived.event.letter_noted.letter_id)
    letter.require_kind(LetterKind.NOTIFICATION)
    letter = letter.with_lines(letter.open_lines(), LineTrigger.NOTE, desk.now)
    if MACHINE.allows(letter.state, LetterTrigger.NOTE):
        letter = letter.moved(LetterTrigger.NOTE, desk.now)
    desk.work.letters.put(desk.org, replace(letter, version=stored.version + 1))


def letter_retracted(desk: Desk, arrived: ArrivedEvent) -> None:
    """The sender took the letter back: open lines end; accepted ones wait for OFFER_ENDED."""
    letter = stored = desk.work.letters.require(desk.org, arrived.event.letter_retracted.letter_id)
    require_source(arrived, letter.sender)
    letter = letter.with_lines(letter.open_lines(), LineTrigger.RETRACT, desk.now)
    if MACHINE.allows(letter.state, LetterTrigger.RETRACT):
        letter = letter.moved(LetterTrigger.RETRACT, desk.now)
    desk.work.letters.put(desk.org, replace(letter, version=stored.version + 1))


def title_granted(desk: Desk, arrived: ArrivedEvent) -> None:
    """The title passed; from this commit on the new holder may act (rule 4).

    Nobody is made a holder who did not accept: the new holder's own letter must have the line
    accepted. A grant overtaken by a later one is information.
    """
    body = arrived.event.title_granted
    case = require_case(desk, arrived)
    chain = known_titles(desk, case.id)
    stated = cases.decode_title_ref(body.title)
    title = next((known for known in chain if known.hash == stated.hash), None)
    if title is None or title.maker != arrived.source or title.case_id != case.id:
        raise Refusal(
            Reason.TITLE_INVALID, "The grant names another title than it brings.", "Resend."
        )
    if title.holder == desk.org:
        letter = desk.work.letters.require(desk.org, body.letter_id)
        require_source(arrived, letter.sender)
        if letter.line(body.line_no).case_id != case.id:
            raise Refusal(
                Reason.TITLE_INVALID, "The grant names a line about another case.", "Resend."
            )
        letter = letter.with_lines([body.line_no], LineTrigger.GRANT, desk.now)
        desk.work.letters.put(desk.org, letter)
    if title != chain[-1]:
        return
    case = replace(
        case.observed(CaseState.ASSIGNED, desk.now),
        holder=title.holder,
        title=title.ref,
        responsible=title.holder,
        responsible_since=arrived.event.event_id,
    )
    desk.work.cases.put(desk.org, case)


def offer_ended(desk: Desk, arrived: ArrivedEvent) -> None:
    """The acceptance came too late; the present title says who holds the case."""
    body = arrived.event.offer_ended
    letter = desk.work.letters.require(desk.org, body.letter_id)
    require_source(arrived, letter.sender)
    letter = letter.with_lines([body.line_no], LineTrigger.END, desk.now)
    desk.work.letters.put(desk.org, letter)


def _check_line(desk: Desk, line: LetterLine, reference: CaseReference | None) -> None:
    """Check that a line is about the case and child of the event, under a title that leads there.

    The first title of a case is made by the bureau of the county of enrolment, nobody else's.
    """
    chain = known_titles(desk, line.case_id)
    fits = (
        reference is not None
        and line.subject_id == reference.subject_id
        and line.title is not None
        and line.title == cases.decode_title_ref(reference.title)
        and bool(chain)
        and chain[0].maker == OrgId(line.enrolment_county, Role.EDU)
    )
    if not fits:
        raise Refusal(
            Reason.PAYLOAD_INVALID,
            f"Line {line.line_no} does not fit the case and title of the event.",
            "Write the letter anew from the case.",
        )


def _open_view(desk: Desk, letter: Letter, line: LetterLine) -> None:
    """Open the receiver's view of the case, or bring it up to date: it may read, not act."""
    known = desk.work.cases.get(desk.org, line.case_id)
    if known is not None and known.holder == desk.org:
        return
    offered = letter.kind is LetterKind.HANDOVER
    view = known.changed(desk.now) if known else DropoutCase(
        id=line.case_id,
        subject_id=line.subject_id,
        state=CaseState.ASSIGNED,
        school=line.school,
        enrolment_county=line.enrolment_county,
        opened_at=desk.now,
        changed_at=desk.now,
    )  # fmt: skip
    view = replace(
        view,
        state=CaseState.JURISDICTION_PENDING if offered else CaseState.ASSIGNED,
        episode=line.episode,
        holder=letter.sender,
        title=line.title,
        hukou_county=line.hukou_county,
        whereabouts=line.whereabouts,
        jurisdiction_row=line.jurisdiction_row,
        responsible=letter.recipient if offered else letter.sender,
        responsible_since=letter.event_id,
        reason=line.reason,
        first_absent_day=line.first_absent_day,
    )
    desk.work.cases.put(desk.org, view)


def _answered_letter(desk: Desk, arrived: ArrivedEvent, letter_id: str) -> Letter:
    """Return the letter of ours that the source answers; its answer proves delivery."""
    letter = desk.work.letters.require(desk.org, letter_id)
    require_source(arrived, letter.recipient)
    return letter


def _offer_stands(case: DropoutCase, letter: Letter, line: LetterLine, title_hash: str) -> bool:
    offer = case.offer
    return (
        offer is not None
        and (offer.letter_id, offer.line_no) == (letter.id, line.line_no)
        and offer.receiver == letter.recipient
        and offer.title_hash == title_hash
        and case.title is not None
        and case.title.hash == title_hash
        and CASE_MACHINE.allows(case.state, CaseTrigger.TAKE_OVER)
    )


def _grant(
    desk: Desk, arrived: ArrivedEvent, letter: Letter, line: LetterLine, case: DropoutCase
) -> None:
    """Make the next title and close the offer in this one transaction (rule 2)."""
    present = known_titles(desk, case.id)[-1]
    title = make_title(desk, granted_title(present, letter.recipient, arrived.event.event_id))
    case = replace(
        case.moved(CaseTrigger.TAKE_OVER, desk.now),
        holder=letter.recipient,
        title=title.ref,
        offer=None,
    )
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.TITLE_GRANTED,
        letter_pb2.TitleGranted(
            letter_id=letter.id,
            line_no=line.line_no,
            title=cases.encode_title_ref(title.ref),
        ),
        Matter(cases=(case,), named=(letter.recipient,)),
        causation_id=arrived.event.event_id,
        correlation_id=letter.id,
    )


def _end_offer(
    desk: Desk, arrived: ArrivedEvent, letter: Letter, line: LetterLine, case: DropoutCase
) -> None:
    state_fact(
        desk,
        FactKind.OFFER_ENDED,
        letter_pb2.OfferEnded(
            letter_id=letter.id,
            line_no=line.line_no,
            case_id=case.id,
            current_title=cases.encode_title_ref(case.title),
        ),
        Matter(cases=(case,), named=letter_matter(desk, letter).named),
        causation_id=arrived.event.event_id,
        correlation_id=letter.id,
    )
