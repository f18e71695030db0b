"""Asking public security for the current household registration (art. 5.9), and taking its answer.

The county is never read from the identity number: its prefix names where the number was assigned.
"""

from gateway.codec import enums, fields, subjects
from gateway.domain.cases import OPEN_STATES, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Role
from gateway.domain.subjects import EnrolmentAssertion, HukouAssertion, HukouFinding, Subject
from gateway.service.desk import Desk
from gateway.service.parties import Matter, agency_of
from gateway.service.private_parts import identity_parts
from gateway.service.state_fact import state_fact
from gateway.v1 import subject_pb2


def request_hukou(
    desk: Desk, request: subject_pb2.RequestHukouRequest
) -> subject_pb2.RequestHukouResponse:
    """SubjectService.RequestHukou."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_holder(desk.org)
    query_id = ask_hukou(desk, case)
    return subject_pb2.RequestHukouResponse(
        query_id=query_id, agency=str(agency_of(desk, Role.PSB) or "")
    )


def ask_hukou(desk: Desk, case: DropoutCase) -> str:
    """State the query and return its identifier.

    Raises Refusal(NO_AGENCY) when no public security takes part for this place.
    """
    agency = agency_of(desk, Role.PSB)
    if agency is None:
        raise Refusal(
            Reason.NO_AGENCY,
            "No public security body takes part for this county.",
            "Ask by other means and record the answer with AssertHukou.",
        )
    query_id = desk.tools.ids.new()
    state_fact(
        desk,
        FactKind.HUKOU_QUERIED,
        subject_pb2.HukouQueried(query_id=query_id, subject_id=case.subject_id, agency=str(agency)),
        Matter(cases=(case,)),
        parts=identity_parts(desk, case.subject_id),
        subject_id=case.subject_id,
        correlation_id=query_id,
    )
    return query_id


def assert_hukou(
    desk: Desk, request: subject_pb2.AssertHukouRequest
) -> subject_pb2.AssertHukouResponse:
    """SubjectService.AssertHukou: an answer of public security that came by another way."""
    finding = enums.required(HukouFinding, request.finding, "finding")
    county = fields.text(request.county, "county", 6)
    if finding is HukouFinding.FOUND:
        if not county:
            raise fields.missing("county")
        desk.require_current(county, "county")
    subject = desk.work.subjects.require(desk.org, fields.uuid(request.subject_id, "subject_id"))
    assertion = HukouAssertion(
        finding,
        county,
        fields.text(request.township, "township", 9),
        fields.optional_day(request.since, "since"),
        desk.now,
        desk.org,
    )
    subject = take_hukou(desk, subject, assertion)
    return subject_pb2.AssertHukouResponse(subject=subjects.encode_subject(subject))


def take_hukou(desk: Desk, subject: Subject, assertion: HukouAssertion) -> Subject:
    """Store a statement on the household registration and bring it to the child's open cases."""
    subject = subject.with_hukou(assertion, desk.now)
    desk.work.subjects.put(desk.org, subject)
    current = subject.current_hukou
    for case in desk.work.cases.page(desk.org, subject_id=subject.id, states=OPEN_STATES):
        if current is not None and case.hukou_county != current.county:
            desk.work.cases.put(desk.org, case.changed(desk.now, hukou_county=current.county))
    return subject


def assert_enrolment(
    desk: Desk, request: subject_pb2.AssertEnrolmentRequest
) -> subject_pb2.AssertEnrolmentResponse:
    """SubjectService.AssertEnrolment."""
    subject = desk.work.subjects.require(desk.org, fields.uuid(request.subject_id, "subject_id"))
    school = fields.organisation(request.school, "school")
    if school.role is not Role.SCH:
        raise fields.invalid("school", f"{school} is no school.", "Name a school.")
    desk.organisation(school, "school")
    assertion = EnrolmentAssertion(
        school.division,
        school,
        request.grade,
        fields.optional_day(request.since, "since"),
        desk.org,
    )
    subject = subject.with_enrolment(assertion, desk.now)
    desk.work.subjects.put(desk.org, subject)
    wire = subjects.encode_enrolment(subject.id, assertion)
    if wire is not None:
        state_fact(
            desk,
            FactKind.ENROLMENT_ASSERTED,
            wire,
            Matter(school=school),
            parts=identity_parts(desk, subject.id),
            subject_id=subject.id,
        )
    return subject_pb2.AssertEnrolmentResponse(subject=subjects.encode_subject(subject))


def case_answered(desk: Desk, case: DropoutCase) -> bool:
    """Say whether public security has answered for the child of this case."""
    subject = desk.work.subjects.get(desk.org, case.subject_id)
    return subject is not None and subject.current_hukou is not None
