"""Enums of the contract and of the domain have the same names; this table ties them together."""

from enum import Enum, StrEnum
from functools import cache
from typing import Any, TypeVar

from gateway.domain import (
    absences,
    cases,
    dead_letters,
    errors,
    exchanges,
    facts,
    four_steps,
    jurisdiction,
    keys,
    letters,
    orders,
    placements,
    recovery,
    school_days,
    subjects,
    titles,
    visibility,
)
from gateway.domain.division_codes import Level
from gateway.domain.errors import Reason, Refusal
from gateway.v1 import (
    absence_pb2,
    agency_pb2,
    case_pb2,
    delivery_pb2,
    directory_pb2,
    division_pb2,
    error_pb2,
    event_pb2,
    jurisdiction_pb2,
    letter_pb2,
    placement_pb2,
    recovery_pb2,
    retrieval_pb2,
    subject_pb2,
    title_pb2,
)

E = TypeVar("E", bound=StrEnum)

TABLE: dict[type[Any], tuple[Any, str]] = {
    absences.AbsenceState: (absence_pb2.AbsenceState, "ABSENCE_STATE_"),
    cases.CaseState: (case_pb2.CaseState, "CASE_STATE_"),
    cases.DropoutReason: (absence_pb2.DropoutReason, "DROPOUT_REASON_"),
    cases.WhereaboutsKind: (case_pb2.WhereaboutsKind, "WHEREABOUTS_KIND_"),
    dead_letters.DeadLetterKind: (delivery_pb2.DeadLetterKind, "DEAD_LETTER_KIND_"),
    dead_letters.DeadLetterState: (delivery_pb2.DeadLetterState, "DEAD_LETTER_STATE_"),
    dead_letters.DiscardReason: (delivery_pb2.DiscardReason, "DISCARD_REASON_"),
    errors.Reason: (error_pb2.ErrorReason, "ERROR_REASON_"),
    exchanges.ExchangeState: (agency_pb2.ExchangeState, "EXCHANGE_STATE_"),
    facts.FactKind: (event_pb2.EventType, "EVENT_TYPE_"),
    visibility.PartKind: (event_pb2.PartKind, "PART_KIND_"),
    four_steps.Respondent: (retrieval_pb2.Respondent, "RESPONDENT_"),
    four_steps.RetrievalStep: (retrieval_pb2.RetrievalStep, "RETRIEVAL_STEP_"),
    four_steps.ServiceMethod: (retrieval_pb2.ServiceMethod, "SERVICE_METHOD_"),
    four_steps.StepOutcome: (retrieval_pb2.StepOutcome, "STEP_OUTCOME_"),
    jurisdiction.LetterKind: (jurisdiction_pb2.LetterKind, "LETTER_KIND_"),
    Level: (division_pb2.DivisionLevel, "DIVISION_LEVEL_"),
    keys.KeyAlgorithm: (directory_pb2.KeyAlgorithm, "KEY_ALGORITHM_"),
    keys.KeyPurpose: (directory_pb2.KeyPurpose, "KEY_PURPOSE_"),
    letters.LetterState: (letter_pb2.LetterState, "LETTER_STATE_"),
    letters.LineState: (letter_pb2.LineState, "LINE_STATE_"),
    letters.ReturnReason: (letter_pb2.ReturnReason, "RETURN_REASON_"),
    letters.Urgency: (letter_pb2.Urgency, "URGENCY_"),
    orders.OrderState: (retrieval_pb2.OrderState, "ORDER_STATE_"),
    placements.PlacementKind: (placement_pb2.PlacementKind, "PLACEMENT_KIND_"),
    placements.PlacementState: (placement_pb2.PlacementState, "PLACEMENT_STATE_"),
    recovery.PeerState: (recovery_pb2.RecoveryPeerState, "RECOVERY_PEER_STATE_"),
    recovery.RecoveryCause: (recovery_pb2.RecoveryCause, "RECOVERY_CAUSE_"),
    recovery.WaiverReason: (recovery_pb2.WaiverReason, "WAIVER_REASON_"),
    school_days.AbsenceKind: (absence_pb2.AbsenceKind, "ABSENCE_KIND_"),
    subjects.HukouFinding: (subject_pb2.HukouFinding, "HUKOU_FINDING_"),
    subjects.Sex: (subject_pb2.Sex, "SEX_"),
    titles.TitleCause: (title_pb2.TitleCause, "TITLE_CAUSE_"),
}
"""Domain enum -> (enum of the contract, prefix of its values)."""


@cache
def _numbers(kind: type[Enum]) -> dict[Any, int]:
    """Return the contract's value of each member."""
    enum, prefix = TABLE[kind]
    return {member: enum.Value(prefix + member.name) for member in kind}


@cache
def _members(kind: type[Enum]) -> dict[int, Any]:
    """Return the member of each value of the contract."""
    return {number: member for member, number in _numbers(kind).items()}


def wire(member: Enum | None) -> Any:
    """Return the contract's value of a domain member; 0 (unspecified) for None."""
    return 0 if member is None else _numbers(type(member))[member]


def maybe(kind: type[E], value: int) -> E | None:
    """Return the domain member of a contract value; None for unspecified or unknown."""
    return _members(kind).get(value)


def optional(kind: type[E], value: int, field: str) -> E | None:
    """Return the domain member, None for unspecified. Raises Refusal(INVALID_FIELD) for unknown."""
    return required(kind, value, field) if value else None


def required(kind: type[E], value: int, field: str) -> E:
    """Return the domain member. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    member = maybe(kind, value)
    if member is None:
        _, prefix = TABLE[kind]
        names = ", ".join(prefix + name for name in kind.__members__)
        raise Refusal(
            Reason.INVALID_FIELD if value else Reason.MISSING_FIELD,
            f"{field} must be one of the values of its enum.",
            f"Choose one of: {names}.",
            field=field,
        )
    return member
