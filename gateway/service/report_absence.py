"""A school reports three or more school days without a valid reason (art. 4, 7; M01)."""

from gateway.codec import absences, cases, fields, subjects
from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.cases import OPEN_STATES
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.school_days import require_threshold
from gateway.domain.subjects import EnrolmentAssertion, Subject
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import identity_parts, narrative_part, reason_part
from gateway.service.resolve_subject import find_or_register
from gateway.service.state_fact import state_fact
from gateway.v1 import absence_pb2

_GRADES = range(1, 10)


def report_absence(
    desk: Desk, request: absence_pb2.ReportAbsenceRequest
) -> absence_pb2.ReportAbsenceResponse:
    """AbsenceService.ReportAbsence."""
    days = absences.decode_days(request.days)
    if request.grade and request.grade not in _GRADES:
        raise fields.invalid("grade", "Compulsory education has the grades 1 to 9.", "Check it.")
    class_name = fields.text(request.class_name, "class_name", 40)
    remark = fields.text(request.remark, "remark", 4000)
    # art. 7: counted in Asia/Shanghai, in the school's own school days.
    count = require_threshold(
        days, desk.school_calendar(desk.org), today=desk.today, rule=desk.tools.absence_rule
    )
    subject, registered = _subject(desk, request)
    if not registered:  # nobody has reported a child that was unknown a moment ago
        _require_not_reported(desk, subject)
    if subject.current_enrolment is None:
        enrolled = subject.with_enrolment(_enrolment(desk, request), desk.now)
        desk.work.subjects.put(desk.org, enrolled)
    absence = Absence(
        id=desk.tools.ids.new(),
        subject_id=subject.id,
        school=desk.org,
        state=AbsenceState.REPORTED,
        counted_days=tuple(count.counted),
        recorded_at=desk.now,
        changed_at=desk.now,
        class_name=class_name,
        grade=request.grade,
        reason=cases.decode_reason(request.reason),
    )
    desk.work.absences.put(desk.org, absence)
    wire = absences.encode_absence(absence)
    event_id = state_fact(
        desk,
        FactKind.ABSENCE_REPORTED,
        absence_pb2.AbsenceReported(
            absence_id=absence.id,
            subject_id=subject.id,
            school=str(desk.org),
            class_name=class_name,
            counted_days=wire.counted_days,
            grade=absence.grade,
        ),
        Matter(school=desk.org),
        parts=[
            *identity_parts(desk, subject.id),
            *narrative_part(desk, remark),
            *reason_part(desk, subject.id, absence.reason),
        ],
        subject_id=subject.id,
        correlation_id=absence.id,
    )
    return absence_pb2.ReportAbsenceResponse(absence=wire, event_id=event_id)


def _subject(desk: Desk, request: absence_pb2.ReportAbsenceRequest) -> tuple[Subject, bool]:
    """Return the child's record, and whether it was registered by this report."""
    which = request.subject.WhichOneof("reference")
    if which == "subject_id":
        token = fields.uuid(request.subject.subject_id, "subject.subject_id")
        return desk.work.subjects.require(desk.org, token), False
    if which != "identity":
        raise fields.missing("subject")
    identity = subjects.decode_identity(request.subject.identity, desk.today)
    guardian = subjects.decode_guardian(request.guardian) if request.HasField("guardian") else None
    return find_or_register(desk, identity, guardian)


def _enrolment(desk: Desk, request: absence_pb2.ReportAbsenceRequest) -> EnrolmentAssertion:
    # J13: the enrolment county is that of the bureau which manages the school.
    return EnrolmentAssertion(desk.org.division, desk.org, request.grade, "", desk.org)


def _require_not_reported(desk: Desk, subject: Subject) -> None:
    """Raise Refusal(CASE_EXISTS) while an earlier report or a case of the child is open (B05)."""
    still_open = (AbsenceState.REPORTED, AbsenceState.UNDER_FOLLOW_UP)
    earlier = desk.work.absences.page(desk.org, subject_id=subject.id, states=still_open, limit=1)
    if earlier:
        raise Refusal(
            Reason.CASE_EXISTS,
            "An earlier report on this child is still open.",
            "Follow that report up, or submit it as a suspected dropout.",
            absence_id=earlier[0].id,
        )
    cases = desk.work.cases.page(desk.org, subject_id=subject.id, states=OPEN_STATES, limit=1)
    if cases:
        raise Refusal(
            Reason.CASE_EXISTS,
            "A case of this child is open already.",
            "Record what is new on that case.",
            case_id=cases[0].id,
        )
