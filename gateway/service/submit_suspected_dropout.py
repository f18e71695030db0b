"""The principal submits a suspected dropout to education bureau *and* township (art. 7, M03)."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.codec import cases, fields
from gateway.domain.absences import Absence, AbsenceTrigger
from gateway.domain.cases import CaseState, CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId, Role
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import (
    identity_parts,
    narrative_part,
    reason_part,
    whereabouts_part,
)
from gateway.service.record_whereabouts import checked_whereabouts
from gateway.service.state_fact import state_fact
from gateway.v1 import case_pb2


def submit_suspected_dropout(
    desk: Desk, request: case_pb2.SubmitSuspectedDropoutRequest
) -> case_pb2.SubmitSuspectedDropoutResponse:
    """CaseService.SubmitSuspectedDropout."""
    absence = desk.work.absences.require(desk.org, fields.uuid(request.absence_id, "absence_id"))
    recipients = [fields.organisation(org, "recipients") for org in request.recipients]
    _check_recipients(desk, recipients)
    remark = fields.text(request.remark, "remark", 4000)
    case = _opened(desk, absence) if not absence.case_id else _present(desk, absence)
    if request.HasField("whereabouts"):
        case = replace(case, whereabouts=checked_whereabouts(desk, request.whereabouts))
    informed = tuple(dict.fromkeys((*case.informed, *recipients)))
    case = replace(case, informed=informed)
    if case.state is CaseState.SUSPECTED and not case.missing_recipients:
        case = replace(case, state=CaseState.VERIFYING)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.SUSPECTED_DROPOUT_SUBMITTED,
        case_pb2.SuspectedDropoutSubmitted(
            school=str(desk.org),
            absence_id=absence.id,
            verified_on_platform=request.verified_on_platform,
            platform_entry_no=absence.platform_entry_no,
            recipients=[str(org) for org in informed],
            first_absent_day=case.first_absent_day,
            school_days_absent=len(absence.counted_days),
        ),
        Matter(cases=(case,), named=informed),
        parts=[
            *identity_parts(desk, case.subject_id),
            *narrative_part(desk, remark),
            *reason_part(desk, case.subject_id, case.reason),
            *whereabouts_part(desk, case.subject_id, case.whereabouts),
        ],
        subject_id=case.subject_id,
    )
    return case_pb2.SubmitSuspectedDropoutResponse(case=cases.encode_case(case, desk.org))


def _check_recipients(desk: Desk, recipients: Sequence[OrgId]) -> None:
    """Check that they are the school's own bureau and a township of its county (art. 7)."""
    if not recipients:
        raise fields.missing("recipients")
    for org in recipients:
        if org.role not in {Role.EDU, Role.TWN}:
            raise fields.invalid(
                "recipients", f"{org} is no education bureau or township.", "Name those two."
            )
        desk.organisation(org, "recipients")
        county = desk.county_of(org.division) if org.role is Role.TWN else org.division
        if county != desk.org.division:
            raise Refusal(
                Reason.WRONG_JURISDICTION,
                f"{org} is not of the county of {desk.org}.",
                "Submit to the education bureau and the township of the school's own county.",
                field="recipients",
            )


def _opened(desk: Desk, absence: Absence) -> DropoutCase:
    case = DropoutCase(
        id=desk.tools.ids.new(),
        subject_id=absence.subject_id,
        state=CaseState.SUSPECTED,
        school=desk.org,
        enrolment_county=desk.org.division,
        opened_at=desk.now,
        changed_at=desk.now,
        absence_id=absence.id,
        reason=absence.reason,
        first_absent_day=absence.counted_days[0].isoformat(),
    )
    desk.work.absences.put(
        desk.org, absence.moved(AbsenceTrigger.ESCALATE, desk.now, case_id=case.id)
    )
    return case


def _present(desk: Desk, absence: Absence) -> DropoutCase:
    """Return the case opened before, which lacks a recipient."""
    case = desk.work.cases.require(desk.org, absence.case_id)
    if case.state is not CaseState.SUSPECTED:
        # The very transition that is missing explains itself.
        return case.moved(CaseTrigger.BOTH_INFORMED, desk.now)
    return case.changed(desk.now)
