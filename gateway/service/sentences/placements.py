"""Sentences on return and placement; codes only, no person."""

from typing import Any

from gateway.service.sentences.wording import Pair, Sentences, short
from gateway.v1 import placement_pb2


def _placement(body: Any) -> Pair:
    kind = short(placement_pb2.PlacementKind, body.kind, "PLACEMENT_KIND_")
    return f"Placed at {body.school}: {kind}", f"安置于 {body.school}：{kind}"


SENTENCES: Sentences = {
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
}
