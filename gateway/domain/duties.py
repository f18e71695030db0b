"""What an organisation must do next: read from the states of what it has before it (todo)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.absences import Absence, AbsenceState
from gateway.domain.cases import CaseState, DropoutCase
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterState
from gateway.domain.orders import OrderState, RetrievalOrder
from gateway.domain.organisations import OrgId, Role
from gateway.domain.placements import Placement, PlacementState
from gateway.domain.recovery import RecoveredFact


class Duty(StrEnum):
    """Kinds of duties."""

    SUBMIT_SUSPECTED = "SUBMIT_SUSPECTED"
    ADD_RECIPIENT = "ADD_RECIPIENT"
    VERIFY_SUSPECTED = "VERIFY_SUSPECTED"
    OBTAIN_HUKOU = "OBTAIN_HUKOU"
    RECORD_WHEREABOUTS = "RECORD_WHEREABOUTS"
    DETERMINE_JURISDICTION = "DETERMINE_JURISDICTION"
    SEND_LETTER = "SEND_LETTER"
    SIGN_LETTER = "SIGN_LETTER"
    DISPATCH_LETTER = "DISPATCH_LETTER"
    REGISTER_LETTER = "REGISTER_LETTER"
    ANSWER_LETTER = "ANSWER_LETTER"
    CONFIRM_BODY = "CONFIRM_BODY"
    ISSUE_ORDER = "ISSUE_ORDER"
    ACKNOWLEDGE_ORDER = "ACKNOWLEDGE_ORDER"
    ASSIGN_OFFICER = "ASSIGN_OFFICER"
    RECORD_STEP = "RECORD_STEP"
    CONFIRM_RETURN = "CONFIRM_RETURN"
    DECIDE_PLACEMENT = "DECIDE_PLACEMENT"
    START_PLACEMENT = "START_PLACEMENT"
    CHECK_RECOVERED_FACT = "CHECK_RECOVERED_FACT"


@dataclass(frozen=True)
class DutyText:
    """A duty in Chinese, what it rests on, and the command that does it (`{}` = the object)."""

    zh: str
    basis: str
    command: str


_LAW = "云政办规〔2022〕5号 art. "

TEXTS: dict[Duty, DutyText] = {
    Duty.SUBMIT_SUSPECTED: DutyText(
        "提交疑似辍学", _LAW + "7", "gateway case submit {} --to BUREAU --to TOWNSHIP --verified"
    ),
    Duty.ADD_RECIPIENT: DutyText(
        "补报另一接收单位",
        _LAW + "7",
        "gateway case submit {} --to BUREAU --to TOWNSHIP --verified",
    ),
    Duty.VERIFY_SUSPECTED: DutyText(
        "核实疑似辍学", _LAW + "7", "gateway case confirm {} --criteria TEXT"
    ),
    Duty.OBTAIN_HUKOU: DutyText("核查户籍", _LAW + "5.9", "gateway subject request-hukou {}"),
    Duty.RECORD_WHEREABOUTS: DutyText(
        "查清去向", _LAW + "7", "gateway case whereabouts {} --kind KIND"
    ),
    Duty.DETERMINE_JURISDICTION: DutyText(
        "确定劝返责任县区", _LAW + "8", "gateway case determine {}"
    ),
    Duty.SEND_LETTER: DutyText(
        "拟函", _LAW + "8", "gateway letter draft {} --kind KIND --to BUREAU"
    ),
    Duty.SIGN_LETTER: DutyText("签发函", _LAW + "8", "gateway letter sign {}"),
    Duty.DISPATCH_LETTER: DutyText("发函", _LAW + "8", "gateway letter dispatch {}"),
    Duty.REGISTER_LETTER: DutyText(
        "收文登记", "公文处理工作条例 art. 24", "gateway letter register {}"
    ),
    Duty.ANSWER_LETTER: DutyText("答复来函", _LAW + "8", "gateway letter accept {}"),
    Duty.CONFIRM_BODY: DutyText("确认劝返主体", _LAW + "8", "gateway order confirm-body {}"),
    Duty.ISSUE_ORDER: DutyText(
        "下发劝返指令", _LAW + "8", "gateway order issue {} --township TOWNSHIP"
    ),
    Duty.ACKNOWLEDGE_ORDER: DutyText("签收指令", _LAW + "8", "gateway order acknowledge {}"),
    Duty.ASSIGN_OFFICER: DutyText(
        "落实包保责任人", _LAW + "5.3", "gateway order assign {} --officer POST"
    ),
    Duty.RECORD_STEP: DutyText(
        "开展四步法劝返",
        _LAW + "8",
        "gateway order step {} --step STEP --outcome OUTCOME --date DAY",
    ),
    Duty.CONFIRM_RETURN: DutyText(
        "确认学生返校", _LAW + "9", "gateway case return {} --first-day DAY"
    ),
    Duty.DECIDE_PLACEMENT: DutyText(
        "确定安置", _LAW + "9", "gateway placement decide {} --kind KIND"
    ),
    Duty.START_PLACEMENT: DutyText("开始安置", _LAW + "9", "gateway placement start {} --date DAY"),
    Duty.CHECK_RECOVERED_FACT: DutyText(
        "核对恢复的记录", "数据安全法 art. 29", "gateway recovery check {}"
    ),
}
"""Text of every duty; complete."""


@dataclass(frozen=True)
class DutyItem:
    """A duty with its object and since when it is due."""

    duty: Duty
    object_id: str
    case_id: str
    since: datetime
    label: str = ""


def of_absence(absence: Absence, org: OrgId) -> DutyItem | None:
    """Return what a report asks of the organisation."""
    pending = (AbsenceState.REPORTED, AbsenceState.UNDER_FOLLOW_UP)
    if absence.school == org and absence.state in pending:
        return DutyItem(Duty.SUBMIT_SUSPECTED, absence.id, "", absence.recorded_at)
    return None


def of_case(case: DropoutCase, org: OrgId, *, hukou_answered: bool) -> DutyItem | None:
    """Return what a case asks of the organisation: the next act only."""
    duty = _case_duty(case, org, hukou_answered=hukou_answered)
    if duty is None:
        return None
    subject = case.absence_id if duty is Duty.ADD_RECIPIENT else case.id
    return DutyItem(duty, subject, case.id, case.changed_at, case.jurisdiction_row)


def _case_duty(case: DropoutCase, org: OrgId, *, hukou_answered: bool) -> Duty | None:
    if org == case.school and case.state is CaseState.SUSPECTED:
        return Duty.ADD_RECIPIENT
    if org.role is not Role.EDU:
        return None
    if case.state is CaseState.VERIFYING and org.division == case.enrolment_county:
        return Duty.VERIFY_SUSPECTED
    if case.holder != org or case.offer is not None:
        return None
    if case.state is CaseState.CONFIRMED:
        return _before_determination(case, hukou_answered=hukou_answered)
    return {
        CaseState.ASSIGNED: Duty.ISSUE_ORDER if case.retrieval_body == org else Duty.CONFIRM_BODY,
        CaseState.JURISDICTION_PENDING: Duty.SEND_LETTER,
        CaseState.RETURNED: Duty.DECIDE_PLACEMENT,
    }.get(case.state)


def _before_determination(case: DropoutCase, *, hukou_answered: bool) -> Duty:
    if not hukou_answered:
        return Duty.OBTAIN_HUKOU
    return Duty.DETERMINE_JURISDICTION if case.whereabouts else Duty.RECORD_WHEREABOUTS


def of_letter(letter: Letter, org: OrgId) -> DutyItem | None:
    """Return what a letter asks of the organisation."""
    own = {
        LetterState.DRAFT: Duty.SIGN_LETTER,
        LetterState.SIGNED: Duty.DISPATCH_LETTER,
    }
    theirs = {
        LetterState.DELIVERED: Duty.REGISTER_LETTER,
        LetterState.REGISTERED: Duty.ANSWER_LETTER,
    }
    duty = (own if letter.sender == org else theirs).get(letter.state)
    if duty is None:
        return None
    label = letter.letter_no or LetterKind(letter.kind).value
    return DutyItem(duty, letter.id, letter.lines[0].case_id, letter.changed_at, label)


def of_order(order: RetrievalOrder, org: OrgId) -> DutyItem | None:
    """Return what an order asks of the organisation."""
    duty = {
        OrderState.ISSUED: Duty.ACKNOWLEDGE_ORDER,
        OrderState.ACKNOWLEDGED: Duty.ASSIGN_OFFICER,
        OrderState.ASSIGNED: Duty.RECORD_STEP,
        OrderState.IN_PROGRESS: Duty.RECORD_STEP if order.ladder.next_step() else None,
    }.get(order.state)
    if order.township != org or duty is None:
        return None
    return DutyItem(duty, order.id, order.case_id, order.changed_at, order.order_no)


def of_recovered_fact(fact: RecoveredFact) -> DutyItem | None:
    """Return what a fact that came back from a peer asks: that an officer looks at it."""
    if fact.checked_at is not None:
        return None
    duty = Duty.CHECK_RECOVERED_FACT
    return DutyItem(duty, fact.event_id, fact.case_id, fact.taken_at, fact.kind.name)


def of_placement(placement: Placement, org: OrgId) -> DutyItem | None:
    """Return what a placement asks of the organisation."""
    duty = {
        PlacementState.PROPOSED: Duty.CONFIRM_RETURN,
        PlacementState.DECIDED: Duty.START_PLACEMENT,
    }.get(placement.state)
    if placement.school != org or duty is None:
        return None
    subject = placement.case_id if duty is Duty.CONFIRM_RETURN else placement.id
    return DutyItem(duty, subject, placement.case_id, placement.changed_at)
