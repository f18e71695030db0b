"""What goes back after the commit: receipts, one for each sender and batch, and gap requests.

Each receipt says how far its lane was taken, so that a sender that lost its memory learns of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.codec import enums, fields
from gateway.codec.lanes import encode_head
from gateway.domain.errors import Reason
from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST, RECEIPT
from gateway.service.arrivals import ArrivedMessage
from gateway.service.desk import Desk
from gateway.service.ended_keys import under_good_key
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope

_MOST_ITEMS = 50
_TO_SEND = "receipts to send"
_REFUSED = message_pb2.RECEIPT_OUTCOME_REFUSED
_PARKED = message_pb2.RECEIPT_OUTCOME_PARKED


@dataclass
class Replies:
    """What has to go back: bytes by receiver, in order, and what is still to be signed.

    `heads` are the lanes that were advanced meanwhile, by sender, so that they need not be read.
    """

    ready: list[tuple[OrgId, bytes]] = field(default_factory=list)
    receipts: dict[OrgId, list[message_pb2.Receipt]] = field(default_factory=dict)
    gaps: dict[OrgId, message_pb2.GapRequest] = field(default_factory=dict)
    heads: dict[OrgId, LaneHead] = field(default_factory=dict)


def refused(event_id: str, reason: Reason) -> message_pb2.EventOutcome:
    """Say that an event was declined; an empty id means the whole message."""
    return message_pb2.EventOutcome(event_id=event_id, outcome=_REFUSED, reason=enums.wire(reason))


def parked(event_id: str, reason: Reason) -> message_pb2.EventOutcome:
    """Say that an event waits."""
    return message_pb2.EventOutcome(event_id=event_id, outcome=_PARKED, reason=enums.wire(reason))


def answer(
    desk: Desk,
    replies: Replies,
    arrived: ArrivedMessage,
    exceptions: Sequence[message_pb2.EventOutcome],
    follows: str = "",
) -> str:
    """Put the message on the batch's receipt for its sender; return the receipt's identifier.

    A message that is on one already (it waited for one later in the batch) is answered anew.
    """
    receipts = replies.receipts.setdefault(arrived.sender, [])
    receipt, item = _find(receipts, arrived.place.digest)
    if receipt is None:
        receipt = receipts[-1] if receipts else None
    if receipt is None or (item is None and len(receipt.items) >= _MOST_ITEMS):
        receipt = message_pb2.Receipt(
            receipt_id=desk.tools.ids.new(),
            receiver=str(desk.org),
            sender=str(arrived.sender),
            received_at=fields.timestamp(desk.now),
        )
        receipts.append(receipt)
    if item is None:
        item = receipt.items.add(
            message_id=arrived.place.message_id,
            message_digest=bytes.fromhex(arrived.place.digest),
            follows_receipt_id=follows,
        )
    del item.exceptions[:]
    item.exceptions.extend(exceptions)
    outcomes = {exception.outcome for exception in exceptions}
    item.outcome = message_pb2.RECEIPT_OUTCOME_APPLIED
    for outcome in (_REFUSED, _PARKED):
        if outcome in outcomes:
            item.outcome = outcome
    return receipt.receipt_id


def exceptions_so_far(
    desk: Desk, replies: Replies, sender: OrgId, digest: str, receipt_id: str
) -> list[message_pb2.EventOutcome]:
    """Return what the latest receipt says of a message's events that were not applied."""
    _, item = _find(replies.receipts.get(sender, []), digest)
    if item is None:
        stored = desk.work.inbox.receipt(desk.org, receipt_id) or b""
        receipt = message_pb2.Receipt.FromString(SignedEnvelope.FromString(stored).payload)
        _, item = _find([receipt], digest)
    return list(item.exceptions) if item is not None else []


def ask_for(replies: Replies, desk: Desk, sender: OrgId, request: message_pb2.GapRequest) -> None:
    """Ask the sender for a gap; two gaps of one batch are asked for as one."""
    known = replies.gaps.get(sender)
    if known is not None:
        request.first_missing = min(request.first_missing, known.first_missing)
        request.last_missing = max(request.last_missing, known.last_missing)
    request.receiver, request.sender = str(desk.org), str(sender)
    request.requested_at.FromDatetime(desk.now)
    replies.gaps[sender] = request


def sign_replies(desk: Desk, replies: Replies) -> list[tuple[OrgId, bytes]]:
    """Sign and store the receipts, sign the gap requests; return all bytes by receiver."""
    for sender, receipt in ((s, r) for s, receipts in replies.receipts.items() for r in receipts):
        head = replies.heads.get(sender) or desk.work.inbox.lane(desk.org, sender).head
        receipt.head.CopyFrom(encode_head(head))
        envelope = desk.tools.signer.sign(desk.org, RECEIPT, receipt.SerializeToString())
        data = envelope.SerializeToString()
        desk.work.inbox.add_receipt(desk.org, receipt.receipt_id, sender, data)
        replies.ready.append((sender, data))
    for sender, request in replies.gaps.items():
        envelope = desk.tools.signer.sign(desk.org, GAP_REQUEST, request.SerializeToString())
        replies.ready.append((sender, envelope.SerializeToString()))
    return replies.ready


def leave_replies(desk: Desk, replies: Replies) -> None:
    """Sign and store receipts that an operator's command yields; the keeper of the lanes sends
    them at its next turn.
    """
    sign_replies(desk, replies)
    given = [receipt.receipt_id for receipts in replies.receipts.values() for receipt in receipts]
    known = desk.work.bookmarks.get(desk.org, _TO_SEND).split()
    desk.work.bookmarks.set(desk.org, _TO_SEND, " ".join(known + given))


def replies_left(desk: Desk) -> bool:
    """Say whether receipts wait to be sent."""
    return bool(desk.work.bookmarks.get(desk.org, _TO_SEND))


def take_replies(desk: Desk) -> list[tuple[OrgId, bytes]]:
    """Return the receipts that wait, by receiver. One that is lost is given again when its sender
    asks, as any other.
    """
    waiting = desk.work.bookmarks.get(desk.org, _TO_SEND).split()
    desk.work.bookmarks.set(desk.org, _TO_SEND, "")
    replies = []
    for data in (desk.work.inbox.receipt(desk.org, receipt_id) for receipt_id in waiting):
        if data is not None:
            envelope = SignedEnvelope.FromString(data)
            receipt = message_pb2.Receipt.FromString(envelope.payload)
            replies.append((OrgId.parse(receipt.sender), under_good_key(desk, data)))
    return replies


def _find(
    receipts: Sequence[message_pb2.Receipt], digest: str
) -> tuple[message_pb2.Receipt | None, message_pb2.ReceiptItem | None]:
    """Return the item that answers these bytes, with its receipt: an identifier may have twins."""
    for receipt in receipts:
        for item in receipt.items:
            if item.message_digest.hex() == digest:
                return receipt, item
    return None, None
