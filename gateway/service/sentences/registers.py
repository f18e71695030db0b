"""Sentences on registers; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import subject_pb2


def _hukou(body: Any) -> Pair:
    finding = short(subject_pb2.HukouFinding, body.finding, "HUKOU_FINDING_")
    return f"Household register: {finding} {body.county}", f"户籍核查：{finding} {body.county}"


SENTENCES: Sentences = {
    "hukou_queried": lambda b: (f"Asked {b.agency}", f"请 {b.agency} 核查户籍"),
    "hukou_asserted": _hukou,
    "enrolment_asserted": lambda b: (f"Enrolled at {b.school}", f"学籍在 {b.school}"),
}
