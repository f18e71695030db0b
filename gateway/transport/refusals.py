"""From a refusal to a gRPC status with google.rpc details, and to the record of a stream."""

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from gateway.codec import enums
from gateway.domain.errors import Reason, Refusal
from gateway.transport.status_table import STATUS
from gateway.v1.error_pb2 import RefusedRecord

DOMAIN = "dropout-gateway"
"""Domain of the reasons in google.rpc.ErrorInfo."""

_RETRY_SECONDS = 2
_PRECONDITIONS = {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED}

FAULT = Refusal(
    Reason.INTERNAL,
    "The gateway failed on this request.",
    "Try again; if it fails again, report the time and the method to the node's operator.",
)
"""What a caller sees of a fault of ours: nothing of its inside."""

NO_STORE = Refusal(
    Reason.STORE_UNAVAILABLE,
    "The gateway's store takes nothing just now.",
    "Try again shortly with the same request_id; nothing is done twice.",
)
"""What a caller sees when the store's disk is full or read-only, or its database is away."""


def status_of(refusal: Refusal) -> grpc.Status:
    """Return the status: code, message, and details (ErrorInfo with reason, advice and facts).

    The message begins with the reason too: generic clients do not decode the details.
    """
    code = STATUS[refusal.reason]
    info = error_details_pb2.ErrorInfo(
        reason=refusal.reason.value,
        domain=DOMAIN,
        metadata={**refusal.metadata, "advice": refusal.advice},
    )
    details: list[Message] = [info]
    wire = status_pb2.Status(
        code=getattr(code_pb2, code.name),
        message=f"{refusal.reason}: {refusal.message} {refusal.advice}",
    )
    if refusal.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=refusal.field, description=refusal.message, reason=refusal.reason.value
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if code in _PRECONDITIONS:
        failed = error_details_pb2.PreconditionFailure.Violation(
            type=refusal.reason.value, description=refusal.message
        )
        details.append(error_details_pb2.PreconditionFailure(violations=[failed]))
    if code is grpc.StatusCode.UNAVAILABLE:
        pause = Duration(seconds=_RETRY_SECONDS)
        details.append(error_details_pb2.RetryInfo(retry_delay=pause))
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        wire.details.append(packed)
    return rpc_status.to_status(wire)


def record_of(refusal: Refusal) -> RefusedRecord:
    """Return the refusal of one record of a stream."""
    return RefusedRecord(
        reason=enums.wire(refusal.reason),
        message=refusal.message,
        advice=refusal.advice,
        metadata=refusal.metadata,
        field=refusal.field,
    )
