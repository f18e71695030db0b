"""Retrieval orders and the four steps (art. 8)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.RETRIEVAL_BODY_CONFIRMED: FactRule(
        by(_R.EDU), (_P.PLATFORM, _P.FORMER_HOLDERS), authority=True, articles=(LAW + "8",),
        zh="确认劝返主体"),
    FactKind.RETRIEVAL_ORDER_ISSUED: FactRule(
        by(_R.EDU), (_P.ORDER_TOWNSHIP, _P.PLATFORM, _P.FORMER_HOLDERS), authority=True,
        articles=(LAW + "8",), zh="下发劝返指令"),
    FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED: FactRule(
        by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS,), articles=(LAW + "8",),
        zh="乡镇签收劝返指令"),
    FactKind.RETRIEVAL_OFFICER_ASSIGNED: FactRule(
        by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS,), articles=(LAW + "5.3",),
        zh="落实结对包保责任人"),
    FactKind.RETRIEVAL_STEP_RECORDED: FactRule(
        by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS, _P.PLATFORM), articles=(LAW + "8",),
        zh="四步法劝返记录"),
    FactKind.RETRIEVAL_ORDER_FULFILLED: FactRule(
        by(_R.EDU), (_P.ORDER_TOWNSHIP, _P.FORMER_HOLDERS), articles=(LAW + "8",),
        zh="劝返指令办结"),
}  # fmt: skip
