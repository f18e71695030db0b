"""The parts of a return: how much goes into one, and how it is sealed and signed."""

from collections.abc import Iterable, Sequence

from gateway.codec import fields
from gateway.codec.lanes import encode_head
from gateway.domain.keys import PublicKey
from gateway.domain.lanes import MOST_EVENTS
from gateway.domain.payload_types import RETURNED_FACTS
from gateway.ports.bus import LARGEST_ITEM
from gateway.ports.recovery import Return
from gateway.service.desk import Desk
from gateway.v1 import message_pb2

MOST_BYTES = 256 * 1024
"""How much goes into a part, unless one event alone is more."""
LARGEST = LARGEST_ITEM - 2048
"""The largest event with what goes beside it, in bytes: the rest is for header, seal, signature."""
_FRAME = 8  # bytes around an event in its part, at most


def size_of(one: message_pb2.CarriedEvent) -> int:
    """Return how many bytes the event takes in its part."""
    return one.ByteSize() + _FRAME


def first_of(
    carried: Iterable[message_pb2.CarriedEvent], most: int, count: int
) -> list[message_pb2.CarriedEvent]:
    """Return the first of them that make up so many bytes, and so many at most; the first that can
    be sent in any case.
    """
    chosen: list[message_pb2.CarriedEvent] = []
    size = 0
    for one in carried:
        if size_of(one) > LARGEST:
            continue
        size += size_of(one)
        if len(chosen) == count or (chosen and size > most):
            break
        chosen.append(one)
    return chosen


def split(
    carried: Sequence[message_pb2.CarriedEvent],
) -> list[list[message_pb2.CarriedEvent]]:
    """Split into batches of bounded size and number; always one, though it be empty."""
    batches: list[list[message_pb2.CarriedEvent]] = [[]]
    size = 0
    for one in carried:
        size += size_of(one)
        full = size > MOST_BYTES or len(batches[-1]) == MOST_EVENTS
        if batches[-1] and full:
            batches.append([])
            size = size_of(one)
        batches[-1].append(one)
    return batches


def signed_part(
    desk: Desk, given: Return, key: PublicKey, carried: Sequence[message_pb2.CarriedEvent]
) -> bytes:
    """Return the part whose number is that of the parts sent, sealed to the key of the peer."""
    header = message_pb2.ReturnHeader(
        author=str(desk.org),
        peer=str(given.peer),
        recovery_id=given.recovery_id,
        part=given.parts,
        last=not given.due,
        seal_key_id=key.key_id,
        received=encode_head(desk.work.inbox.lane(desk.org, given.peer).head),
        sent=encode_head(desk.work.outbox.lane(desk.org, given.peer).head),
        created_at=fields.timestamp(given.made_at),
        directory_version=desk.tools.directory.version,
    ).SerializeToString()
    content = message_pb2.MessageContent(events=carried).SerializeToString()
    returned = message_pb2.ReturnedFacts(
        header=header, sealed_content=desk.tools.sealer.seal(key, header, content)
    )
    envelope = desk.tools.signer.sign(desk.org, RETURNED_FACTS, returned.SerializeToString())
    return envelope.SerializeToString()
