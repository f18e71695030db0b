"""Sentences on retrieval; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import retrieval_pb2


def _step(body: Any) -> Pair:
    step = short(retrieval_pb2.RetrievalStep, body.step.step, "RETRIEVAL_STEP_")
    outcome = short(retrieval_pb2.StepOutcome, body.step.outcome, "STEP_OUTCOME_")
    return f"Step {step}: {outcome}", f"四步法 {step}：{outcome}"


SENTENCES: Sentences = {
    "retrieval_body_confirmed": lambda b: (
        f"Retrieval body: {b.body}",
        f"劝返主体：{b.body}",
    ),
    "retrieval_order_issued": lambda b: (
        f"Order {b.order.order_no} to {b.order.township}",
        f"劝返指令 {b.order.order_no} 下发 {b.order.township}",
    ),
    "retrieval_order_acknowledged": lambda _: ("Order acknowledged", "已签收指令"),
    "retrieval_officer_assigned": lambda b: (
        f"In charge: {b.officer_post}",
        f"包保责任人：{b.officer_post}",
    ),
    "retrieval_step_recorded": _step,
    "retrieval_order_fulfilled": lambda _: ("Order fulfilled", "指令办结"),
}
