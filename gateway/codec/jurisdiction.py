"""Jurisdiction decisions on the wire."""

from datetime import datetime

from gateway.codec import enums, fields
from gateway.domain.cases import WhereaboutsKind
from gateway.domain.jurisdiction import Decision, Facts
from gateway.v1 import jurisdiction_pb2


def decode_facts(wire: jurisdiction_pb2.JurisdictionFacts) -> Facts:
    """Decode facts given for trying out. Raises Refusal(MISSING_FIELD)."""
    return Facts(
        enrolment=fields.digits(wire.enrolment_county, "facts.enrolment_county", 6),
        hukou=fields.digits(wire.hukou_county, "facts.hukou_county", 6),
        whereabouts=enums.required(
            WhereaboutsKind, wire.whereabouts_kind, "facts.whereabouts_kind"
        ),
        location=fields.digits(wire.location, "facts.location", 6),
        foreign_national=wire.foreign_national,
        no_hukou=wire.no_hukou,
        disputed=wire.disputed,
        hukou_changed=wire.hukou_changed,
        enrolment_changed=wire.enrolment_changed,
        branch_school=wire.branch_school,
        no_township=wire.no_township,
    )


def encode_decision(
    decision: Decision, decided_at: datetime | None
) -> jurisdiction_pb2.JurisdictionDecision:
    """Encode a decision; `decided_at` is None for a dry run."""
    facts = decision.facts
    return jurisdiction_pb2.JurisdictionDecision(
        row=decision.row,
        rule_version=decision.rule_version,
        law=decision.law,
        basis=decision.basis,
        responsible=str(decision.responsible or ""),
        letters_due=[
            jurisdiction_pb2.LetterDue(
                kind=enums.wire(due.kind),
                sender=str(due.sender),
                recipient=str(due.recipient or ""),
            )
            for due in decision.letters
        ],
        needs_decision=decision.needs_decision,
        explanation=decision.explanation,
        explanation_zh=decision.explanation_zh,
        facts=jurisdiction_pb2.JurisdictionFacts(
            enrolment_county=facts.enrolment,
            hukou_county=facts.hukou,
            whereabouts_kind=enums.wire(facts.whereabouts),
            location=facts.location,
            foreign_national=facts.foreign_national,
            no_hukou=facts.no_hukou,
            disputed=facts.disputed,
            hukou_changed=facts.hukou_changed,
            enrolment_changed=facts.enrolment_changed,
            branch_school=facts.branch_school,
            no_township=facts.no_township,
        ),
        decided_at=fields.timestamp(decided_at),
    )
