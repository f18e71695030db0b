"""The kinds of facts: who may state each, who is told, and which private parts exist for whom.

Tables, because the regulation's division of labour is a table (D.4, D.6). The names equal the
body fields of `Event` in protos/gateway/v1/event.proto; a test holds both together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.organisations import Role


class FactKind(StrEnum):
    """Kind of a fact; the value is the name of the body field on the wire."""

    ABSENCE_REPORTED = "absence_reported"
    PLATFORM_ENTRY_RECORDED = "platform_entry_recorded"
    SUSPECTED_DROPOUT_SUBMITTED = "suspected_dropout_submitted"
    DROPOUT_CONFIRMED = "dropout_confirmed"
    DROPOUT_REFUTED = "dropout_refuted"
    HUKOU_QUERIED = "hukou_queried"
    HUKOU_ASSERTED = "hukou_asserted"
    WHEREABOUTS_RECORDED = "whereabouts_recorded"
    JURISDICTION_DETERMINED = "jurisdiction_determined"
    LETTER_DISPATCHED = "letter_dispatched"
    LETTER_REGISTERED = "letter_registered"
    LETTER_LINES_ACCEPTED = "letter_lines_accepted"
    LETTER_LINES_RETURNED = "letter_lines_returned"
    LETTER_NOTED = "letter_noted"
    LETTER_RETRACTED = "letter_retracted"
    TITLE_GRANTED = "title_granted"
    OFFER_ENDED = "offer_ended"
    RETRIEVAL_BODY_CONFIRMED = "retrieval_body_confirmed"
    RETRIEVAL_ORDER_ISSUED = "retrieval_order_issued"
    RETRIEVAL_ORDER_ACKNOWLEDGED = "retrieval_order_acknowledged"
    RETRIEVAL_OFFICER_ASSIGNED = "retrieval_officer_assigned"
    RETRIEVAL_STEP_RECORDED = "retrieval_step_recorded"
    RETRIEVAL_ORDER_FULFILLED = "retrieval_order_fulfilled"
    PLACEMENT_PROPOSED = "placement_proposed"
    STUDENT_RETURNED = "student_returned"
    PLACEMENT_DECIDED = "placement_decided"
    PLACEMENT_STARTED = "placement_started"
    ENROLMENT_ASSERTED = "enrolment_asserted"


class Party(StrEnum):
    """A place in a matter; who fills it is read from the case, letter or order at hand."""

    SCHOOL = "school of enrolment"
    ENROLMENT_EDU = "education bureau of enrolment"
    ENROLMENT_TOWNSHIP = "township of the school"
    PLATFORM = "assistance platform"
    PUBLIC_SECURITY = "public security"
    HOLDER = "holder of the case"
    FORMER_HOLDERS = "former holders of the case"
    NAMED = "organisations named by the act"
    ORDER_TOWNSHIP = "township under order"
    ORDER_ISSUER = "issuer of the order"
    RECEIVING_SCHOOL = "receiving school"


@dataclass(frozen=True)
class FactRule:
    """Who may state a fact of this kind, who is told, and to whom its holder passes it on.

    `authority` marks acts that only the holder of the title may do; they are fenced by the epoch.
    """

    sources: frozenset[Role]
    told: tuple[Party, ...]
    passed_on: tuple[Party, ...] = ()
    authority: bool = False
    articles: tuple[str, ...] = ()
    zh: str = ""


def _by(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


_P, _R = Party, Role
_LAW = "云政办规〔2022〕5号 art. "

RULES: Mapping[FactKind, FactRule] = {
    FactKind.ABSENCE_REPORTED: FactRule(
        _by(_R.SCH), (_P.ENROLMENT_EDU, _P.ENROLMENT_TOWNSHIP, _P.PLATFORM),
        articles=(_LAW + "4", _LAW + "7"), zh="三天以上无正当理由未到校报告"),
    FactKind.PLATFORM_ENTRY_RECORDED: FactRule(
        _by(_R.RRB), (_P.NAMED,), articles=(_LAW + "4", _LAW + "5.16"), zh="政府救助平台已登记录入"),
    FactKind.SUSPECTED_DROPOUT_SUBMITTED: FactRule(
        _by(_R.SCH), (_P.NAMED,), articles=(_LAW + "7",), zh="校长提交疑似辍学"),
    FactKind.DROPOUT_CONFIRMED: FactRule(
        _by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(_LAW + "7", _LAW + "8"),
        zh="确认辍学"),
    FactKind.DROPOUT_REFUTED: FactRule(
        _by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(_LAW + "7",), zh="排除辍学"),
    FactKind.HUKOU_QUERIED: FactRule(
        _by(_R.EDU), (_P.PUBLIC_SECURITY,), articles=(_LAW + "5.9",), zh="请公安核查户籍"),
    FactKind.HUKOU_ASSERTED: FactRule(
        _by(_R.PSB), (_P.NAMED,), articles=(_LAW + "5.9",), zh="公安反馈户籍"),
    FactKind.WHEREABOUTS_RECORDED: FactRule(
        _by(_R.SCH, _R.TWN, _R.EDU, _R.PSB), (_P.HOLDER, _P.SCHOOL, _P.FORMER_HOLDERS),
        articles=(_LAW + "7",), zh="记录学生去向"),
    FactKind.JURISDICTION_DETERMINED: FactRule(
        _by(_R.EDU), (_P.SCHOOL, _P.ENROLMENT_TOWNSHIP), authority=True, articles=(_LAW + "8",),
        zh="确定劝返责任县区"),
    FactKind.LETTER_DISPATCHED: FactRule(
        _by(_R.EDU), (_P.NAMED,), authority=True, articles=(_LAW + "7", _LAW + "8"), zh="函已发出"),
    FactKind.LETTER_REGISTERED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "8",), zh="收文登记"),
    FactKind.LETTER_LINES_ACCEPTED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "8",), zh="接收劝返移交"),
    FactKind.LETTER_LINES_RETURNED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "8",), zh="退回来函"),
    FactKind.LETTER_NOTED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "7",), zh="告知函阅知"),
    FactKind.LETTER_RETRACTED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "8",), zh="撤回发函"),
    FactKind.TITLE_GRANTED: FactRule(
        _by(_R.EDU), (_P.NAMED, _P.SCHOOL, _P.ENROLMENT_TOWNSHIP), articles=(_LAW + "8",),
        zh="劝返主体移交完成"),
    FactKind.OFFER_ENDED: FactRule(
        _by(_R.EDU), (_P.NAMED,), articles=(_LAW + "8",), zh="移交要约已终止"),
    FactKind.RETRIEVAL_BODY_CONFIRMED: FactRule(
        _by(_R.EDU), (_P.PLATFORM, _P.FORMER_HOLDERS), authority=True, articles=(_LAW + "8",),
        zh="确认劝返主体"),
    FactKind.RETRIEVAL_ORDER_ISSUED: FactRule(
        _by(_R.EDU), (_P.ORDER_TOWNSHIP, _P.PLATFORM, _P.FORMER_HOLDERS), authority=True,
        articles=(_LAW + "8",), zh="下发劝返指令"),
    FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED: FactRule(
        _by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS,), articles=(_LAW + "8",),
        zh="乡镇签收劝返指令"),
    FactKind.RETRIEVAL_OFFICER_ASSIGNED: FactRule(
        _by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS,), articles=(_LAW + "5.3",),
        zh="落实结对包保责任人"),
    FactKind.RETRIEVAL_STEP_RECORDED: FactRule(
        _by(_R.TWN), (_P.ORDER_ISSUER,), (_P.FORMER_HOLDERS, _P.PLATFORM), articles=(_LAW + "8",),
        zh="四步法劝返记录"),
    FactKind.RETRIEVAL_ORDER_FULFILLED: FactRule(
        _by(_R.EDU), (_P.ORDER_TOWNSHIP, _P.FORMER_HOLDERS), articles=(_LAW + "8",),
        zh="劝返指令办结"),
    FactKind.PLACEMENT_PROPOSED: FactRule(
        _by(_R.EDU), (_P.RECEIVING_SCHOOL,), authority=True, articles=(_LAW + "9",),
        zh="商请学校接收复学"),
    FactKind.STUDENT_RETURNED: FactRule(
        _by(_R.SCH), (_P.HOLDER,), (_P.FORMER_HOLDERS, _P.ORDER_TOWNSHIP, _P.PLATFORM, _P.SCHOOL),
        articles=(_LAW + "8", _LAW + "9"), zh="学生已返校"),
    FactKind.PLACEMENT_DECIDED: FactRule(
        _by(_R.EDU), (_P.RECEIVING_SCHOOL, _P.ORDER_TOWNSHIP, _P.FORMER_HOLDERS), authority=True,
        articles=(_LAW + "9",), zh="确定复学安置"),
    FactKind.PLACEMENT_STARTED: FactRule(
        _by(_R.SCH), (_P.HOLDER,), (_P.FORMER_HOLDERS, _P.ORDER_TOWNSHIP, _P.SCHOOL),
        articles=(_LAW + "9",),
        zh="安置开始，进入巩固观察期"),
    FactKind.ENROLMENT_ASSERTED: FactRule(
        _by(_R.SCH, _R.EDU), (_P.ENROLMENT_EDU,), articles=(_LAW + "7",), zh="学籍登记"),
}  # fmt: skip


class PartKind(StrEnum):
    """Private parts, the units of disclosure; the value is the name on the wire."""

    IDENTITY = "IDENTITY"
    GUARDIAN = "GUARDIAN"
    NARRATIVE = "NARRATIVE"
    MASKED_IDENTITY = "MASKED_IDENTITY"
    REASON = "REASON"
    WHEREABOUTS = "WHEREABOUTS"


_CASE_WORKERS = _by(_R.EDU, _R.SCH, _R.TWN)

VISIBILITY: Mapping[PartKind, frozenset[Role]] = {
    PartKind.IDENTITY: _CASE_WORKERS | {_R.PSB},
    PartKind.GUARDIAN: _CASE_WORKERS,
    PartKind.NARRATIVE: _CASE_WORKERS,
    PartKind.MASKED_IDENTITY: _by(_R.RRB),
    PartKind.REASON: _by(_R.EDU),
    PartKind.WHEREABOUTS: _by(_R.EDU, _R.TWN),
}
"""Which role may see which part while it is party to the matter (D.6). What a role may not see is
not even sent to it. Who sees a child masked gets a part of its own that was masked by the source."""


def may_see(role: Role, kind: PartKind) -> bool:
    """Say whether the role may see the part."""
    return role in VISIBILITY[kind]
