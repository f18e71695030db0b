"""Letters on the wire: as shown to a caller, and as signed and sent."""

from datetime import datetime

from gateway.codec import cases, enums, fields
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterLine, LetterState, LineState, Urgency
from gateway.v1 import letter_pb2


def _encode_line(line: LetterLine) -> letter_pb2.LetterLine:
    return letter_pb2.LetterLine(
        line_no=line.line_no,
        case_id=line.case_id,
        subject_id=line.subject_id,
        jurisdiction_row=line.jurisdiction_row,
        enrolment_county=line.enrolment_county,
        hukou_county=line.hukou_county,
        whereabouts=cases.encode_whereabouts(line.whereabouts),
        school=str(line.school),
        first_absent_day=line.first_absent_day,
        reason=enums.wire(line.reason),
        episode=line.episode,
        title=cases.encode_title_ref(line.title),
        state=enums.wire(line.state),
        return_reason=enums.wire(line.return_reason),
        return_county=line.return_county,
    )


def _decode_line(wire: letter_pb2.LetterLine) -> LetterLine:
    return LetterLine(
        line_no=wire.line_no,
        case_id=fields.uuid(wire.case_id, "line.case_id"),
        subject_id=fields.uuid(wire.subject_id, "line.subject_id"),
        enrolment_county=fields.digits(wire.enrolment_county, "line.enrolment_county", 6),
        hukou_county=fields.digits(wire.hukou_county, "line.hukou_county", 6),
        school=fields.organisation(wire.school, "line.school"),
        jurisdiction_row=fields.text(wire.jurisdiction_row, "line.jurisdiction_row", 4),
        whereabouts=(
            cases.decode_whereabouts(wire.whereabouts) if wire.HasField("whereabouts") else None
        ),
        first_absent_day=fields.optional_day(wire.first_absent_day, "line.first_absent_day"),
        reason=cases.decode_reason(wire.reason),
        episode=max(1, wire.episode),
        title=cases.decode_title_ref(wire.title) if wire.HasField("title") else None,
        state=LineState.OPEN,
    )


def encode_letter(letter: Letter) -> letter_pb2.Letter:
    """Encode a letter as its organisation sees it."""
    return letter_pb2.Letter(
        letter_id=letter.id,
        letter_no=letter.letter_no,
        kind=enums.wire(letter.kind),
        state=enums.wire(letter.state),
        sender=str(letter.sender),
        recipient=str(letter.recipient),
        copy_to=[str(org) for org in letter.copy_to],
        title=letter.title,
        signatory_post=letter.signatory_post,
        sign_date=letter.sign_date,
        reply_requested_by=letter.reply_requested_by,
        urgency=enums.wire(letter.urgency),
        lines=[_encode_line(line) for line in letter.lines],
        version=letter.version,
        changed_at=fields.timestamp(letter.changed_at),
        dispatched_at=fields.timestamp(letter.dispatched_at),
        delivered_at=fields.timestamp(letter.delivered_at),
    )


def encode_dispatched(letter: letter_pb2.Letter) -> letter_pb2.LetterDispatched:
    """Return the letter as it is signed and sent: without what only its sender's store knows."""
    dispatched = letter_pb2.LetterDispatched(letter=letter)
    wire = dispatched.letter
    for field in ("state", "version", "changed_at", "dispatched_at", "delivered_at"):
        wire.ClearField(field)
    for line in wire.lines:
        # Reason and whereabouts travel as private parts: not every party may read them (D.6).
        line.ClearField("state")
        line.ClearField("reason")
        line.ClearField("whereabouts")
    return dispatched


def decode_dispatched(wire: letter_pb2.Letter, event_id: str, now: datetime) -> Letter:
    """Decode a letter that arrived, as the receiver's own record of it. Raises Refusal."""
    lines = tuple(_decode_line(line) for line in wire.lines)
    if [line.line_no for line in lines] != list(range(1, len(lines) + 1)) or not lines:
        raise fields.invalid("lines", "The lines are not numbered from 1.", "Number them anew.")
    return Letter(
        id=fields.uuid(wire.letter_id, "letter_id"),
        kind=enums.required(LetterKind, wire.kind, "kind"),
        state=LetterState.DELIVERED,
        sender=fields.organisation(wire.sender, "sender"),
        recipient=fields.organisation(wire.recipient, "recipient"),
        title=fields.text(wire.title, "title", 200, required=True),
        lines=lines,
        changed_at=now,
        letter_no=fields.text(wire.letter_no, "letter_no", 60, required=True),
        copy_to=tuple(fields.organisation(org, "copy_to") for org in wire.copy_to),
        signatory_post=fields.text(wire.signatory_post, "signatory_post", 40, required=True),
        sign_date=fields.day(wire.sign_date, "sign_date").isoformat(),
        reply_requested_by=fields.optional_day(wire.reply_requested_by, "reply_requested_by"),
        urgency=enums.maybe(Urgency, wire.urgency),
        delivered_at=now,
        event_id=event_id,
    )
