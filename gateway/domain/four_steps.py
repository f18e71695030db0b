"""The four-step procedure 四步法 (art. 8; A.6): its order and its guards.

宣传教育 -> 责令改正 -> 行政处罚 -> 申请强制执行 or 提起诉讼. A step is due only when the one before was
served and had no effect. The respondent is the guardian, never the child.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.errors import Reason, Refusal


class RetrievalStep(StrEnum):
    """The steps; the fourth has two branches."""

    EDUCATION = "EDUCATION"
    ORDER_TO_CORRECT = "ORDER_TO_CORRECT"
    ADMIN_PENALTY = "ADMIN_PENALTY"
    APPLY_ENFORCEMENT = "APPLY_ENFORCEMENT"
    FILE_SUIT = "FILE_SUIT"


class StepOutcome(StrEnum):
    """What a step led to."""

    STARTED = "STARTED"
    SERVED = "SERVED"
    EFFECTIVE = "EFFECTIVE"
    INEFFECTIVE = "INEFFECTIVE"


class Respondent(StrEnum):
    """Against whom a step is directed."""

    GUARDIAN = "GUARDIAN"
    CHILD = "CHILD"


class ServiceMethod(StrEnum):
    """How a document was served."""

    IN_PERSON = "IN_PERSON"
    LEFT = "LEFT"
    POST = "POST"
    PUBLIC_NOTICE = "PUBLIC_NOTICE"
    ELECTRONIC = "ELECTRONIC"
    HOME_VISIT = "HOME_VISIT"


RANK: dict[RetrievalStep, int] = {
    RetrievalStep.EDUCATION: 1,
    RetrievalStep.ORDER_TO_CORRECT: 2,
    RetrievalStep.ADMIN_PENALTY: 3,
    RetrievalStep.APPLY_ENFORCEMENT: 4,
    RetrievalStep.FILE_SUIT: 4,
}
"""Place of each step in the order of art. 8."""


@dataclass(frozen=True)
class StepRecord:
    """One recorded step. Field meanings as in retrieval.proto; `evidence_hash` is hex."""

    step: RetrievalStep
    outcome: StepOutcome
    date: date
    service: ServiceMethod | None = None
    document_no: str = ""
    legal_basis: str = ""
    respondent: Respondent = Respondent.GUARDIAN
    evidence_hash: str = ""


@dataclass(frozen=True)
class Ladder:
    """The steps recorded so far, oldest first."""

    steps: tuple[StepRecord, ...] = ()

    @property
    def rank(self) -> int:
        """Rank of the step that may be recorded now, 1-4; 5 when all are exhausted, 0 when over."""
        if not self.steps:
            return 1
        last = self.steps[-1]
        if last.outcome is StepOutcome.EFFECTIVE:
            return 0
        return RANK[last.step] + (last.outcome is StepOutcome.INEFFECTIVE)

    @property
    def exhausted(self) -> bool:
        """Whether the last step was served without effect and none is left."""
        return self.rank > max(RANK.values())

    def next_step(self) -> RetrievalStep | None:
        """Say which step is due, None when none is (of the fourth, its first branch)."""
        return next((step for step, rank in RANK.items() if rank == self.rank), None)

    def record(self, step: StepRecord) -> "Ladder":
        """Return the ladder with the step added.

        Raises Refusal: STEP_OUT_OF_ORDER, MISSING_LEGAL_BASIS, RESPONDENT_NOT_GUARDIAN or
        MISSING_FIELD.
        """
        if step.respondent is Respondent.CHILD:
            # 行政处罚法 art. 30: no penalty for a child under 14; the duty is the guardian's.
            raise Refusal(
                Reason.RESPONDENT_NOT_GUARDIAN,
                "A step of the procedure is directed at the guardian, never at the child.",
                "Record the guardian as respondent.",
                field="step.respondent",
            )
        if RANK[step.step] != self.rank:
            due = self.next_step()
            raise Refusal(
                Reason.STEP_OUT_OF_ORDER,
                f"{step.step} is not due now; {due or 'no further step'} is.",
                "Record the steps in the order of art. 8; the next one is due when the one before "
                "was served without effect.",
                field="step.step",
                due=due or "",
            )
        _check_documents(step)
        return Ladder((*self.steps, step))


def _check_documents(step: StepRecord) -> None:
    rank = RANK[step.step]
    if rank == RANK[RetrievalStep.ADMIN_PENALTY] and not step.legal_basis:
        # 义务教育法 art. 58 itself gives no penalty: the local rule must be named.
        raise Refusal(
            Reason.MISSING_LEGAL_BASIS,
            "An administrative penalty needs the rule on which it rests.",
            "Name the law or local regulation and its article.",
            field="step.legal_basis",
        )
    if step.outcome is StepOutcome.STARTED:
        return
    if step.service is None:
        raise _missing("step.service", "A step that was served needs the way of service.")
    if rank > 1 and not step.document_no:
        raise _missing("step.document_no", "From the second step on the document number is needed.")


def _missing(field: str, message: str) -> Refusal:
    return Refusal(Reason.MISSING_FIELD, message, f"Fill in {field}.", field=field)
