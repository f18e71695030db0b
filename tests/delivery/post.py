"""Reading the post: what travels on the test bus, and what came back."""

from collections.abc import Sequence

from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import MESSAGE, RECEIPT
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.error_pb2 import ErrorReason
from tests.world.province import Province


def header_of(item: bytes) -> message_pb2.MessageHeader | None:
    """Return the clear header of a message, None for a receipt or request."""
    envelope = SignedEnvelope.FromString(item)
    if envelope.payload_type != MESSAGE:
        return None
    message = message_pb2.Message.FromString(envelope.payload)
    return message_pb2.MessageHeader.FromString(message.header)


def take_aside(province: Province, sender: OrgId, receiver: OrgId) -> list[bytes]:
    """Take the messages of a lane off the bus and return them in order."""

    def of_lane(item: tuple[OrgId, bytes]) -> bool:
        header = header_of(item[1])
        return header is not None and (header.sender, header.receiver) == (
            str(sender),
            str(receiver),
        )

    waiting = province.bus.waiting
    aside = [item for item in waiting if of_lane(item)]
    province.bus.waiting = [item for item in waiting if item not in aside]
    return [data for _, data in aside]


async def hand_over(province: Province, receiver: OrgId, *items: bytes) -> list[bytes]:
    """Hand items to a receiver in one batch and return what it sent back."""
    before = len(province.bus.carried)
    await province.node_of[receiver].mail_room.handle(receiver, items)
    return [data for _, data in province.bus.carried[before:]]


def receipts_in(items: Sequence[bytes]) -> list[message_pb2.Receipt]:
    """Return the receipts among items from the bus."""
    envelopes = map(SignedEnvelope.FromString, items)
    return [
        message_pb2.Receipt.FromString(envelope.payload)
        for envelope in envelopes
        if envelope.payload_type == RECEIPT
    ]


def answers(items: Sequence[bytes]) -> list[str]:
    """Write what receipts say: the outcome of each message, with event reasons in order."""
    said = []
    for receipt in receipts_in(items):
        for item in receipt.items:
            outcome = message_pb2.ReceiptOutcome.Name(item.outcome)
            reasons = [
                ErrorReason.Name(exception.reason).removeprefix("ERROR_REASON_")
                for exception in item.exceptions
            ]
            said.append(" ".join((outcome.removeprefix("RECEIPT_OUTCOME_"), *reasons)))
    return said
