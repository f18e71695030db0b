"""Determining who is responsible (art. 8): the table applied to a case or to given facts."""

from dataclasses import replace

from gateway.codec import cases, fields, jurisdiction
from gateway.domain.cases import CaseTrigger, DropoutCase
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import Decision, Facts, LetterKind, evaluate, location_of
from gateway.domain.organisations import OrgId
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.state_fact import state_fact
from gateway.v1 import jurisdiction_pb2


def evaluate_jurisdiction(
    desk: Desk, request: jurisdiction_pb2.EvaluateRequest
) -> jurisdiction_pb2.EvaluateResponse:
    """JurisdictionService.Evaluate: a dry run."""
    if request.WhichOneof("input") == "case_id":
        case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
        decision = decide(desk, case)
    elif request.HasField("facts"):
        facts = jurisdiction.decode_facts(request.facts)
        for name, code in (
            ("facts.enrolment_county", facts.enrolment),
            ("facts.hukou_county", facts.hukou),
            ("facts.location", facts.location),
        ):
            if code.startswith("53"):
                desk.require_current(code, name)
        implied = location_of(facts.whereabouts, facts.location, facts.enrolment, facts.hukou)
        decision = evaluate(replace(facts, location=implied))
    else:
        raise fields.missing("input")
    return jurisdiction_pb2.EvaluateResponse(decision=jurisdiction.encode_decision(decision, None))


def determine_jurisdiction(
    desk: Desk, request: jurisdiction_pb2.DetermineRequest
) -> jurisdiction_pb2.DetermineResponse:
    """JurisdictionService.Determine."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    case.require_holder(desk.org)
    case.require_version(request.version)
    case.require_no_offer()
    decision = decide(desk, case)
    if decision.needs_decision or decision.responsible is None:
        raise Refusal(
            Reason.NEEDS_DECISION,
            f"Row {decision.row}: {decision.explanation}",
            "The holder keeps the case; a person or the superior must decide it.",
            row=decision.row,
            holder=str(desk.org),
        )
    own = decision.responsible == desk.org
    if not own and not _can_hand_over(decision, desk.org):
        raise Refusal(
            Reason.NEEDS_DECISION,
            f"Row {decision.row}: {decision.responsible} would be responsible, and no letter "
            "leads there from the present holder.",
            "The holder keeps the case until its superior decides.",
            row=decision.row,
            holder=str(desk.org),
        )
    trigger = CaseTrigger.DETERMINE_SELF if own else CaseTrigger.DETERMINE_OTHER
    event_id = desk.tools.ids.new()
    case = replace(
        case.moved(trigger, desk.now),
        jurisdiction_row=decision.row,
        responsible=decision.responsible,
        responsible_since=event_id,
    )
    desk.work.cases.put(desk.org, case)
    wire = jurisdiction.encode_decision(decision, desk.now)
    state_fact(
        desk,
        FactKind.JURISDICTION_DETERMINED,
        jurisdiction_pb2.JurisdictionDetermined(decision=wire),
        Matter(cases=(case,)),
        event_id=event_id,
        basis=decision.basis,
    )
    return jurisdiction_pb2.DetermineResponse(decision=wire, case=cases.encode_case(case, desk.org))


def _can_hand_over(decision: Decision, holder: OrgId) -> bool:
    """Whether the decision asks the present holder for the letter that moves the case."""
    return any(
        due.kind is LetterKind.HANDOVER
        and due.sender == holder
        and due.recipient == decision.responsible
        for due in decision.letters
    )


def decide(desk: Desk, case: DropoutCase) -> Decision:
    """Apply the table to what is known of the case, codes brought up to date (lineage, B18).

    Raises Refusal: HUKOU_UNKNOWN before public security has answered, WHEREABOUTS_UNKNOWN before
    whereabouts (even unknown ones) are recorded.
    """
    subject = desk.work.subjects.get(desk.org, case.subject_id)
    answered = subject is not None and subject.current_hukou is not None
    if not answered and not case.hukou_county:
        raise Refusal(
            Reason.HUKOU_UNKNOWN,
            "Public security has not answered where the household is registered.",
            "Wait for its answer, ask again with RequestHukou, or record it with AssertHukou.",
        )
    if case.whereabouts is None:
        raise Refusal(
            Reason.WHEREABOUTS_UNKNOWN,
            "Nobody has recorded where the child is.",
            "Record the whereabouts first; WHEREABOUTS_KIND_UNKNOWN is an answer too.",
        )
    enrolment = desk.county_of(case.enrolment_county)
    hukou = case.hukou_county
    if hukou.startswith("53"):
        hukou = desk.county_of(hukou)
    location = location_of(case.whereabouts.kind, case.whereabouts.division, enrolment, hukou)
    left_home = case.holder is not None and case.holder.division != enrolment
    enrolled = subject.current_enrolment if subject else None
    facts = Facts(
        enrolment,
        hukou,
        case.whereabouts.kind,
        location,
        hukou_changed=left_home and bool(hukou) and hukou != str(desk.org.division),
        enrolment_changed=enrolled is not None and enrolled.county != case.enrolment_county,
    )
    return evaluate(facts)
