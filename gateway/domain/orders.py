"""The retrieval order 劝返指令 to a township (art. 8; D.3). It never crosses a county line."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.errors import Reason, Refusal
from gateway.domain.four_steps import Ladder, StepRecord
from gateway.domain.organisations import OrgId
from gateway.domain.transitions import Machine


class OrderState(StrEnum):
    """State of an order."""

    ISSUED = "ISSUED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    FULFILLED = "FULFILLED"
    EXHAUSTED = "EXHAUSTED"
    BLOCKED = "BLOCKED"
    RECALLED = "RECALLED"


class OrderTrigger(StrEnum):
    """What moves an order."""

    ACKNOWLEDGE = "ACKNOWLEDGE"
    ASSIGN = "ASSIGN"
    STEP = "STEP"
    FULFIL = "FULFIL"
    EXHAUST = "EXHAUST"
    BLOCK = "BLOCK"
    RECALL = "RECALL"


_S, _T = OrderState, OrderTrigger
_OPEN = (_S.ISSUED, _S.ACKNOWLEDGED, _S.ASSIGNED, _S.IN_PROGRESS)

MACHINE = Machine(
    "retrieval order",
    {
        (_S.ISSUED, _T.ACKNOWLEDGE): _S.ACKNOWLEDGED,
        (_S.ACKNOWLEDGED, _T.ASSIGN): _S.ASSIGNED,
        (_S.ASSIGNED, _T.ASSIGN): _S.ASSIGNED,
        (_S.IN_PROGRESS, _T.ASSIGN): _S.IN_PROGRESS,
        **{(s, _T.STEP): _S.IN_PROGRESS for s in (_S.ACKNOWLEDGED, _S.ASSIGNED, _S.IN_PROGRESS)},
        (_S.IN_PROGRESS, _T.EXHAUST): _S.EXHAUSTED,
        **{(s, _T.FULFIL): _S.FULFILLED for s in (*_OPEN, _S.EXHAUSTED, _S.BLOCKED)},
        **{(s, _T.BLOCK): _S.BLOCKED for s in _OPEN},
        **{(s, _T.RECALL): _S.RECALLED for s in (*_OPEN, _S.BLOCKED)},
    },
)


@dataclass(frozen=True)
class RetrievalOrder:
    """An order as one organisation sees it. Field meanings as in retrieval.proto."""

    id: str
    order_no: str
    case_id: str
    subject_id: str
    issuer: OrgId
    township: OrgId
    state: OrderState
    issued_at: datetime
    changed_at: datetime
    version: int = 1
    ladder: Ladder = field(default_factory=Ladder)
    officer_post: str = ""
    paired_post: str = ""
    platform_entry_no: str = ""

    def moved(self, trigger: OrderTrigger, now: datetime, **fields: object) -> "RetrievalOrder":
        """Return the order after the trigger. Raises Refusal(ILLEGAL_TRANSITION)."""
        return self.changed(now, state=MACHINE.next(self.state, trigger), **fields)

    def changed(self, now: datetime, **fields: object) -> "RetrievalOrder":
        """Return the order with other field values, as its next version."""
        return replace(self, version=self.version + 1, changed_at=now, **fields)  # type: ignore[arg-type]

    def record_step(self, step: StepRecord, now: datetime) -> "RetrievalOrder":
        """Return the order with the step recorded; EXHAUSTED when the fourth had no effect.

        Raises Refusal as `Ladder.record`, or ILLEGAL_TRANSITION when the order takes no steps.
        """
        moved = self.moved(OrderTrigger.STEP, now, ladder=self.ladder.record(step))
        if moved.ladder.exhausted:
            return replace(moved, state=MACHINE.next(moved.state, OrderTrigger.EXHAUST))
        return moved


def require_same_county(issuer: OrgId, issuer_county: str, township_county: str) -> None:
    """Raise Refusal(CROSS_COUNTY_ORDER) unless township and issuer lie in one county (art. 8).

    Counties are current codes: lineage is applied before (a township may carry an older prefix).
    """
    if issuer_county != township_county:
        raise Refusal(
            Reason.CROSS_COUNTY_ORDER,
            f"{issuer} cannot order a township of county {township_county}.",
            "An order goes to a township of one's own county; write a letter to the other county.",
            field="township",
            county=township_county,
        )
