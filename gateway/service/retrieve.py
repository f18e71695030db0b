"""Retrieval 劝返 (art. 8): confirm the body, issue the order, acknowledge, assign, record steps."""

from dataclasses import replace

from gateway.codec import cases, fields
from gateway.codec.orders import decode_step, encode_issued, encode_order, encode_step
from gateway.domain.cases import MACHINE, CaseState, CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.orders import OrderState, OrderTrigger, RetrievalOrder, require_same_county
from gateway.domain.organisations import OrgId, Post, Role
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import identity_parts, narrative_part, whereabouts_part
from gateway.service.state_fact import state_fact
from gateway.v1 import retrieval_pb2


def confirm_body(
    desk: Desk, request: retrieval_pb2.ConfirmBodyRequest
) -> retrieval_pb2.ConfirmBodyResponse:
    """RetrievalService.ConfirmBody 确认劝返主体 (M06)."""
    case = _held(desk, request.case_id, request.version)
    if case.state is not CaseState.ASSIGNED:
        MACHINE.next(case.state, CaseTrigger.ISSUE_ORDER)  # explains which state is needed
    case = case.changed(desk.now, retrieval_body=desk.org)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.RETRIEVAL_BODY_CONFIRMED,
        retrieval_pb2.RetrievalBodyConfirmed(
            body=str(desk.org), jurisdiction_row=case.jurisdiction_row
        ),
        Matter(cases=(case,)),
        parts=identity_parts(desk, case.subject_id),
    )
    return retrieval_pb2.ConfirmBodyResponse(case=cases.encode_case(case, desk.org))


def issue_order(
    desk: Desk, request: retrieval_pb2.IssueOrderRequest
) -> retrieval_pb2.IssueOrderResponse:
    """RetrievalService.IssueOrder 下发劝返指令 (M07): only to a township of one's own county."""
    case = _held(desk, request.case_id, request.version)
    township = _township(desk, request.township)
    if case.retrieval_body != desk.org:
        raise Refusal(
            Reason.BODY_NOT_CONFIRMED,
            "The retrieval body of this case is not confirmed.",
            "Confirm it first with ConfirmBody (art. 8).",
        )
    instruction = fields.text(request.instruction, "instruction", 4000)
    order = RetrievalOrder(
        id=desk.tools.ids.new(),
        order_no=_order_no(desk),
        case_id=case.id,
        subject_id=case.subject_id,
        issuer=desk.org,
        township=township,
        state=OrderState.ISSUED,
        issued_at=desk.now,
        changed_at=desk.now,
    )
    case = replace(case.moved(CaseTrigger.ISSUE_ORDER, desk.now), order_id=order.id)
    desk.work.cases.put(desk.org, case)
    desk.work.orders.put(desk.org, order)
    state_fact(
        desk,
        FactKind.RETRIEVAL_ORDER_ISSUED,
        retrieval_pb2.RetrievalOrderIssued(
            order=encode_issued(order),
            first_absent_day=case.first_absent_day,
        ),
        Matter(cases=(case,), order=order),
        parts=[
            *identity_parts(desk, case.subject_id),
            *narrative_part(desk, instruction),
            *whereabouts_part(desk, case.subject_id, case.whereabouts),
        ],
    )
    return retrieval_pb2.IssueOrderResponse(order=encode_order(order))


def acknowledge_order(
    desk: Desk, request: retrieval_pb2.AcknowledgeOrderRequest
) -> retrieval_pb2.AcknowledgeOrderResponse:
    """RetrievalService.AcknowledgeOrder, by the township."""
    order = _ordered(desk, request.order_id).moved(OrderTrigger.ACKNOWLEDGE, desk.now)
    _put_and_state(
        desk,
        order,
        FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED,
        retrieval_pb2.RetrievalOrderAcknowledged(order_id=order.id),
    )
    return retrieval_pb2.AcknowledgeOrderResponse(order=encode_order(order))


def assign_officer(
    desk: Desk, request: retrieval_pb2.AssignOfficerRequest
) -> retrieval_pb2.AssignOfficerResponse:
    """RetrievalService.AssignOfficer 结对包保 (art. 5.3): posts, not persons."""
    officer = _post(request.officer_post, "officer_post", required=True)
    paired = _post(request.paired_post, "paired_post")
    order = _ordered(desk, request.order_id).moved(
        OrderTrigger.ASSIGN, desk.now, officer_post=officer, paired_post=paired
    )
    _put_and_state(
        desk,
        order,
        FactKind.RETRIEVAL_OFFICER_ASSIGNED,
        retrieval_pb2.RetrievalOfficerAssigned(
            order_id=order.id, officer_post=officer, paired_post=paired
        ),
    )
    return retrieval_pb2.AssignOfficerResponse(order=encode_order(order))


def record_step(
    desk: Desk, request: retrieval_pb2.RecordStepRequest
) -> retrieval_pb2.RecordStepResponse:
    """RetrievalService.RecordStep 四步法, in the order of art. 8 (M08)."""
    order = _ordered(desk, request.order_id)
    if not request.HasField("step"):
        raise fields.missing("step")
    step = decode_step(request.step)
    if step.date > desk.today:
        raise fields.invalid("step.date", "The day of the act lies ahead.", "Record it after.")
    report = fields.text(request.report, "report", 4000)
    order = order.record_step(step, desk.now)
    desk.work.orders.put(desk.org, order)
    state_fact(
        desk,
        FactKind.RETRIEVAL_STEP_RECORDED,
        retrieval_pb2.RetrievalStepRecorded(order_id=order.id, step=encode_step(step)),
        _order_matter(desk, order),
        parts=narrative_part(desk, report),
        basis=(step.legal_basis,) if step.legal_basis else (),
    )
    return retrieval_pb2.RecordStepResponse(order=encode_order(order))


def _held(desk: Desk, case_id: str, version: int) -> DropoutCase:
    """Return a case that the actor holds, free of an open offer, at the version it has seen."""
    case = desk.work.cases.require(desk.org, fields.uuid(case_id, "case_id"))
    case.require_holder(desk.org)
    case.require_no_offer()
    case.require_version(version)
    return case


def _township(desk: Desk, text: str) -> OrgId:
    township = fields.organisation(text, "township")
    if township.role is not Role.TWN:
        raise fields.invalid("township", f"{township} is no township.", "Name a township.")
    desk.require_current(township.division, "township")
    # art. 8: an order never crosses a county line; counties after lineage (B18).
    require_same_county(
        desk.org, desk.county_of(desk.org.division), desk.county_of(township.division)
    )
    desk.organisation(township, "township")
    return township


def _order_no(desk: Desk) -> str:
    mark = desk.organisation(desk.org, "issuer").letter_mark.removesuffix("函")
    year = desk.today.year
    return f"{mark}劝〔{year}〕{desk.work.counters.next(desk.org, f'order {year}')}号"


def _ordered(desk: Desk, order_id: str) -> RetrievalOrder:
    """Return an order addressed to the acting township."""
    order = desk.work.orders.require(desk.org, fields.uuid(order_id, "order_id"))
    if order.township != desk.org:
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            "Only the township under order carries it out.",
            "The issuer sees every step as a signed event.",
        )
    return order


def _post(text: str, field: str, *, required: bool = False) -> str:
    post = fields.text(text, field, 40, required=required)
    if post and post not in Post.__members__:
        raise fields.invalid(
            field, "This is no post.", f"Choose one of: {', '.join(Post.__members__)}."
        )
    return post


def _order_matter(desk: Desk, order: RetrievalOrder) -> Matter:
    case = desk.work.cases.get(desk.org, order.case_id)
    return Matter(cases=(case,) if case else (), order=order)


def _put_and_state(
    desk: Desk,
    order: RetrievalOrder,
    kind: FactKind,
    body: retrieval_pb2.RetrievalOrderAcknowledged | retrieval_pb2.RetrievalOfficerAssigned,
) -> None:
    desk.work.orders.put(desk.org, order)
    state_fact(desk, kind, body, _order_matter(desk, order))
