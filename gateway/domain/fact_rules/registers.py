"""What the registers of households and enrolment state (art. 5.9, 7)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.HUKOU_QUERIED: FactRule(
        by(_R.EDU), (_P.PUBLIC_SECURITY,), articles=(LAW + "5.9",), zh="请公安核查户籍"),
    FactKind.HUKOU_ASSERTED: FactRule(
        by(_R.PSB), (_P.NAMED,), articles=(LAW + "5.9",), zh="公安反馈户籍"),
    FactKind.ENROLMENT_ASSERTED: FactRule(
        by(_R.SCH, _R.EDU), (_P.ENROLMENT_EDU,), articles=(LAW + "7",), zh="学籍登记"),
}  # fmt: skip
