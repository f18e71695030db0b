"""What went wrong with a call, taken apart: reason, sentence, advice, facts.

A refusal of the gateway comes as `google.rpc` details (ErrorInfo with the reason and the advice,
LocalizedMessage, BadRequest, RetryInfo), a refused record of a stream as RefusedRecord. A call
that found no gateway is told apart, because a script may repeat it.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.cli.reading import name_of_value
from gateway.cli.words import Language
from gateway.v1.error_pb2 import ErrorReason, RefusedRecord

DOMAIN = "dropout-gateway"
REFUSED, UNREACHABLE = 1, 3
"""Exit codes; 2 is wrong usage."""

_NO_ANSWER = {
    grpc.StatusCode.UNAVAILABLE: (
        "UNREACHABLE",
        "Check --target and that the node is up; if it is, check --ca, --cert and --key.",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        "DEADLINE_EXCEEDED",
        "Try again, with a longer --timeout if the network is slow.",
    ),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A refusal or failure, ready to be shown.

    Attributes:
        reason: stable code; the gRPC status where the server gave none.
        message: what is wrong.
        advice: what to do next; may be empty.
        metadata: facts that help to mend it.
        violations: (request field, what is wrong with it).
        retry_seconds: when to try again, if the server says so.
        status: name of the gRPC status; empty for a record of a stream.
        exit_code: REFUSED or UNREACHABLE.
    """

    reason: str
    message: str
    advice: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    violations: tuple[tuple[str, str], ...] = ()
    retry_seconds: float | None = None
    status: str = ""
    exit_code: int = REFUSED

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; what is unknown is left out."""
        record: dict[str, Any] = {"reason": self.reason, "message": self.message}
        record |= {"advice": self.advice, "metadata": self.metadata}
        if self.violations:
            record["field_violations"] = [
                {"field": name, "description": text} for name, text in self.violations
            ]
        if self.retry_seconds is not None:
            record["retry_after_seconds"] = self.retry_seconds
        if self.status:
            record["status"] = self.status
        return record


def trouble_of(error: grpc.RpcError, language: Language) -> Trouble:
    """Take a failed call apart; the sentence comes in `language` where the server has it."""
    code = error.code()
    reason, advice = _NO_ANSWER.get(code, (code.name, ""))
    metadata: dict[str, str] = {}
    message = error.details() or ""
    violations: list[tuple[str, str]] = []
    retry: float | None = None
    for detail in _details(error):
        if isinstance(detail, error_details_pb2.ErrorInfo) and detail.domain == DOMAIN:
            metadata = dict(detail.metadata)
            reason, advice = detail.reason, metadata.pop("advice", "")
        elif isinstance(detail, error_details_pb2.LocalizedMessage):
            if detail.locale.lower().startswith(language):
                message = detail.message
        elif isinstance(detail, error_details_pb2.BadRequest):
            violations += [(one.field, one.description) for one in detail.field_violations]
        elif isinstance(detail, error_details_pb2.RetryInfo):
            retry = detail.retry_delay.ToTimedelta().total_seconds()
    return Trouble(
        reason=reason,
        # Reason and advice have lines of their own.
        message=message.removeprefix(f"{reason}: ").removesuffix(advice).strip(),
        advice=advice,
        metadata=metadata,
        violations=tuple(violations),
        retry_seconds=retry,
        status=code.name,
        exit_code=UNREACHABLE if code in _NO_ANSWER else REFUSED,
    )


def trouble_of_record(record: RefusedRecord) -> Trouble:
    """Take a refused record of a stream apart."""
    return Trouble(
        reason=name_of_value(ErrorReason.DESCRIPTOR, record.reason).removeprefix("ERROR_REASON_"),
        message=record.message,
        advice=record.advice,
        metadata=dict(record.metadata),
        violations=((record.field, ""),) if record.field else (),
    )


_KINDS = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.LocalizedMessage,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
)


def _details(error: grpc.RpcError) -> list[object]:
    """Return the known details of the status; none when it has none or they contradict it."""
    found: list[object] = []
    try:
        status = rpc_status.from_call(cast(grpc.Call, error))
        for packed in status.details if status else ():
            for kind in _KINDS:
                detail = kind()
                if packed.Is(kind.DESCRIPTOR) and packed.Unpack(detail):
                    found.append(detail)
    except (ValueError, DecodeError):
        return []
    return found
