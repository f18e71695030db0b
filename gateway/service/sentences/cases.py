"""Sentences on the bureau's findings, whereabouts and jurisdiction; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import case_pb2


def _whereabouts(body: Any) -> Pair:
    kind = short(case_pb2.WhereaboutsKind, body.whereabouts.kind, "WHEREABOUTS_KIND_")
    place = body.whereabouts.division
    return f"Whereabouts: {kind} {place}".rstrip(), f"去向：{kind} {place}".rstrip()


def _decision(body: Any) -> Pair:
    decision = body.decision
    return (
        f"Row {decision.row}: {decision.responsible} is responsible",
        f"{decision.row}：由 {decision.responsible} 负责劝返",
    )


SENTENCES: Sentences = {
    "dropout_confirmed": lambda b: (
        f"Dropout confirmed; {b.title.holder} holds the case",
        f"确认辍学，由 {b.title.holder} 持有",
    ),
    "dropout_refuted": lambda _: ("No dropout", "排除辍学"),
    "whereabouts_recorded": _whereabouts,
    "jurisdiction_determined": _decision,
}
