"""Facts about retrieval orders and placements."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.domain.four_steps import RetrievalStep, ServiceMethod, StepOutcome, StepRecord
from gateway.domain.orders import OrderState, OrderTrigger, RetrievalOrder, require_same_county
from gateway.domain.organisations import OrgId

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
ISSUER, TOWNSHIP = OrgId.parse("530627/edu"), OrgId.parse("530627001/twn")
ORDER = RetrievalOrder(
    "order",
    "镇教劝〔2026〕1号",
    "case",
    "child",
    ISSUER,
    TOWNSHIP,
    OrderState.ACKNOWLEDGED,
    NOW,
    NOW,
)
STEPS = (
    RetrievalStep.EDUCATION,
    RetrievalStep.ORDER_TO_CORRECT,
    RetrievalStep.ADMIN_PENALTY,
    RetrievalStep.APPLY_ENFORCEMENT,
)


def step(kind: RetrievalStep, outcome: StepOutcome = StepOutcome.INEFFECTIVE) -> StepRecord:
    """Return a complete step."""
    return StepRecord(kind, outcome, date(2026, 11, 23), ServiceMethod.LEFT, "1号", "条例 art. 1")


def test_an_order_is_exhausted_with_the_fourth_step() -> None:
    """Three steps without effect leave it in progress, the fourth exhausts it, in one version."""
    order = ORDER
    for kind in STEPS[:3]:
        order = order.record_step(step(kind), NOW)
        assert order.state is OrderState.IN_PROGRESS
    last = order.record_step(step(STEPS[3]), NOW)
    assert (last.state, last.version) == (OrderState.EXHAUSTED, order.version + 1)
    with pytest.raises(Refusal) as caught:
        last.record_step(step(STEPS[3]), NOW)
    assert caught.value.reason in {Reason.ILLEGAL_TRANSITION, Reason.STEP_OUT_OF_ORDER}


def test_an_order_takes_steps_only_after_it_was_acknowledged() -> None:
    """The township acknowledges first; a refused step changes nothing."""
    fresh = replace(ORDER, state=OrderState.ISSUED)
    with pytest.raises(Refusal) as caught:
        fresh.record_step(step(RetrievalStep.EDUCATION), NOW)
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION
    assert not fresh.ladder.steps


def test_assigning_again_keeps_the_progress() -> None:
    """A new officer in charge does not set the order back."""
    at_work = ORDER.record_step(step(RetrievalStep.EDUCATION), NOW)
    again = at_work.moved(OrderTrigger.ASSIGN, NOW, officer_post="TOWNSHIP_OFFICER")
    assert (again.state, again.officer_post) == (OrderState.IN_PROGRESS, "TOWNSHIP_OFFICER")
    assert again.ladder == at_work.ladder


def test_an_order_never_crosses_the_county_line() -> None:
    """Art. 8: a bureau orders the townships of its own county alone."""
    require_same_county(ISSUER, "530627", "530627")
    with pytest.raises(Refusal) as caught:
        require_same_county(ISSUER, "530627", "530681")
    assert caught.value.reason is Reason.CROSS_COUNTY_ORDER
    assert caught.value.metadata == {"county": "530681"}
