"""The stream of published facts as data, and the attributes that stand beside each fact. Pure.

The stream is a convenience and no memory: it drops what is old or too much, and is filled again
from the stores of the sources. Whatever it loses shows as a gap in a chain and is healed there.
"""

from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType

from nats.js.api import DiscardPolicy, Header, RetentionPolicy, StorageType, StreamConfig

from gateway.bus.streams import HEADER_ROOM_BYTES, MAX_ITEM_BYTES
from gateway.bus.subjects import FACT
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import FACT_NOTICE
from gateway.domain.spiffe import organisation_uri
from gateway.ports.fact_carrier import KEPT, OutFact

FACT_STREAM = "FACT"
CLOUD_EVENT_TYPE = "dropout-gateway.fact.v1"
MAX_BYTES = 1024**3
MAX_MESSAGES = 1_000_000


def fact_stream(replicas: int) -> StreamConfig:
    """Return the configuration that a node creates the stream of facts with."""
    return StreamConfig(
        name=FACT_STREAM,
        subjects=[f"{FACT}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=KEPT.total_seconds(),
        max_consumers=-1,
        max_msgs=MAX_MESSAGES,
        max_bytes=MAX_BYTES,
        max_msg_size=MAX_ITEM_BYTES + HEADER_ROOM_BYTES,
        num_replicas=replicas,
        duplicate_window=1,  # facts carry no de-duplication header
        deny_delete=True,
        deny_purge=True,
    )


_EXACTLY: Mapping[str, object] = MappingProxyType(
    {
        "subjects": [f"{FACT}.>"],
        "retention": RetentionPolicy.LIMITS,
        "storage": StorageType.FILE,
        "discard": DiscardPolicy.OLD,
        "max_consumers": -1,
        "deny_delete": True,
        "deny_purge": True,
    }
)
# Whatever would show facts elsewhere, or to whoever asks for them past the consumers.
_UNSET = (
    *("no_ack", "sealed", "mirror", "sources", "republish", "subject_transform"),
    *("allow_rollup_hdrs", "allow_direct", "mirror_direct", "persist_mode"),
)


def unsafe_fact_fields(found: StreamConfig) -> tuple[str, ...]:
    """Name the settings of a stream that would show facts elsewhere, or keep none. Pure.

    How much it keeps, and how long, is the operator's to say.
    """
    wrong = [name for name, value in _EXACTLY.items() if getattr(found, name) != value]
    wrong += [name for name in _UNSET if getattr(found, name)]
    return tuple(sorted(wrong))


def cloud_event_headers(source: OrgId, fact: OutFact) -> dict[str, str]:
    """Return the CloudEvents 1.0 attributes of a fact (NATS protocol binding, binary mode).

    Only what the subject says anyway, an identifier and a time; the type is the same for all. A
    fresh dict each time: the client library is known to write into the one it is given.
    """
    return {
        Header.EXPECTED_STREAM.value: FACT_STREAM,
        "ce-specversion": "1.0",
        "ce-id": fact.event_id,
        "ce-source": organisation_uri(source),
        "ce-type": CLOUD_EVENT_TYPE,
        "ce-time": fact.noted_at.astimezone(UTC).isoformat(timespec="seconds"),
        "ce-sequence": str(fact.sequence),
        "ce-datacontenttype": FACT_NOTICE,
    }
