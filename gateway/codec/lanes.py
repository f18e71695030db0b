"""Lanes and dead letters between the contract and the domain."""

from gateway.codec import enums, fields
from gateway.domain.dead_letters import DeadLetter
from gateway.domain.lane_balance import LaneBalance
from gateway.domain.lanes import MOST_INCARNATION, LaneHead
from gateway.v1 import delivery_pb2, message_pb2


def encode_head(head: LaneHead) -> message_pb2.LaneHead:
    """Return the wire form of one end of a lane."""
    return message_pb2.LaneHead(
        incarnation=head.incarnation,
        last_sequence=head.last_sequence,
        head_hash=bytes.fromhex(head.head_hash),
        closed=head.closed,
    )


_HASH = 32  # bytes of a SHA-256


def decode_head(wire: message_pb2.LaneHead) -> LaneHead:
    """Return one end of a lane as its peer stated it.

    Raises Refusal(INVALID_FIELD) for what no end can be, and no store would keep.
    """
    if len(wire.head_hash) not in {0, _HASH}:
        raise fields.invalid("head_hash", "head_hash is no SHA-256.", "Send its 32 bytes.")
    if not 0 <= wire.incarnation <= MOST_INCARNATION or wire.last_sequence < 0:
        raise fields.invalid("head", "A lane has no such number.", "Send its own numbers.")
    return LaneHead(wire.incarnation, wire.last_sequence, wire.head_hash.hex(), wire.closed)


def check_heads(*stated: message_pb2.LaneHead) -> None:
    """Raise Refusal(INVALID_FIELD) unless each can be one end of a lane."""
    for wire in stated:
        decode_head(wire)


def encode_balance(balance: LaneBalance) -> delivery_pb2.LaneBalance:
    """Return the wire form of a count."""
    return delivery_pb2.LaneBalance(
        peer=str(balance.peer),
        incarnation=balance.incarnation,
        numbered=balance.numbered,
        stored=balance.stored,
        receipted=balance.receipted,
        rejected=balance.rejected,
        in_flight=balance.in_flight,
        dead=balance.dead,
        replaced=balance.replaced,
        received=balance.received,
        answered=balance.answered,
        balanced=balance.balanced,
    )


def encode_dead_letter(letter: DeadLetter) -> delivery_pb2.DeadLetter:
    """Return the wire form of a dead letter: codes and tokens, none of its bytes."""
    return delivery_pb2.DeadLetter(
        dead_letter_id=letter.id,
        kind=enums.wire(letter.kind),
        state=enums.wire(letter.state),
        reason=enums.wire(letter.reason),
        peer=str(letter.peer or ""),
        message_id=letter.message_id,
        event_id=letter.event_id,
        digest=letter.digest,
        earlier_digest=letter.earlier_digest,
        arose_at=fields.timestamp(letter.arose_at),
        redrives=letter.redrives,
        redrivable=letter.redrivable,
        settled_at=fields.timestamp(letter.settled_at),
        discard_reason=enums.wire(letter.discard_reason),
    )
