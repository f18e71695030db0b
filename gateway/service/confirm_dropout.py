"""The education bureau confirms or refutes a suspected dropout (art. 7, 8).

The regulation does not say when 疑似辍学 becomes 辍学; the bureau decides and states its criteria. With
the confirmation the case gets its first title: from then on exactly one organisation holds it.
"""

from dataclasses import replace

from gateway.codec import cases, fields
from gateway.domain.cases import CaseTrigger
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Role
from gateway.domain.titles import first_title
from gateway.service.desk import Desk
from gateway.service.parties import Matter, agency_of
from gateway.service.request_hukou import ask_hukou
from gateway.service.state_fact import state_fact
from gateway.service.titles import make_title
from gateway.v1 import case_pb2


def confirm_dropout(
    desk: Desk, request: case_pb2.ConfirmDropoutRequest
) -> case_pb2.ConfirmDropoutResponse:
    """CaseService.ConfirmDropout."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_version(request.version)
    criteria = fields.text(request.criteria, "criteria", 400, required=True)
    case = case.moved(CaseTrigger.CONFIRM, desk.now)
    event_id = desk.tools.ids.new()
    title = make_title(desk, first_title(case.id, desk.org, event_id))
    case = replace(
        case, holder=desk.org, title=title.ref, responsible=desk.org, responsible_since=event_id
    )
    subject = desk.work.subjects.require(desk.org, case.subject_id)
    if subject.current_hukou is not None:
        case = replace(case, hukou_county=subject.current_hukou.county)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.DROPOUT_CONFIRMED,
        case_pb2.DropoutConfirmed(criteria=criteria, title=cases.encode_title_ref(title.ref)),
        Matter(cases=(case,)),
        event_id=event_id,
    )
    query_id = ""
    if subject.current_hukou is None and agency_of(desk, Role.PSB) is not None:
        query_id = ask_hukou(desk, case)  # art. 5.9: only public security knows
    return case_pb2.ConfirmDropoutResponse(
        case=cases.encode_case(case, desk.org), hukou_query_id=query_id
    )


def refute_dropout(
    desk: Desk, request: case_pb2.RefuteDropoutRequest
) -> case_pb2.RefuteDropoutResponse:
    """CaseService.RefuteDropout."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_version(request.version)
    reason = fields.text(request.reason, "reason", 400, required=True)
    case = case.moved(CaseTrigger.REFUTE, desk.now)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.DROPOUT_REFUTED,
        case_pb2.DropoutRefuted(reason=reason),
        Matter(cases=(case,)),
    )
    return case_pb2.RefuteDropoutResponse(case=cases.encode_case(case, desk.org))
