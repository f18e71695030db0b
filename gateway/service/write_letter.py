"""Drafting, signing and dispatching a letter 函 (art. 7, 8; M04, M05)."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.codec import enums, fields
from gateway.codec.letters import encode_dispatched, encode_letter
from gateway.domain.cases import DropoutCase, OpenOffer
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import (
    Letter,
    LetterLine,
    LetterState,
    LetterTrigger,
    Urgency,
    letter_title,
)
from gateway.domain.organisations import OrgId, Role
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.service.determine_jurisdiction import decide
from gateway.service.parties import Matter
from gateway.service.private_parts import (
    identity_parts,
    narrative_part,
    reason_part,
    whereabouts_part,
)
from gateway.service.state_fact import state_fact
from gateway.v1 import event_pb2, letter_pb2

_MOST_LINES = 50
_MOST_COPIES = 20
_REPLY_WORKING_DAYS = 5  # policy p5, not law: the regulation sets no day for answering
_IN_USE = (LetterKind.NOTIFICATION, LetterKind.HANDOVER)


def create_draft(
    desk: Desk, request: letter_pb2.CreateDraftRequest
) -> letter_pb2.CreateDraftResponse:
    """LetterService.CreateDraft."""
    kind = enums.required(LetterKind, request.kind, "kind")
    recipient = _recipient(desk, request.recipient)
    copy_to = _copies(desk, request.copy_to)
    text = fields.text(request.text, "text", 4000)
    if not 0 < len(request.case_ids) <= _MOST_LINES:
        raise fields.invalid(
            "case_ids", f"A letter has 1 to {_MOST_LINES} lines.", "Name the cases it is about."
        )
    case_ids = dict.fromkeys(fields.uuid(case_id, "case_ids") for case_id in request.case_ids)
    cases = [desk.work.cases.require(desk.org, case_id) for case_id in case_ids]
    for case in cases:
        _require_due(desk, case, kind, recipient)
    letter = Letter(
        id=desk.tools.ids.new(),
        kind=kind,
        state=LetterState.DRAFT,
        sender=desk.org,
        recipient=recipient,
        title=letter_title(kind, len(cases)),
        lines=tuple(_line(number, case) for number, case in enumerate(cases, 1)),
        changed_at=desk.now,
        copy_to=copy_to,
        urgency=enums.maybe(Urgency, request.urgency),
    )
    desk.work.letters.put(desk.org, letter)
    desk.work.vault.put(desk.org, letter.id, narrative_part(desk, text))
    return letter_pb2.CreateDraftResponse(letter=encode_letter(letter))


def sign_letter(desk: Desk, request: letter_pb2.SignLetterRequest) -> letter_pb2.SignLetterResponse:
    """LetterService.SignLetter: number, date and signatory; the content is fixed from here on."""
    letter = own_letter(desk, request.letter_id)
    letter.require_version(request.version)
    mark = desk.organisation(desk.org, "sender").letter_mark
    if not mark:
        raise Refusal(
            Reason.INVALID_FIELD,
            f"{desk.org} has no mark for its letter numbers in the directory.",
            "Have the directory's authority enter the letter mark 发文机关代字.",
            field="letter_mark",
        )
    year = desk.today.year
    number = desk.work.counters.next(desk.org, f"letter {year}")
    reply_by = desk.tools.working_days.add_working_days(desk.today, _REPLY_WORKING_DAYS)
    letter = letter.moved(
        LetterTrigger.SIGN,
        desk.now,
        letter_no=f"{mark}〔{year}〕{number}号",
        sign_date=desk.today.isoformat(),
        signatory_post=desk.actor.post,
        reply_requested_by=reply_by.isoformat(),
    )
    desk.work.letters.put(desk.org, letter)
    return letter_pb2.SignLetterResponse(letter=encode_letter(letter))


def dispatch_letter(
    desk: Desk, request: letter_pb2.DispatchLetterRequest
) -> letter_pb2.DispatchLetterResponse:
    """LetterService.DispatchLetter: every hand-over line becomes the offer of its case (rule 3)."""
    letter = own_letter(desk, request.letter_id)
    letter.require_version(request.version)
    letter = letter.moved(LetterTrigger.DISPATCH, desk.now, dispatched_at=desk.now)
    lines, cases = [], []
    for line in letter.lines:
        case = desk.work.cases.require(desk.org, line.case_id)
        _require_due(desk, case, letter.kind, letter.recipient)
        lines.append(replace(line, title=case.title))
        if letter.kind is LetterKind.HANDOVER and case.title is not None:
            offer = OpenOffer(letter.id, line.line_no, letter.recipient, case.title.hash)
            case = case.changed(desk.now, offer=offer)
            desk.work.cases.put(desk.org, case)
        cases.append(case)
    letter = replace(letter, lines=tuple(lines), event_id=desk.tools.ids.new())
    desk.work.letters.put(desk.org, letter)
    wire = encode_letter(letter)
    event_id = state_fact(
        desk,
        FactKind.LETTER_DISPATCHED,
        encode_dispatched(wire),
        Matter(cases=tuple(cases), named=(letter.recipient, *letter.copy_to)),
        parts=_letter_parts(desk, letter),
        correlation_id=letter.id,
        event_id=letter.event_id,
    )
    return letter_pb2.DispatchLetterResponse(letter=wire, event_id=event_id)


def own_letter(desk: Desk, letter_id: str) -> Letter:
    """Return a letter that the acting organisation sends. Raises Refusal(NOT_FOUND)."""
    letter = desk.work.letters.require(desk.org, fields.uuid(letter_id, "letter_id"))
    if letter.sender != desk.org:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            "Only the sender of a letter signs, dispatches or retracts it.",
            "Answer it instead: register it, then accept, return or note it.",
        )
    return letter


def _recipient(desk: Desk, text: str) -> OrgId:
    recipient = fields.organisation(text, "recipient")
    if recipient == desk.org:
        raise Refusal(
            Reason.SELF_LETTER,
            "A county cannot write to itself.",
            "When enrolment and household county are one (J4), act without a letter.",
            field="recipient",
        )
    desk.organisation(recipient, "recipient")
    if recipient.role is not Role.EDU:
        raise fields.invalid(
            "recipient",
            f"{recipient} is no education bureau.",
            "Letters go between education bureaus; townships get orders, agencies referrals.",
        )
    return recipient


def _copies(desk: Desk, texts: Iterable[str]) -> tuple[OrgId, ...]:
    """Return those in copy 抄送: education bureaus only, because the letter names children."""
    copy_to = tuple(dict.fromkeys(fields.organisation(org, "copy_to") for org in texts))
    if len(copy_to) > _MOST_COPIES:
        raise fields.invalid("copy_to", f"More than {_MOST_COPIES} copies.", "Name fewer.")
    for org in copy_to:
        desk.organisation(org, "copy_to")
        if org.role is not Role.EDU:
            raise fields.invalid(
                "copy_to", f"{org} is no education bureau.", "Copies go to education bureaus."
            )
    return copy_to


def _require_due(desk: Desk, case: DropoutCase, kind: LetterKind, recipient: OrgId) -> None:
    """Check that the jurisdiction decision of the case asks for such a letter, now."""
    if kind not in _IN_USE:
        raise Refusal(
            Reason.WRONG_LETTER_KIND,
            f"Letters of kind {kind} cannot be sent by this release.",
            f"In use are: {', '.join(_IN_USE)}.",
            field="kind",
        )
    case.require_holder(desk.org)
    if kind is LetterKind.HANDOVER:
        case.require_no_offer()
    decision = decide(desk, case) if case.jurisdiction_row else None
    due = decision.letters if decision else ()
    if not any(d.kind is kind and d.sender == desk.org and d.recipient == recipient for d in due):
        raise Refusal(
            Reason.LETTER_NOT_DUE,
            f"No {kind} letter to {recipient} is due on this case.",
            "Determine the jurisdiction; its decision names the letters that are due.",
            row=decision.row if decision else "",
            due=", ".join(f"{d.kind}>{d.recipient}" for d in due),
        )


def _line(number: int, case: DropoutCase) -> LetterLine:
    return LetterLine(
        line_no=number,
        case_id=case.id,
        subject_id=case.subject_id,
        enrolment_county=case.enrolment_county,
        hukou_county=case.hukou_county,
        school=case.school,
        jurisdiction_row=case.jurisdiction_row,
        whereabouts=case.whereabouts,
        first_absent_day=case.first_absent_day,
        reason=case.reason,
        episode=case.episode,
        title=case.title,
    )


def _letter_parts(desk: Desk, letter: Letter) -> list[VaultPart]:
    parts: list[VaultPart] = []
    for line in letter.lines:
        parts.extend(identity_parts(desk, line.subject_id))
        parts.extend(reason_part(desk, line.subject_id, line.reason))
        parts.extend(whereabouts_part(desk, line.subject_id, line.whereabouts))
    for kept in desk.work.vault.reveal(desk.org, letter.id, purpose="dispatch of the letter"):
        if kept.kind == enums.wire(PartKind.NARRATIVE):
            text = event_pb2.Narrative.FromString(kept.content).text
            parts.extend(narrative_part(desk, text))
    return parts
