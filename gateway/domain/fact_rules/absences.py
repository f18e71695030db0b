"""What schools and the platform state before a case exists, and its opening (art. 4, 7)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.ABSENCE_REPORTED: FactRule(
        by(_R.SCH), (_P.ENROLMENT_EDU, _P.ENROLMENT_TOWNSHIP, _P.PLATFORM),
        articles=(LAW + "4", LAW + "7"), zh="三天以上无正当理由未到校报告"),
    FactKind.PLATFORM_ENTRY_RECORDED: FactRule(
        by(_R.RRB), (_P.NAMED,), articles=(LAW + "4", LAW + "5.16"), zh="政府救助平台已登记录入"),
    FactKind.SUSPECTED_DROPOUT_SUBMITTED: FactRule(
        by(_R.SCH), (_P.NAMED,), articles=(LAW + "7",), zh="校长提交疑似辍学"),
}  # fmt: skip
