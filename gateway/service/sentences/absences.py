"""Sentences on absences and the opening of a case; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import agency_pb2


def _entry(body: Any) -> Pair:
    matter = short(agency_pb2.PlatformMatter, body.matter, "PLATFORM_MATTER_")
    return f"Platform entry {body.entry_no} ({matter})", f"平台登记号 {body.entry_no}（{matter}）"


SENTENCES: Sentences = {
    "absence_reported": lambda b: (
        f"{len(b.counted_days)} school days absent without reason",
        f"连续{len(b.counted_days)}个教学日无正当理由未到校",
    ),
    "platform_entry_recorded": _entry,
    "suspected_dropout_submitted": lambda b: (
        f"Submitted to {', '.join(b.recipients)}",
        f"提交至 {'、'.join(b.recipients)}",
    ),
}
