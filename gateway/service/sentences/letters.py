"""Sentences on letters and titles; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import letter_pb2


def _letter(body: Any) -> Pair:
    letter = body.letter
    kind = "Hand-over" if letter.kind == 2 else "Notification"  # noqa: PLR2004 - of two in use
    zh = "移交劝返" if letter.kind == 2 else "告知"  # noqa: PLR2004
    return (
        f"{kind} letter {letter.letter_no} to {letter.recipient}, {len(letter.lines)} line(s)",
        f"{zh}函 {letter.letter_no} 发往 {letter.recipient}，共{len(letter.lines)}人",
    )


def _returned_lines(body: Any) -> Pair:
    reasons = ", ".join(
        short(letter_pb2.ReturnReason, line.reason, "RETURN_REASON_") for line in body.lines
    )
    return f"Lines returned: {reasons}", f"退回，原因：{reasons}"


SENTENCES: Sentences = {
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
}
