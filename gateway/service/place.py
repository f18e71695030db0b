"""The child comes back: a school is asked, confirms the return, is given the placement (art. 9)."""

from dataclasses import replace
from datetime import timedelta

from gateway.codec import cases, enums, fields
from gateway.codec.placements import encode_placement
from gateway.domain.cases import MACHINE, CaseState, CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Role
from gateway.domain.placements import (
    WATCH_DAYS,
    Placement,
    PlacementKind,
    PlacementState,
    PlacementTrigger,
)
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import identity_parts
from gateway.service.state_fact import state_fact
from gateway.v1 import case_pb2, placement_pb2

_BEFORE_PLACEMENT = (
    CaseState.ASSIGNED,
    CaseState.IN_RETRIEVAL,
    CaseState.STEPS_EXHAUSTED,
    CaseState.DEFERRED,
    CaseState.RETURNED,
)
"""States in which a school may be asked to take the child."""


def propose_placement(
    desk: Desk, request: placement_pb2.ProposePlacementRequest
) -> placement_pb2.ProposePlacementResponse:
    """PlacementService.ProposePlacement: asks a school of the holder's county to take the child."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_holder(desk.org)
    case.require_no_offer()
    if case.state not in _BEFORE_PLACEMENT:
        MACHINE.next(case.state, CaseTrigger.DECIDE_PLACEMENT)  # explains what it takes now
    school = fields.organisation(request.school, "school")
    if school.role is not Role.SCH:
        raise fields.invalid("school", f"{school} is no school.", "Name a school.")
    desk.organisation(school, "school")
    if school.division != desk.org.division:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            f"{school} is not a school of {desk.org}.",
            "Place the child at a school of the holder's own county.",
            field="school",
        )
    placement = Placement(
        id=desk.tools.ids.new(),
        case_id=case.id,
        subject_id=case.subject_id,
        school=school,
        state=PlacementState.PROPOSED,
        changed_at=desk.now,
    )
    case = case.changed(desk.now, placement_id=placement.id)
    desk.work.cases.put(desk.org, case)
    desk.work.placements.put(desk.org, placement)
    state_fact(
        desk,
        FactKind.PLACEMENT_PROPOSED,
        placement_pb2.PlacementProposed(placement_id=placement.id, school=str(school)),
        Matter(cases=(case,), placement=placement),
        parts=identity_parts(desk, case.subject_id),
    )
    return placement_pb2.ProposePlacementResponse(placement=encode_placement(placement))


def record_return(
    desk: Desk, request: case_pb2.RecordReturnRequest
) -> case_pb2.RecordReturnResponse:
    """CaseService.RecordReturn: a return counts when the receiving school confirms attendance."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    first_day = fields.day(request.first_day_attended, "first_day_attended")
    calendar = desk.school_calendar(desk.org)
    if first_day > desk.today or not calendar.is_school_day(first_day):
        raise fields.invalid(
            "first_day_attended",
            "The first day attended is no school day up to today.",
            "Name the school day on which the child was present.",
        )
    proposed = desk.work.placements.page(desk.org, case_id=case.id, limit=1)
    if case.school != desk.org and not proposed:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            "This school was not asked to take the child.",
            "The holder of the case proposes the placement first.",
        )
    case = case.moved(CaseTrigger.RETURN, desk.now)
    desk.work.cases.put(desk.org, case)
    days = (first_day + timedelta(n) for n in range((desk.today - first_day).days + 1))
    state_fact(
        desk,
        FactKind.STUDENT_RETURNED,
        case_pb2.StudentReturned(
            school=str(desk.org),
            first_day_attended=first_day.isoformat(),
            days_attended=sum(1 for day in days if calendar.is_school_day(day)),
        ),
        Matter(cases=(case,)),
        parts=identity_parts(desk, case.subject_id),
    )
    return case_pb2.RecordReturnResponse(case=cases.encode_case(case, desk.org))


def decide_placement(
    desk: Desk, request: placement_pb2.DecidePlacementRequest
) -> placement_pb2.DecidePlacementResponse:
    """PlacementService.DecidePlacement, after the return was confirmed (M25)."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_holder(desk.org)
    case.require_version(request.version)
    kind = enums.required(PlacementKind, request.kind, "kind")
    plan_id = fields.text(request.plan_id, "plan_id", 60)
    case = case.moved(CaseTrigger.DECIDE_PLACEMENT, desk.now)
    placement = _placement_of(desk, case).moved(
        PlacementTrigger.DECIDE, desk.now, kind=kind, plan_id=plan_id
    )
    case = replace(case, placement_id=placement.id)
    desk.work.cases.put(desk.org, case)
    desk.work.placements.put(desk.org, placement)
    order = desk.work.orders.get(desk.org, case.order_id) if case.order_id else None
    state_fact(
        desk,
        FactKind.PLACEMENT_DECIDED,
        placement_pb2.PlacementDecided(
            placement_id=placement.id,
            school=str(placement.school),
            kind=request.kind,
            plan_id=plan_id,
        ),
        Matter(cases=(case,), placement=placement, order=order),
    )
    return placement_pb2.DecidePlacementResponse(
        placement=encode_placement(placement), case=cases.encode_case(case, desk.org)
    )


def start_placement(
    desk: Desk, request: placement_pb2.StartPlacementRequest
) -> placement_pb2.StartPlacementResponse:
    """PlacementService.StartPlacement, by the receiving school; the watch period begins."""
    placement = desk.work.placements.require(
        desk.org, fields.uuid(request.placement_id, "placement_id")
    )
    if placement.school != desk.org:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            "Only the receiving school says that a placement has begun.",
            "Wait for the school's confirmation.",
        )
    start = fields.day(request.start_date, "start_date")
    if start > desk.today:
        raise fields.invalid("start_date", "The first day lies ahead.", "Confirm it when it came.")
    until = start + timedelta(days=WATCH_DAYS)
    placement = placement.moved(
        PlacementTrigger.START,
        desk.now,
        start_date=start.isoformat(),
        watch_until=until.isoformat(),
    )
    desk.work.placements.put(desk.org, placement)
    case = desk.work.cases.require(desk.org, placement.case_id)
    case = case.observed(CaseState.WATCH, desk.now)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.PLACEMENT_STARTED,
        placement_pb2.PlacementStarted(
            placement_id=placement.id,
            start_date=placement.start_date,
            watch_until=placement.watch_until,
        ),
        Matter(cases=(case,), placement=placement),
    )
    return placement_pb2.StartPlacementResponse(placement=encode_placement(placement))


def _placement_of(desk: Desk, case: DropoutCase) -> Placement:
    """Return the proposed placement, or one at the school that confirmed the return unasked."""
    placement = desk.work.placements.get(desk.org, case.placement_id) if case.placement_id else None
    returned_to = case.returned_to or case.school
    if (
        placement is not None
        and placement.state is PlacementState.PROPOSED
        and placement.school == returned_to
    ):
        return placement
    created = Placement(
        id=desk.tools.ids.new(),
        case_id=case.id,
        subject_id=case.subject_id,
        school=returned_to,
        state=PlacementState.PROPOSED,
        changed_at=desk.now,
    )
    desk.work.placements.put(desk.org, created)
    return created
