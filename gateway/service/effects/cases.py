"""Effects of facts about absences, cases, whereabouts and household registration."""

from dataclasses import replace

from gateway.codec import cases, fields, subjects
from gateway.domain.absences import Absence, AbsenceState, AbsenceTrigger
from gateway.domain.cases import CaseState, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId, Role
from gateway.domain.subjects import EnrolmentAssertion, HukouFinding
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.checks import require_case, require_party, require_source
from gateway.service.parties import agency_of
from gateway.service.private_parts import stated_reason, stated_whereabouts
from gateway.service.request_hukou import take_hukou
from gateway.service.resolve_subject import same_child
from gateway.service.titles import known_titles
from gateway.v1 import agency_pb2


def absence_reported(desk: Desk, arrived: ArrivedEvent) -> None:
    """A school of the own county or township reported an absence."""
    _require_own_school(desk, arrived.source)
    body = arrived.event.absence_reported
    known = desk.work.absences.get(desk.org, body.absence_id)
    if known is not None:
        require_source(arrived, known.school)
    absence = Absence(
        id=body.absence_id,
        subject_id=body.subject_id,
        school=arrived.source,
        state=AbsenceState.REPORTED,
        counted_days=tuple(fields.day(day, "counted_days") for day in body.counted_days),
        recorded_at=desk.now,
        changed_at=desk.now,
        class_name=body.class_name,
        grade=body.grade,
        reason=stated_reason(arrived.parts),
    )
    desk.work.absences.put(desk.org, absence)


def platform_entry_recorded(desk: Desk, arrived: ArrivedEvent) -> None:
    """The platform holds an entry; its number is kept with what it is about."""
    require_source(arrived, agency_of(desk, Role.RRB))
    body = arrived.event.platform_entry_recorded
    if body.matter == agency_pb2.PLATFORM_MATTER_ABSENCE:
        absence = desk.work.absences.get(desk.org, body.object_id)
        if absence is None:
            raise _unknown()
        if absence.state is AbsenceState.REPORTED:
            absence = absence.moved(AbsenceTrigger.ENTER, desk.now, platform_entry_no=body.entry_no)
        else:
            absence = absence.changed(desk.now, platform_entry_no=body.entry_no)
        desk.work.absences.put(desk.org, absence)
    elif body.matter == agency_pb2.PLATFORM_MATTER_RETRIEVAL_ORDER:
        order = desk.work.orders.get(desk.org, body.object_id)
        if order is None:
            raise _unknown()
        desk.work.orders.put(desk.org, order.changed(desk.now, platform_entry_no=body.entry_no))


def suspected_dropout_submitted(desk: Desk, arrived: ArrivedEvent) -> None:
    """The principal submitted; bureau and township open the case, or learn that both have it."""
    _require_own_school(desk, arrived.source)
    body, reference = arrived.event.suspected_dropout_submitted, arrived.event.cases[0]
    known = desk.work.cases.get(desk.org, reference.case_id)
    if known is not None:
        require_source(arrived, known.school)
        _require_undecided(known)
    case = known.changed(desk.now) if known else DropoutCase(
        id=reference.case_id,
        subject_id=reference.subject_id,
        state=CaseState.SUSPECTED,
        school=arrived.source,
        enrolment_county=arrived.source.division,
        opened_at=desk.now,
        changed_at=desk.now,
        absence_id=body.absence_id,
        reason=stated_reason(arrived.parts),
        first_absent_day=body.first_absent_day,
    )  # fmt: skip
    whereabouts = stated_whereabouts(arrived.parts)
    if whereabouts is not None:
        case = replace(case, whereabouts=whereabouts)
    case = replace(case, informed=tuple(OrgId.parse(org) for org in body.recipients))
    if case.state is CaseState.SUSPECTED and not case.missing_recipients:
        case = replace(case, state=CaseState.VERIFYING)  # art. 7: bureau *and* township
    desk.work.cases.put(desk.org, case)
    absence = desk.work.absences.get(desk.org, body.absence_id)
    if absence is not None and absence.school == arrived.source and not absence.case_id:
        moved = absence.moved(AbsenceTrigger.ESCALATE, desk.now, case_id=case.id)
        desk.work.absences.put(desk.org, moved)


def dropout_confirmed(desk: Desk, arrived: ArrivedEvent) -> None:
    """The bureau of enrolment holds the case from now on."""
    case = require_case(desk, arrived)
    require_source(arrived, OrgId(case.enrolment_county, Role.EDU))
    title = cases.decode_title_ref(arrived.event.dropout_confirmed.title)
    chain = known_titles(desk, case.id)
    if not chain or chain[0].ref != title or title.holder != arrived.source:
        raise Refusal(
            Reason.TITLE_INVALID,
            "The confirmation names another title than the first of the case.",
            "Send the confirmation together with the title it makes.",
        )
    if len(chain) > 1 and case.holder != desk.org:
        return  # a grant came by a faster way: who only follows keeps the newer state
    _require_undecided(case)
    case = replace(
        case.observed(CaseState.CONFIRMED, desk.now),
        holder=arrived.source,
        title=title,
        responsible=arrived.source,
        responsible_since=arrived.event.event_id,
    )
    desk.work.cases.put(desk.org, case)


def dropout_refuted(desk: Desk, arrived: ArrivedEvent) -> None:
    """It is no dropout."""
    case = _verified_case(desk, arrived)
    desk.work.cases.put(desk.org, case.observed(CaseState.NOT_DROPOUT, desk.now))


def hukou_asserted(desk: Desk, arrived: ArrivedEvent) -> None:
    """Public security answered; a county code of its register is brought up to date (finding 0.4)."""
    body = arrived.event.hukou_asserted
    # An answer uses the asker's own token; a statement nobody asked for has one of its source.
    token = body.subject_id if body.query_id else same_child(desk, body.subject_id)
    subject = desk.work.subjects.get(desk.org, token)
    if subject is None:
        raise _unknown()
    if not desk.org.division.startswith(arrived.source.division):
        require_source(arrived)
    assertion = subjects.decode_hukou(body, arrived.source)
    assertion = replace(assertion, snapshot_at=min(assertion.snapshot_at, desk.now))
    if assertion.finding is HukouFinding.FOUND:
        assertion = replace(assertion, county=desk.county_of(assertion.county))
    take_hukou(desk, subject, assertion)


def whereabouts_recorded(desk: Desk, arrived: ArrivedEvent) -> None:
    """Someone who is party to the case recorded where the child is; the newest statement counts.

    Who and when are those of the signed event, not what its body says of itself.
    """
    case = require_case(desk, arrived)
    require_party(desk, arrived, case)
    stated = replace(
        cases.decode_whereabouts(arrived.event.whereabouts_recorded.whereabouts),
        source=arrived.source,
        recorded_at=fields.moment(arrived.event.recorded_at, "recorded_at"),
    )
    known = case.whereabouts.recorded_at if case.whereabouts else None
    ahead = known is not None and known > desk.now  # nobody has recorded anything after now
    if known is None or ahead or stated.recorded_at is None or stated.recorded_at >= known:
        desk.work.cases.put(desk.org, case.changed(desk.now, whereabouts=stated))


def jurisdiction_determined(desk: Desk, arrived: ArrivedEvent) -> None:
    """The holder determined who is responsible."""
    case = require_case(desk, arrived)
    decision = arrived.event.jurisdiction_determined.decision
    responsible = OrgId.parse(decision.responsible)
    own = responsible == arrived.source
    case = replace(
        case.observed(CaseState.ASSIGNED if own else CaseState.JURISDICTION_PENDING, desk.now),
        jurisdiction_row=decision.row,
        responsible=responsible,
        responsible_since=arrived.event.event_id,
    )
    desk.work.cases.put(desk.org, case)


def enrolment_asserted(desk: Desk, arrived: ArrivedEvent) -> None:
    """A school says that the child is its pupil, or the bureau that it is one of its schools'."""
    body = arrived.event.enrolment_asserted
    school = fields.organisation(body.school, "school")
    _require_own_school(desk, school)
    require_source(arrived, school, OrgId(school.division, Role.EDU))
    subject = desk.work.subjects.get(desk.org, body.subject_id)
    if subject is None:
        raise _unknown()
    assertion = EnrolmentAssertion(
        school.division,
        school,
        body.grade,
        fields.optional_day(body.since, "since"),
        arrived.source,
    )
    desk.work.subjects.put(desk.org, subject.with_enrolment(assertion, desk.now))


def _verified_case(desk: Desk, arrived: ArrivedEvent) -> DropoutCase:
    """Return the case while its bureau of enrolment, and nobody else, decides whether it is one.

    Raises Refusal(ILLEGAL_TRANSITION) afterwards: whoever confirmed it once has no say in it later.
    """
    case = require_case(desk, arrived)
    require_source(arrived, OrgId(case.enrolment_county, Role.EDU))
    _require_undecided(case)
    return case


def _require_undecided(case: DropoutCase) -> None:
    if case.state not in {CaseState.SUSPECTED, CaseState.VERIFYING}:
        raise Refusal(
            Reason.ILLEGAL_TRANSITION,
            f"The case is {case.state}: it was decided before.",
            "The holder acts on it now.",
            state=case.state,
        )


def nothing_else(desk: Desk, arrived: ArrivedEvent) -> None:
    """The fact is logged; it changes no state here."""


def _require_own_school(desk: Desk, school: OrgId) -> None:
    """Raise Refusal(JURISDICTION_NOT_ALLOWED) unless the school lies in the own county."""
    known = desk.tools.directory.organisation(school) is not None
    if not known or desk.county_of(desk.org.division) != school.division:
        raise Refusal(
            Reason.JURISDICTION_NOT_ALLOWED,
            f"{school} is not a school of {desk.org}.",
            "A school reports to the bureau and township of its own county.",
        )


def _unknown() -> Refusal:
    return Refusal(
        Reason.MATTER_UNKNOWN,
        "Nothing is known here of what the fact is about.",
        "Send it to the organisation in charge.",
    )
