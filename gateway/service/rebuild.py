"""Rebuilding our own records from facts of ours that came back, one kind of fact at a time.

Each function does to the records what the act that stated the fact did, as far as the fact tells;
several are the very effects that followers of a case use. What has no row here, or does not fit the
records, is left to the officer, whose work list names every fact that came back.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.codec import enums, fields
from gateway.codec.letters import decode_dispatched
from gateway.domain.cases import CaseState, DropoutCase, OpenOffer
from gateway.domain.exchanges import ExchangeState
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import (
    Letter,
    LetterLine,
    LetterState,
    LetterTrigger,
    LineState,
    LineTrigger,
    ReturnReason,
)
from gateway.service.apply_event import adopt_subjects
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects import cases, retrieval
from gateway.service.effects.checks import require_case
from gateway.service.private_parts import stated_reason, stated_whereabouts
from gateway.service.take_return import follow_titles

_NUMBER = re.compile(r"〔(\d{4})〕(\d+)号")
Effect = Callable[[Desk, ArrivedEvent], None]


def rebuild(desk: Desk, own: ArrivedEvent) -> bool:
    """Do again to the records what the fact did; return whether there is a way.

    Raises Refusal or Parked when it does not fit what the records show now.
    """
    effect = REBUILT.get(own.kind)
    if effect is None:
        return False
    adopt_subjects(desk, own)
    effect(desk, own)
    for case_id in own.case_ids:
        follow_titles(desk, case_id)  # a fact of ours may be older than what we know of the case
    return True


def _letter_dispatched(desk: Desk, own: ArrivedEvent) -> None:
    """The letter stands as dispatched; its hand-over lines are offers while their titles stand."""
    stated_at = fields.moment(own.event.recorded_at, "recorded_at")
    letter = decode_dispatched(own.event.letter_dispatched.letter, own.event.event_id, desk.now)
    lines = []
    for line in letter.lines:
        parts = [part for part in own.parts if part.subject_id == line.subject_id]
        lines.append(
            replace(line, reason=stated_reason(parts), whereabouts=stated_whereabouts(parts))
        )
    known = desk.work.letters.get(desk.org, letter.id)
    letter = replace(
        letter,
        lines=tuple(lines),
        state=LetterState.DISPATCHED,
        dispatched_at=stated_at,
        delivered_at=None,
        version=known.version + 1 if known else 1,
    )
    desk.work.letters.put(desk.org, letter)
    _pass_number(desk, "letter", letter.letter_no)
    for line in letter.lines:
        _reopen_case(desk, letter, line)


def _reopen_case(desk: Desk, letter: Letter, line: LetterLine) -> None:
    """Let the case be as the letter left it: there, and offered while its title stands."""
    if desk.work.cases.get(desk.org, line.case_id) is None:
        found = DropoutCase(
            id=line.case_id,
            subject_id=line.subject_id,
            state=CaseState.CONFIRMED,
            school=line.school,
            enrolment_county=line.enrolment_county,
            opened_at=desk.now,
            changed_at=desk.now,
            hukou_county=line.hukou_county,
            episode=line.episode,
            reason=line.reason,
            whereabouts=line.whereabouts,
            first_absent_day=line.first_absent_day,
        )
        desk.work.cases.put(desk.org, found)
    follow_titles(desk, line.case_id)
    case = desk.work.cases.require(desk.org, line.case_id)
    offered = letter.kind is LetterKind.HANDOVER and case.holder == desk.org
    if offered and line.title is not None and case.title == line.title:
        offer = OpenOffer(letter.id, line.line_no, letter.recipient, line.title.hash)
        offering = case.changed(
            desk.now,
            offer=offer,
            state=CaseState.JURISDICTION_PENDING,
            jurisdiction_row=line.jurisdiction_row,
            responsible=letter.recipient,
        )
        desk.work.cases.put(desk.org, offering)


def _letter_registered(desk: Desk, own: ArrivedEvent) -> None:
    body = own.event.letter_registered
    letter = desk.work.letters.require(desk.org, body.letter_id)
    moved = letter.moved(LetterTrigger.REGISTER, desk.now, registry_no=body.registry_no)
    desk.work.letters.put(desk.org, moved)


def _letter_lines_accepted(desk: Desk, own: ArrivedEvent) -> None:
    body = own.event.letter_lines_accepted
    letter = desk.work.letters.require(desk.org, body.letter_id)
    numbers = [line.line_no for line in body.lines]
    _settle(desk, letter, letter.with_lines(numbers, LineTrigger.ACCEPT, desk.now))


def _letter_lines_returned(desk: Desk, own: ArrivedEvent) -> None:
    body = own.event.letter_lines_returned
    letter = changed = desk.work.letters.require(desk.org, body.letter_id)
    for line in body.lines:
        changed = changed.with_lines(
            [line.line_no],
            LineTrigger.RETURN,
            desk.now,
            return_reason=enums.required(ReturnReason, line.reason, "reason"),
            return_county=line.county,
        )
    _settle(desk, letter, changed)


def _letter_noted(desk: Desk, own: ArrivedEvent) -> None:
    letter = desk.work.letters.require(desk.org, own.event.letter_noted.letter_id)
    noted = letter.with_lines(letter.open_lines(), LineTrigger.NOTE, desk.now)
    _settle(desk, letter, noted.moved(LetterTrigger.NOTE, desk.now))


def _letter_retracted(desk: Desk, own: ArrivedEvent) -> None:
    letter = desk.work.letters.require(desk.org, own.event.letter_retracted.letter_id)
    retracted = letter.with_lines(letter.open_lines(), LineTrigger.RETRACT, desk.now)
    _settle(desk, letter, retracted.moved(LetterTrigger.RETRACT, desk.now))
    for line in letter.lines:
        _close_offer(desk, line.case_id, letter.id)


def _title_granted(desk: Desk, own: ArrivedEvent) -> None:
    """The line was accepted and granted; the case follows its titles."""
    body = own.event.title_granted
    letter = changed = desk.work.letters.require(desk.org, body.letter_id)
    if changed.line(body.line_no).state is LineState.OPEN:
        changed = changed.with_lines([body.line_no], LineTrigger.ACCEPT, desk.now)
    if changed.line(body.line_no).state is LineState.ACCEPTED:
        changed = changed.with_lines([body.line_no], LineTrigger.GRANT, desk.now)
    _settle(desk, letter, changed)
    case_id = changed.line(body.line_no).case_id
    _close_offer(desk, case_id, letter.id)
    case = desk.work.cases.get(desk.org, case_id)
    if case is not None and case.state is CaseState.JURISDICTION_PENDING:
        desk.work.cases.put(desk.org, case.observed(CaseState.ASSIGNED, desk.now))


def _offer_ended(desk: Desk, own: ArrivedEvent) -> None:
    body = own.event.offer_ended
    letter = desk.work.letters.require(desk.org, body.letter_id)
    _settle(desk, letter, letter.with_lines([body.line_no], LineTrigger.END, desk.now))
    _close_offer(desk, body.case_id, letter.id)


def _dropout_confirmed(desk: Desk, own: ArrivedEvent) -> None:
    """The case has its first title, which came back with the fact; it follows its titles."""
    case = require_case(desk, own)
    follow_titles(desk, case.id)
    case = desk.work.cases.require(desk.org, case.id)
    if case.responsible is None:
        responsible = {"responsible": desk.org, "responsible_since": own.event.event_id}
        desk.work.cases.put(desk.org, case.changed(desk.now, **responsible))


def _case_known(desk: Desk, own: ArrivedEvent) -> None:
    """The fact changed no record, but its case may follow titles that came back with it."""
    require_case(desk, own)


def _order_issued(desk: Desk, own: ArrivedEvent) -> None:
    retrieval.retrieval_order_issued(desk, own)
    _pass_number(desk, "order", own.event.retrieval_order_issued.order.order_no)


def _exchange_answered(desk: Desk, own: ArrivedEvent) -> None:
    """What an agency has answered is not asked of its system again."""
    exchange = desk.work.exchanges.require(desk.org, own.event.causation_id)
    if exchange.state is ExchangeState.WAITING:
        done = exchange.changed(
            desk.now, state=ExchangeState.DONE, answer_event_id=own.event.event_id
        )
        desk.work.exchanges.put(desk.org, done)


def _settle(desk: Desk, stored: Letter, changed: Letter) -> None:
    """Store a letter that changed several times as one new version."""
    settled = changed.answered(desk.now)
    desk.work.letters.put(desk.org, replace(settled, version=stored.version + 1))


def _close_offer(desk: Desk, case_id: str, letter_id: str) -> None:
    case = desk.work.cases.get(desk.org, case_id)
    if case is not None and case.offer is not None and case.offer.letter_id == letter_id:
        desk.work.cases.put(desk.org, case.changed(desk.now, offer=None))


def _pass_number(desk: Desk, name: str, number: str) -> None:
    """Let no later letter or order have the number of one that left this office already."""
    found = _NUMBER.search(number)
    if found is not None:
        desk.work.counters.pass_over(desk.org, f"{name} {found[1]}", int(found[2]))


REBUILT: Mapping[FactKind, Effect] = {
    FactKind.ABSENCE_REPORTED: cases.absence_reported,
    FactKind.PLATFORM_ENTRY_RECORDED: _exchange_answered,
    FactKind.SUSPECTED_DROPOUT_SUBMITTED: cases.suspected_dropout_submitted,
    FactKind.DROPOUT_CONFIRMED: _dropout_confirmed,
    FactKind.DROPOUT_REFUTED: cases.dropout_refuted,
    FactKind.HUKOU_QUERIED: _case_known,
    FactKind.HUKOU_ASSERTED: _exchange_answered,
    FactKind.WHEREABOUTS_RECORDED: cases.whereabouts_recorded,
    FactKind.JURISDICTION_DETERMINED: cases.jurisdiction_determined,
    FactKind.LETTER_DISPATCHED: _letter_dispatched,
    FactKind.LETTER_REGISTERED: _letter_registered,
    FactKind.LETTER_LINES_ACCEPTED: _letter_lines_accepted,
    FactKind.LETTER_LINES_RETURNED: _letter_lines_returned,
    FactKind.LETTER_NOTED: _letter_noted,
    FactKind.LETTER_RETRACTED: _letter_retracted,
    FactKind.TITLE_GRANTED: _title_granted,
    FactKind.OFFER_ENDED: _offer_ended,
    FactKind.RETRIEVAL_BODY_CONFIRMED: retrieval.retrieval_body_confirmed,
    FactKind.RETRIEVAL_ORDER_ISSUED: _order_issued,
    FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED: retrieval.retrieval_order_acknowledged,
    FactKind.RETRIEVAL_OFFICER_ASSIGNED: retrieval.retrieval_officer_assigned,
    FactKind.RETRIEVAL_STEP_RECORDED: retrieval.retrieval_step_recorded,
    FactKind.RETRIEVAL_ORDER_FULFILLED: retrieval.retrieval_order_fulfilled,
    FactKind.ENROLMENT_ASSERTED: cases.enrolment_asserted,
}
"""How each kind of fact is rebuilt. Placements and returns have no row: they rest on what the
school sees, and an officer looks again."""
