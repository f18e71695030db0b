"""What of the protocol a simulation has reached: its log events, facts, receipts and faults."""

from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from gateway.codec import enums
from gateway.domain.facts import FactKind
from gateway.domain.payload_types import RECEIPT
from gateway.store import tables
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.audit import rows
from tests.world.province import Province

_TELLING = ("outcome", "reason")

EXPECTED = (
    "message.duplicate",
    "message.parked MATTER_UNKNOWN",
    "message.resent",
    "lane.gap",
    "receipt.closed APPLIED",
    "receipt.closed PARKED",
    "fact TITLE_GRANTED",
    "fact OFFER_ENDED",
    "fact LETTER_RETRACTED",
    "receipt linked",
    "payload gap request",
    "died at STORE_BEFORE_COMMIT",
    "died at STORE_AFTER_COMMIT",
    "died at RELAY_AFTER_PACK",
    "died at RELAY_AFTER_PUBLISH",
    "died at MAIL_AFTER_COMMIT",
    "died at MAIL_AFTER_REPLY",
    "lost",
    "doubled",
    "reordered",
    "delayed",
    "away",
    "forgotten",
    "regressed",
    "restarted",
)
"""What enough seeds must reach, or they prove little."""


@contextmanager
def watched(seen: Counter[str]) -> Iterator[None]:
    """Count what the nodes log, by event and by what it tells, while the block runs."""

    def count(
        _logger: Any, _method: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        seen[" ".join(str(entry[name]) for name in ("event", *_TELLING) if name in entry)] += 1
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[count], wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        yield
    finally:
        structlog.configure(**before)


async def reached(province: Province) -> Counter[str]:
    """Count what was stated and what travelled."""
    seen: Counter[str] = Counter()
    for row in await rows(province, tables.events):
        kind = enums.maybe(FactKind, row.type)
        if row.org == row.source and kind is not None:
            seen[f"fact {kind.name}"] += 1
    for _, item in province.bus.carried:
        envelope = SignedEnvelope.FromString(item)
        seen["payload " + _name(envelope.payload_type)] += 1
        if envelope.payload_type == RECEIPT:
            receipt = message_pb2.Receipt.FromString(envelope.payload)
            seen["receipt linked"] += any(answer.follows_receipt_id for answer in receipt.items)
    return seen


def _name(payload_type: str) -> str:
    """Shorten `application/vnd...gap-request.v1+protobuf` to `gap request`."""
    return payload_type.rpartition("/")[2].split(".")[-2].replace("-", " ")
