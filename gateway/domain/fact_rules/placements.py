"""The child comes back and is placed (art. 8, 9, 10)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.PLACEMENT_PROPOSED: FactRule(
        by(_R.EDU), (_P.RECEIVING_SCHOOL,), authority=True, articles=(LAW + "9",),
        zh="商请学校接收复学"),
    FactKind.STUDENT_RETURNED: FactRule(
        by(_R.SCH), (_P.HOLDER,), (_P.FORMER_HOLDERS, _P.ORDER_TOWNSHIP, _P.PLATFORM, _P.SCHOOL),
        articles=(LAW + "8", LAW + "9"), zh="学生已返校"),
    FactKind.PLACEMENT_DECIDED: FactRule(
        by(_R.EDU), (_P.RECEIVING_SCHOOL, _P.ORDER_TOWNSHIP, _P.FORMER_HOLDERS), authority=True,
        articles=(LAW + "9",), zh="确定复学安置"),
    FactKind.PLACEMENT_STARTED: FactRule(
        by(_R.SCH), (_P.HOLDER,), (_P.FORMER_HOLDERS, _P.ORDER_TOWNSHIP, _P.SCHOOL),
        articles=(LAW + "9",),
        zh="安置开始，进入巩固观察期"),
}  # fmt: skip
