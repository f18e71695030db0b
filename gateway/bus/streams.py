"""The mail stream as data, and the check that a stream found on the broker is safe to use.

A stream is made by whichever node comes first, so a node never trusts one it finds: a stream that
expires mail, drops the oldest when full, acknowledges before it wrote, copies mail elsewhere, or
lets one letter-box fill it for all is refused, and nothing is published to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError, NotFoundError

from gateway.bus.broker_check import UnsafeBroker
from gateway.bus.subjects import MAIL
from gateway.ports.bus import LARGEST_ITEM
from gateway.ports.condition import Code

MAIL_STREAM = "MAIL"
MAX_ITEM_BYTES = LARGEST_ITEM
"""The largest item that the bus carries."""
HEADER_ROOM_BYTES = 4096
"""What the server counts besides an item: its headers (three short ones at most)."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much mail the broker may hold. A full stream refuses new mail and keeps the old.

    Attributes:
        replicas: copies of the stream in a cluster; 1 for a single server.
        max_bytes: size of the stream on disk.
        max_messages: number of items in it.
        max_in_letter_box: number of items in one letter-box. Mail for an organisation that is away
            waits in its senders' stores beyond that, and leaves the stream to the others.
    """

    replicas: int = 1
    max_bytes: int = 1024**3
    max_messages: int = 1_000_000
    max_in_letter_box: int = 2_000


@dataclass(frozen=True, slots=True)
class StreamState:
    """What tells one life of the stream from another.

    Attributes:
        created: when the broker made the stream (UTC).
        last_seq: its highest sequence number.
    """

    created: datetime
    last_seq: int

    def lost_since(self, earlier: "StreamState") -> bool:
        """Whether the broker forgot mail since the earlier state: made anew, or gone back."""
        return self.created != earlier.created or self.last_seq < earlier.last_seq


def mail_stream(limits: StreamLimits) -> StreamConfig:
    """Return the configuration that a node creates the mail stream with."""
    return StreamConfig(
        name=MAIL_STREAM,
        subjects=[f"{MAIL}.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=0,
        max_consumers=-1,
        max_msgs=limits.max_messages,
        max_msgs_per_subject=limits.max_in_letter_box,
        discard_new_per_subject=True,
        max_bytes=limits.max_bytes,
        max_msg_size=MAX_ITEM_BYTES + HEADER_ROOM_BYTES,
        num_replicas=limits.replicas,
        # Mail carries no de-duplication header, so the window needs no room.
        duplicate_window=1,
        deny_delete=True,
        deny_purge=True,
        # One fsync for a whole batch: the reason that many small items cost little.
        allow_atomic=True,
    )


# persist_mode is absent on purpose: `async` acknowledges before the write, even where the server
# itself says sync_interval: always.
_EXACTLY: Mapping[str, object] = MappingProxyType(
    {
        "subjects": [f"{MAIL}.>"],
        "retention": RetentionPolicy.WORK_QUEUE,
        "storage": StorageType.FILE,
        "discard": DiscardPolicy.NEW,
        "max_consumers": -1,
        "deny_delete": True,
        "deny_purge": True,
        "allow_atomic": True,
        # Without it, a letter-box that is full would drop its oldest mail.
        "discard_new_per_subject": True,
    }
)
_UNSET = (
    "max_age",
    "no_ack",
    "sealed",
    "mirror",
    "sources",
    "republish",
    "subject_transform",
    "allow_rollup_hdrs",
    "allow_direct",
    "mirror_direct",
    "allow_msg_ttl",
    "allow_msg_schedules",
    "allow_msg_counter",
    "persist_mode",
    "subject_delete_marker_ttl",
)


def unsafe_fields(found: StreamConfig, limits: StreamLimits) -> tuple[str, ...]:
    """Name the settings of a stream that would lose, copy or refuse mail. Pure.

    An operator may give the stream more room or more replicas; never less, and nothing else.
    """
    wrong = [name for name, value in _EXACTLY.items() if getattr(found, name) != value]
    wrong += [name for name in _UNSET if getattr(found, name)]
    least = MAX_ITEM_BYTES + HEADER_ROOM_BYTES
    if found.max_msg_size not in {-1, None} and (found.max_msg_size or 0) < least:
        wrong.append("max_msg_size")
    if (found.max_msgs_per_subject or -1) < limits.max_in_letter_box:
        wrong.append("max_msgs_per_subject")
    if (found.num_replicas or 1) < limits.replicas:
        wrong.append("num_replicas")
    if found.consumer_limits is not None and found.consumer_limits.inactive_threshold:
        wrong.append("consumer_limits")
    return tuple(sorted(wrong))


def state_of(info: StreamInfo) -> StreamState:
    """Read what identifies the stream's present life."""
    return StreamState(info.created or datetime.min.replace(tzinfo=UTC), info.state.last_seq)


async def stream_info(js: JetStreamContext, stream: str, subject: str | None = None) -> StreamInfo:
    """Ask how a stream stands, and believe only the server that leads it.

    In a cluster, one that has just come back may answer for a leader, with an empty stream.
    With a subject, the answer says how many items lie under it (`state.subjects`).

    Raises:
        NotFoundError: the broker has no such stream.
        nats.errors.Error, OSError, ValueError: the leader did not answer.
    """
    info = await js.stream_info(stream, subject)
    led = info.cluster is not None and info.cluster.leader_since is not None
    if (info.config.num_replicas or 1) > 1 and not led:
        raise nats.errors.Error("Another server answered for the leader of the stream.")
    return info


async def ensure_streams(js: JetStreamContext, limits: StreamLimits) -> StreamState:
    """Create the mail stream if the broker has none; else check the one that is there.

    Raises:
        UnsafeBroker: one is there and must not be used.
        nats.errors.Error, OSError, ValueError: the broker did not answer as it should.
    """
    try:
        info = await stream_info(js, MAIL_STREAM)
    except NotFoundError:
        try:
            info = await js.add_stream(mail_stream(limits))
        except BadRequestError:  # another node made one meanwhile, perhaps a different one
            info = await stream_info(js, MAIL_STREAM)
    if wrong := unsafe_fields(info.config, limits):
        raise UnsafeBroker(Code.STREAM_UNSAFE, stream=MAIL_STREAM, what="+".join(wrong))
    return state_of(info)
