"""One sentence for each fact, as an officer's case file would have it; codes only, no person."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.v1 import agency_pb2, case_pb2, letter_pb2, placement_pb2, retrieval_pb2, subject_pb2
from gateway.v1.event_pb2 import Event

_Pair = tuple[str, str]


def _short(enum: Any, value: int, prefix: str) -> str:
    """Return the name of a value; its number when a newer contract gave it."""
    try:
        return str(enum.Name(value)).removeprefix(prefix)
    except ValueError:
        return str(value)


def _letter(body: Any) -> _Pair:
    letter = body.letter
    kind = "Hand-over" if letter.kind == 2 else "Notification"  # noqa: PLR2004 - of two in use
    zh = "移交劝返" if letter.kind == 2 else "告知"  # noqa: PLR2004
    return (
        f"{kind} letter {letter.letter_no} to {letter.recipient}, {len(letter.lines)} line(s)",
        f"{zh}函 {letter.letter_no} 发往 {letter.recipient}，共{len(letter.lines)}人",
    )


def _returned_lines(body: Any) -> _Pair:
    reasons = ", ".join(
        _short(letter_pb2.ReturnReason, line.reason, "RETURN_REASON_") for line in body.lines
    )
    return f"Lines returned: {reasons}", f"退回，原因：{reasons}"


def _step(body: Any) -> _Pair:
    step = _short(retrieval_pb2.RetrievalStep, body.step.step, "RETRIEVAL_STEP_")
    outcome = _short(retrieval_pb2.StepOutcome, body.step.outcome, "STEP_OUTCOME_")
    return f"Step {step}: {outcome}", f"四步法 {step}：{outcome}"


def _hukou(body: Any) -> _Pair:
    finding = _short(subject_pb2.HukouFinding, body.finding, "HUKOU_FINDING_")
    return f"Household register: {finding} {body.county}", f"户籍核查：{finding} {body.county}"


def _whereabouts(body: Any) -> _Pair:
    kind = _short(case_pb2.WhereaboutsKind, body.whereabouts.kind, "WHEREABOUTS_KIND_")
    place = body.whereabouts.division
    return f"Whereabouts: {kind} {place}".rstrip(), f"去向：{kind} {place}".rstrip()


def _decision(body: Any) -> _Pair:
    decision = body.decision
    return (
        f"Row {decision.row}: {decision.responsible} is responsible",
        f"{decision.row}：由 {decision.responsible} 负责劝返",
    )


def _entry(body: Any) -> _Pair:
    matter = _short(agency_pb2.PlatformMatter, body.matter, "PLATFORM_MATTER_")
    return f"Platform entry {body.entry_no} ({matter})", f"平台登记号 {body.entry_no}（{matter}）"


def _placement(body: Any) -> _Pair:
    kind = _short(placement_pb2.PlacementKind, body.kind, "PLACEMENT_KIND_")
    return f"Placed at {body.school}: {kind}", f"安置于 {body.school}：{kind}"


_SENTENCES: Mapping[str, Callable[[Any], _Pair]] = {
    "absence_reported": lambda b: (
        f"{len(b.counted_days)} school days absent without reason",
        f"连续{len(b.counted_days)}个教学日无正当理由未到校",
    ),
    "platform_entry_recorded": _entry,
    "suspected_dropout_submitted": lambda b: (
        f"Submitted to {', '.join(b.recipients)}",
        f"提交至 {'、'.join(b.recipients)}",
    ),
    "dropout_confirmed": lambda b: (
        f"Dropout confirmed; {b.title.holder} holds the case",
        f"确认辍学，由 {b.title.holder} 持有",
    ),
    "dropout_refuted": lambda _: ("No dropout", "排除辍学"),
    "hukou_queried": lambda b: (f"Asked {b.agency}", f"请 {b.agency} 核查户籍"),
    "hukou_asserted": _hukou,
    "whereabouts_recorded": _whereabouts,
    "jurisdiction_determined": _decision,
    "letter_dispatched": _letter,
    "letter_registered": lambda _: ("Letter registered", "已收文登记"),
    "letter_lines_accepted": lambda b: (
        f"{len(b.lines)} line(s) accepted",
        f"接收{len(b.lines)}人",
    ),
    "letter_lines_returned": _returned_lines,
    "letter_noted": lambda _: ("Notification noted", "告知函已阅知"),
    "letter_retracted": lambda b: (f"Letter retracted: {b.reason}", f"撤回：{b.reason}"),
    "title_granted": lambda b: (
        f"Title {b.title.epoch.term}.{b.title.epoch.number} passes to {b.title.holder}",
        f"劝返主体移交 {b.title.holder}",
    ),
    "offer_ended": lambda b: (
        f"The offer had ended; {b.current_title.holder} holds the case",
        f"要约已终止，由 {b.current_title.holder} 持有",
    ),
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
    "placement_proposed": lambda b: (f"Asked {b.school}", f"商请 {b.school} 接收"),
    "student_returned": lambda b: (
        f"At school {b.school} since {b.first_day_attended}",
        f"{b.first_day_attended} 起到 {b.school} 就读",
    ),
    "placement_decided": _placement,
    "placement_started": lambda b: (
        f"Begun {b.start_date}; watched until {b.watch_until}",
        f"{b.start_date} 开始，观察至 {b.watch_until}",
    ),
    "enrolment_asserted": lambda b: (f"Enrolled at {b.school}", f"学籍在 {b.school}"),
}


def summary(event: Event) -> _Pair:
    """Return one sentence on the event in English and in Chinese."""
    which = event.WhichOneof("body")
    if which is None:
        return "", ""
    return _SENTENCES[which](getattr(event, which))
