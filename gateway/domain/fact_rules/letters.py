"""Letters and the passing of the title (art. 7, 8)."""

from collections.abc import Mapping

from gateway.domain.fact_kinds import LAW, FactKind, FactRule, Party, by
from gateway.domain.organisations import Role

_P, _R = Party, Role

RULES: Mapping[FactKind, FactRule] = {
    FactKind.LETTER_DISPATCHED: FactRule(
        by(_R.EDU), (_P.NAMED,), authority=True, articles=(LAW + "7", LAW + "8"), zh="函已发出"),
    FactKind.LETTER_REGISTERED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "8",), zh="收文登记"),
    FactKind.LETTER_LINES_ACCEPTED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "8",), zh="接收劝返移交"),
    FactKind.LETTER_LINES_RETURNED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "8",), zh="退回来函"),
    FactKind.LETTER_NOTED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "7",), zh="告知函阅知"),
    FactKind.LETTER_RETRACTED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "8",), zh="撤回发函"),
    FactKind.TITLE_GRANTED: FactRule(
        by(_R.EDU), (_P.NAMED, _P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(LAW + "8",),
        zh="劝返主体移交完成"),
    FactKind.OFFER_ENDED: FactRule(
        by(_R.EDU), (_P.NAMED,), articles=(LAW + "8",), zh="移交要约已终止"),
}  # fmt: skip
