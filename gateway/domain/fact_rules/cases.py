"""The bureau's finding, whereabouts and who is responsible (art. 7, 8)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.DROPOUT_CONFIRMED: FactRule(
        by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(LAW + "7", LAW + "8"),
        zh="确认辍学"),
    FactKind.DROPOUT_REFUTED: FactRule(
        by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(LAW + "7",), zh="排除辍学"),
    FactKind.WHEREABOUTS_RECORDED: FactRule(
        by(_R.SCH, _R.TWN, _R.EDU, _R.PSB), (_P.HOLDER, _P.SCHOOL, _P.FORMER_HOLDERS),
        articles=(LAW + "7",), zh="记录学生去向"),
    FactKind.JURISDICTION_DETERMINED: FactRule(
        by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), authority=True, articles=(LAW + "8",),
        zh="确定劝返责任县区"),
}  # fmt: skip
