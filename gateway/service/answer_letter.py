"""The receiver's answers: register, accept, return, note; and the sender's retraction."""

from dataclasses import replace

from gateway.codec import enums, fields
from gateway.codec.letters import encode_letter
from gateway.domain.cases import DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterState, LetterTrigger, LineTrigger, ReturnReason
from gateway.domain.organisations import OrgId
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import narrative_part
from gateway.service.state_fact import state_fact
from gateway.service.write_letter import own_letter
from gateway.v1 import letter_pb2


def register_letter(
    desk: Desk, request: letter_pb2.RegisterLetterRequest
) -> letter_pb2.RegisterLetterResponse:
    """LetterService.RegisterLetter 收文登记."""
    letter = _received(desk, request.letter_id)
    registry_no = fields.text(request.registry_no, "registry_no", 60)
    letter = letter.moved(LetterTrigger.REGISTER, desk.now, registry_no=registry_no)
    desk.work.letters.put(desk.org, letter)
    body = letter_pb2.LetterRegistered(letter_id=letter.id, registry_no=registry_no)
    state_fact(desk, FactKind.LETTER_REGISTERED, body, letter_matter(desk, letter))
    return letter_pb2.RegisterLetterResponse(letter=encode_letter(letter))


def accept_lines(
    desk: Desk, request: letter_pb2.AcceptLinesRequest
) -> letter_pb2.AcceptLinesResponse:
    """LetterService.AcceptLines: irrevocable; the title follows from the holder (rule 4)."""
    letter = _received(desk, request.letter_id)
    letter.require_kind(LetterKind.HANDOVER)
    _require_registered(letter)
    numbers = tuple(dict.fromkeys(request.line_nos)) or letter.open_lines()
    letter = letter.with_lines(numbers, LineTrigger.ACCEPT, desk.now)
    accepted = []
    for number in numbers:
        line = letter.line(number)
        title_hash = line.title.hash if line.title else ""
        accepted.append(
            letter_pb2.AcceptedLine(
                line_no=number, case_id=line.case_id, title_hash=bytes.fromhex(title_hash)
            )
        )
    letter = _settled(desk, letter)
    body = letter_pb2.LetterLinesAccepted(letter_id=letter.id, lines=accepted)
    state_fact(desk, FactKind.LETTER_LINES_ACCEPTED, body, letter_matter(desk, letter))
    return letter_pb2.AcceptLinesResponse(letter=encode_letter(letter))


def return_lines(
    desk: Desk, request: letter_pb2.ReturnLinesRequest
) -> letter_pb2.ReturnLinesResponse:
    """LetterService.ReturnLines 退回, with an enumerated reason for each line (B02)."""
    letter = _received(desk, request.letter_id)
    letter.require_kind(LetterKind.HANDOVER, LetterKind.NOTIFICATION)
    _require_registered(letter)
    explanation = fields.text(request.explanation, "explanation", 4000)
    if not request.lines:
        raise fields.missing("lines")
    returned = []
    for wire in request.lines:
        reason = enums.required(ReturnReason, wire.reason, "lines.reason")
        county = fields.text(wire.county, "lines.county", 6)
        if reason is ReturnReason.HUKOU_MOVED_OUT:
            if not county:
                raise fields.missing("lines.county")
            desk.require_current(county, "lines.county")
        if reason is ReturnReason.OTHER and not explanation:
            raise fields.missing("explanation")
        letter = letter.with_lines(
            [wire.line_no],
            LineTrigger.RETURN,
            desk.now,
            return_reason=reason,
            return_county=county,
        )
        returned.append(
            letter_pb2.ReturnedLine(
                line_no=wire.line_no,
                reason=wire.reason,
                county=county,
                case_id=letter.line(wire.line_no).case_id,
            )
        )
    letter = _settled(desk, letter)
    state_fact(
        desk,
        FactKind.LETTER_LINES_RETURNED,
        letter_pb2.LetterLinesReturned(letter_id=letter.id, lines=returned),
        letter_matter(desk, letter),
        parts=narrative_part(desk, explanation),
    )
    return letter_pb2.ReturnLinesResponse(letter=encode_letter(letter))


def note_letter(desk: Desk, request: letter_pb2.NoteLetterRequest) -> letter_pb2.NoteLetterResponse:
    """LetterService.NoteLetter: a notification moves no duty; it is only noted (art. 7)."""
    letter = _received(desk, request.letter_id)
    letter.require_kind(LetterKind.NOTIFICATION)
    _require_registered(letter)
    letter = letter.with_lines(letter.open_lines(), LineTrigger.NOTE, desk.now)
    letter = letter.moved(LetterTrigger.NOTE, desk.now)
    _put_once(desk, letter)
    body = letter_pb2.LetterNoted(letter_id=letter.id)
    state_fact(desk, FactKind.LETTER_NOTED, body, letter_matter(desk, letter))
    return letter_pb2.NoteLetterResponse(letter=encode_letter(letter))


def retract_letter(
    desk: Desk, request: letter_pb2.RetractLetterRequest
) -> letter_pb2.RetractLetterResponse:
    """LetterService.RetractLetter: ends the open offers here at once, then tells the receiver."""
    letter = own_letter(desk, request.letter_id)
    reason = fields.text(request.reason, "reason", 400, required=True)
    sent = letter.dispatched_at is not None
    letter = letter.moved(LetterTrigger.RETRACT, desk.now)
    letter = letter.with_lines(letter.open_lines(), LineTrigger.RETRACT, desk.now)
    _put_once(desk, letter)
    for case in _cases(desk, letter):
        if case.offer is not None and case.offer.letter_id == letter.id:
            desk.work.cases.put(desk.org, case.changed(desk.now, offer=None))
    if sent:
        body = letter_pb2.LetterRetracted(letter_id=letter.id, reason=reason)
        state_fact(desk, FactKind.LETTER_RETRACTED, body, letter_matter(desk, letter))
    return letter_pb2.RetractLetterResponse(letter=encode_letter(letter))


def letter_matter(desk: Desk, letter: Letter, *others: OrgId) -> Matter:
    """Return the matter of a letter: its cases as known here, told to the other side."""
    other = letter.sender if desk.org == letter.recipient else letter.recipient
    return Matter(cases=tuple(_cases(desk, letter)), named=(other, *others))


def _cases(desk: Desk, letter: Letter) -> list[DropoutCase]:
    found = (desk.work.cases.get(desk.org, line.case_id) for line in letter.lines)
    return [case for case in found if case is not None]


def _received(desk: Desk, letter_id: str) -> Letter:
    letter = desk.work.letters.require(desk.org, fields.uuid(letter_id, "letter_id"))
    if letter.recipient != desk.org:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            "Only the main recipient 主送 of a letter answers it.",
            "The sender can retract it; those in copy 抄送 only read it.",
        )
    return letter


def _require_registered(letter: Letter) -> None:
    """A letter is registered before it is answered (公文处理工作条例 art. 24)."""
    if letter.state is LetterState.DELIVERED:
        raise Refusal(
            Reason.ILLEGAL_TRANSITION,
            "The letter is not registered yet.",
            "Register it first 收文登记, then answer it.",
            state=letter.state,
        )


def _settled(desk: Desk, letter: Letter) -> Letter:
    """Store the letter, moved on when its last line was answered."""
    letter = letter.answered(desk.now)
    _put_once(desk, letter)
    return letter


def _put_once(desk: Desk, letter: Letter) -> None:
    """Store a letter that changed several times in this transaction as one new version."""
    stored = desk.work.letters.require(desk.org, letter.id)
    desk.work.letters.put(desk.org, replace(letter, version=stored.version + 1))
