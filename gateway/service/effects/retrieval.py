"""Effects of retrieval, return and placement; the holder passes on what its former ones follow."""

from dataclasses import replace

from gateway.codec import cases, enums
from gateway.codec.orders import decode_issued, decode_step
from gateway.domain.cases import MACHINE as CASE_MACHINE
from gateway.domain.cases import CaseState, CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import RULES, FactKind
from gateway.domain.orders import (
    MACHINE,
    OrderState,
    OrderTrigger,
    RetrievalOrder,
    require_same_county,
)
from gateway.domain.placements import Placement, PlacementKind, PlacementState, PlacementTrigger
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.checks import (
    require_case,
    require_passed_on,
    require_source,
    schools_asked,
)
from gateway.service.parties import Matter, receivers
from gateway.service.private_parts import stated_whereabouts
from gateway.service.state_fact import state_fact
from gateway.service.titles import known_titles
from gateway.v1 import retrieval_pb2


def retrieval_body_confirmed(desk: Desk, arrived: ArrivedEvent) -> None:
    """The holder confirmed itself as retrieval body."""
    case = require_case(desk, arrived)
    desk.work.cases.put(desk.org, case.changed(desk.now, retrieval_body=arrived.source))


def retrieval_order_issued(desk: Desk, arrived: ArrivedEvent) -> None:
    """An order: for the township to carry out, for a former holder to follow."""
    body, reference = arrived.event.retrieval_order_issued, arrived.event.cases[0]
    order = decode_issued(body.order, desk.now)
    require_source(arrived, order.issuer)
    if (order.case_id, order.subject_id) != (reference.case_id, reference.subject_id):
        raise Refusal(
            Reason.PAYLOAD_INVALID,
            "The order is about another case than the title that it rests on.",
            "Issue the order anew from the case.",
        )
    if desk.work.orders.get(desk.org, order.id) is not None:
        raise Refusal(
            Reason.EQUIVOCATION,
            "Another order with this identifier was received before.",
            "Issue a new order under a new identifier.",
        )
    require_same_county(
        order.issuer, desk.county_of(order.issuer.division), desk.county_of(order.township.division)
    )
    case = desk.work.cases.get(desk.org, order.case_id)
    if case is None:
        if desk.org != order.township:
            require_case(desk, arrived)
        case = DropoutCase(
            id=order.case_id,
            subject_id=order.subject_id,
            state=CaseState.IN_RETRIEVAL,
            # The township needs no school to retrieve; the bureau that orders stands for it.
            school=order.issuer,
            enrolment_county=order.issuer.division,
            opened_at=desk.now,
            changed_at=desk.now,
            episode=reference.episode,
            first_absent_day=body.first_absent_day,
        )
    else:
        case = case.observed(CaseState.IN_RETRIEVAL, desk.now)
    case = replace(
        case,
        holder=order.issuer,
        title=cases.decode_title_ref(reference.title),
        responsible=order.issuer,
        retrieval_body=order.issuer,
        order_id=order.id,
    )
    whereabouts = stated_whereabouts(arrived.parts)
    if whereabouts is not None:
        case = replace(case, whereabouts=whereabouts)
    desk.work.cases.put(desk.org, case)
    desk.work.orders.put(desk.org, order)


def retrieval_order_acknowledged(desk: Desk, arrived: ArrivedEvent) -> None:
    """The township acknowledged."""
    order = _order(desk, arrived, arrived.event.retrieval_order_acknowledged.order_id)
    if MACHINE.allows(order.state, OrderTrigger.ACKNOWLEDGE):
        desk.work.orders.put(desk.org, order.moved(OrderTrigger.ACKNOWLEDGE, desk.now))
    pass_on(desk, arrived, order)


def retrieval_officer_assigned(desk: Desk, arrived: ArrivedEvent) -> None:
    """The township named who is in charge."""
    body = arrived.event.retrieval_officer_assigned
    order = _order(desk, arrived, body.order_id)
    if MACHINE.allows(order.state, OrderTrigger.ASSIGN):
        moved = order.moved(
            OrderTrigger.ASSIGN,
            desk.now,
            officer_post=body.officer_post,
            paired_post=body.paired_post,
        )
        desk.work.orders.put(desk.org, moved)
    pass_on(desk, arrived, order)


def retrieval_step_recorded(desk: Desk, arrived: ArrivedEvent) -> None:
    """The township took a step; a step after the order ended is kept as information (rule 5)."""
    body = arrived.event.retrieval_step_recorded
    order = _order(desk, arrived, body.order_id)
    if MACHINE.allows(order.state, OrderTrigger.STEP):
        order = order.record_step(decode_step(body.step), desk.now)
        desk.work.orders.put(desk.org, order)
        case = desk.work.cases.require(desk.org, order.case_id)
        if order.state is OrderState.EXHAUSTED and case.holder == desk.org:
            desk.work.cases.put(desk.org, case.moved(CaseTrigger.EXHAUST_STEPS, desk.now))
    pass_on(desk, arrived, order)


def retrieval_order_fulfilled(desk: Desk, arrived: ArrivedEvent) -> None:
    """The issuer closed the order: the child is back."""
    order = desk.work.orders.get(desk.org, arrived.event.retrieval_order_fulfilled.order_id)
    if order is not None:
        require_source(arrived, order.issuer)
        if MACHINE.allows(order.state, OrderTrigger.FULFIL):
            desk.work.orders.put(desk.org, order.moved(OrderTrigger.FULFIL, desk.now))


def placement_proposed(desk: Desk, arrived: ArrivedEvent) -> None:
    """A school is asked to take the child: it becomes party to the case."""
    body, reference = arrived.event.placement_proposed, arrived.event.cases[0]
    if body.school != str(desk.org) or arrived.source.division != desk.org.division:
        require_source(arrived)
    known = desk.work.cases.get(desk.org, reference.case_id)
    case = known.changed(desk.now) if known else DropoutCase(
        id=reference.case_id,
        subject_id=reference.subject_id,
        state=CaseState.IN_RETRIEVAL,
        school=desk.org,
        enrolment_county=desk.org.division,
        opened_at=desk.now,
        changed_at=desk.now,
        episode=reference.episode,
    )  # fmt: skip
    title = cases.decode_title_ref(reference.title)
    case = replace(case, holder=arrived.source, title=title, placement_id=body.placement_id)
    desk.work.cases.put(desk.org, case)
    placement = Placement(
        id=body.placement_id,
        case_id=case.id,
        subject_id=case.subject_id,
        school=desk.org,
        state=PlacementState.PROPOSED,
        changed_at=desk.now,
    )
    desk.work.placements.put(desk.org, placement)


def student_returned(desk: Desk, arrived: ArrivedEvent) -> None:
    """A school sees the child again: the holder's case is RETURNED, its order fulfilled."""
    case = require_case(desk, arrived)
    holder = case.holder == desk.org
    if not holder:
        if not _sent_to_former_holder(desk, arrived, case):
            require_passed_on(desk, arrived)
        else:
            require_source(arrived, case.school, *schools_asked(desk, case))
            _forward(desk, arrived, case)
        if case.state is not CaseState.RETURNED:
            desk.work.cases.put(desk.org, case.observed(CaseState.RETURNED, desk.now))
        return
    require_source(arrived, case.school, *schools_asked(desk, case))
    if not CASE_MACHINE.allows(case.state, CaseTrigger.RETURN):
        return  # stated again, or after the placement: information is never refused (rule 5)
    case = replace(case.moved(CaseTrigger.RETURN, desk.now), returned_to=arrived.source)
    desk.work.cases.put(desk.org, case)
    order = desk.work.orders.get(desk.org, case.order_id) if case.order_id else None
    pass_on(desk, arrived, order)
    if order is not None and MACHINE.allows(order.state, OrderTrigger.FULFIL):
        desk.work.orders.put(desk.org, order.moved(OrderTrigger.FULFIL, desk.now))
        state_fact(
            desk,
            FactKind.RETRIEVAL_ORDER_FULFILLED,
            retrieval_pb2.RetrievalOrderFulfilled(order_id=order.id),
            Matter(cases=(case,), order=order),
            causation_id=arrived.event.event_id,
        )


def placement_decided(desk: Desk, arrived: ArrivedEvent) -> None:
    """The holder decided the placement."""
    body = arrived.event.placement_decided
    case = require_case(desk, arrived)
    case = replace(case.observed(CaseState.PLACED, desk.now), placement_id=body.placement_id)
    desk.work.cases.put(desk.org, case)
    if body.school == str(desk.org):
        kind = enums.required(PlacementKind, body.kind, "kind")
        known = desk.work.placements.get(desk.org, body.placement_id) or Placement(
            id=body.placement_id,
            case_id=case.id,
            subject_id=case.subject_id,
            school=desk.org,
            state=PlacementState.PROPOSED,
            changed_at=desk.now,
            version=0,
        )
        decided = known.moved(PlacementTrigger.DECIDE, desk.now, kind=kind, plan_id=body.plan_id)
        desk.work.placements.put(desk.org, decided)


def placement_started(desk: Desk, arrived: ArrivedEvent) -> None:
    """The placement began: the holder watches, the others follow."""
    body = arrived.event.placement_started
    case = require_case(desk, arrived)
    if case.holder != desk.org:
        require_passed_on(desk, arrived)
        desk.work.cases.put(desk.org, case.observed(CaseState.WATCH, desk.now))
        return
    placement = desk.work.placements.require(desk.org, body.placement_id)
    require_source(arrived, placement.school)
    started = placement.moved(
        PlacementTrigger.START,
        desk.now,
        start_date=body.start_date,
        watch_until=body.watch_until,
    )
    desk.work.placements.put(desk.org, started)
    desk.work.cases.put(desk.org, case.moved(CaseTrigger.START_PLACEMENT, desk.now))
    order = desk.work.orders.get(desk.org, case.order_id) if case.order_id else None
    pass_on(desk, arrived, order)


def _sent_to_former_holder(desk: Desk, arrived: ArrivedEvent, case: DropoutCase) -> bool:
    """Say whether the source still took this organisation for the holder, as it once was."""
    return arrived.sender == arrived.source and desk.org in {
        title.holder for title in known_titles(desk, case.id)
    }


def _forward(desk: Desk, arrived: ArrivedEvent, case: DropoutCase) -> None:
    """Send a fact stated under an old title on to the present holder: it is not lost (rule 5)."""
    if case.holder is not None:
        desk.work.outbox.deliver(desk.org, [case.holder], arrived.event.event_id)


def pass_on(desk: Desk, arrived: ArrivedEvent, order: RetrievalOrder | None) -> None:
    """The holder passes a fact on, as it was signed, to those who follow the case."""
    case = require_case(desk, arrived)
    if case.holder != desk.org:
        return
    told = receivers(
        desk,
        RULES[arrived.kind].passed_on,
        Matter(cases=(case,), order=order),
        besides=(arrived.source, arrived.sender),
    )
    desk.work.outbox.deliver(desk.org, told, arrived.event.event_id)


def _order(desk: Desk, arrived: ArrivedEvent, order_id: str) -> RetrievalOrder:
    """Return the order whose township states something about it."""
    order = desk.work.orders.get(desk.org, order_id)
    if order is None:
        require_case(desk, arrived)
        raise Refusal(
            Reason.MATTER_UNKNOWN, "The order is not known here.", "Send it to its issuer."
        )
    require_source(arrived, order.township)
    return order
