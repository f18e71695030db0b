"""Retrieval orders and their steps on the wire."""

from datetime import datetime

from gateway.codec import enums, fields
from gateway.domain.four_steps import (
    Respondent,
    RetrievalStep,
    ServiceMethod,
    StepOutcome,
    StepRecord,
)
from gateway.domain.orders import OrderState, RetrievalOrder
from gateway.v1 import retrieval_pb2

_SHA256_BYTES = 32


def encode_step(step: StepRecord) -> retrieval_pb2.StepRecord:
    """Encode a step."""
    return retrieval_pb2.StepRecord(
        step=enums.wire(step.step),
        outcome=enums.wire(step.outcome),
        date=step.date.isoformat(),
        service=enums.wire(step.service),
        document_no=step.document_no,
        legal_basis=step.legal_basis,
        respondent=enums.wire(step.respondent),
        evidence_hash=bytes.fromhex(step.evidence_hash),
    )


def decode_step(wire: retrieval_pb2.StepRecord) -> StepRecord:
    """Decode a step. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    if wire.evidence_hash and len(wire.evidence_hash) != _SHA256_BYTES:
        raise fields.invalid(
            "step.evidence_hash", "The hash has not 32 bytes.", "Send the SHA-256 of the file."
        )
    return StepRecord(
        step=enums.required(RetrievalStep, wire.step, "step.step"),
        outcome=enums.required(StepOutcome, wire.outcome, "step.outcome"),
        date=fields.day(wire.date, "step.date"),
        service=enums.optional(ServiceMethod, wire.service, "step.service"),
        document_no=fields.text(wire.document_no, "step.document_no", 60),
        legal_basis=fields.text(wire.legal_basis, "step.legal_basis", 200),
        respondent=(
            enums.optional(Respondent, wire.respondent, "step.respondent") or Respondent.GUARDIAN
        ),
        evidence_hash=wire.evidence_hash.hex(),
    )


def encode_order(order: RetrievalOrder) -> retrieval_pb2.RetrievalOrder:
    """Encode an order as its organisation sees it."""
    return retrieval_pb2.RetrievalOrder(
        order_id=order.id,
        order_no=order.order_no,
        case_id=order.case_id,
        subject_id=order.subject_id,
        issuer=str(order.issuer),
        township=str(order.township),
        state=enums.wire(order.state),
        steps=[encode_step(step) for step in order.ladder.steps],
        next_step=enums.wire(order.ladder.next_step()),
        officer_post=order.officer_post,
        paired_post=order.paired_post,
        platform_entry_no=order.platform_entry_no,
        version=order.version,
        issued_at=fields.timestamp(order.issued_at),
        changed_at=fields.timestamp(order.changed_at),
    )


def encode_issued(order: RetrievalOrder) -> retrieval_pb2.RetrievalOrder:
    """Encode the order as it is signed and sent."""
    return retrieval_pb2.RetrievalOrder(
        order_id=order.id,
        order_no=order.order_no,
        case_id=order.case_id,
        subject_id=order.subject_id,
        issuer=str(order.issuer),
        township=str(order.township),
        issued_at=fields.timestamp(order.issued_at),
    )


def decode_issued(wire: retrieval_pb2.RetrievalOrder, now: datetime) -> RetrievalOrder:
    """Decode an order that arrived, as the receiver's own record of it. Raises Refusal."""
    return RetrievalOrder(
        id=fields.uuid(wire.order_id, "order_id"),
        order_no=fields.text(wire.order_no, "order_no", 60, required=True),
        case_id=fields.uuid(wire.case_id, "case_id"),
        subject_id=fields.uuid(wire.subject_id, "subject_id"),
        issuer=fields.organisation(wire.issuer, "issuer"),
        township=fields.organisation(wire.township, "township"),
        state=OrderState.ISSUED,
        issued_at=fields.moment(wire.issued_at, "issued_at"),
        changed_at=now,
    )
