"""Setting aside what cannot take effect: in the open, with the bytes, where an operator finds it.

A message that has no place on its lane is refused to its sender, and the receipt names by digest
which bytes are meant. So the message taken under that number keeps its own receipt, and a sender
that never signed the other bytes is not concerned.
"""

import hashlib
from dataclasses import replace

from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.inbox import InMessage
from gateway.service.arrivals import ArrivedEvent, ArrivedMessage, ArrivedReceipt, Unauthentic
from gateway.service.arrived_returns import ArrivedReturn
from gateway.service.desk import Desk
from gateway.service.ended_keys import under_good_key
from gateway.service.give_receipts import Replies, answer, refused
from gateway.v1.envelope_pb2 import SignedEnvelope

_SHORT = 32  # digits of a digest that name what has no other name


def set_aside_bytes(desk: Desk, arrived: Unauthentic) -> None:
    """Keep bytes whose author is not certain."""
    _set_aside(
        desk,
        _letter(desk, DeadLetterKind.UNAUTHENTIC, arrived.reason, arrived.digest, arrived.data),
    )


def set_aside_returned(
    desk: Desk, reason: Reason, arrived: ArrivedReturn, event_id: str, digest: str
) -> None:
    """Keep a part of a return with a fact in it that cannot be; `digest` is that of the fact, and
    `event_id` what it calls itself, empty where that cannot be read.
    """
    kind, peer = DeadLetterKind.UNAUTHENTIC, arrived.author
    letter = replace(
        _letter(desk, kind, reason, digest, arrived.envelope, peer),
        subject=f"recovery:{peer}:{event_id or digest[:_SHORT]}",
        event_id=event_id,
    )
    _set_aside(desk, letter)


def set_aside_receipt(desk: Desk, arrived: ArrivedReceipt, digest: str) -> None:
    """Keep a receipt on which this node stumbled."""
    kind = DeadLetterKind.RECEIPT_FAILED
    letter = _letter(desk, kind, Reason.INTERNAL, digest, arrived.envelope, arrived.receiver)
    _set_aside(desk, letter)


def set_aside_unreadable(desk: Desk, arrived: ArrivedMessage, reason: Reason) -> None:
    """Keep a message of which a part could not be verified; its receipt refuses that part."""
    letter = _of_message(desk, DeadLetterKind.UNREADABLE, reason, arrived)
    _set_aside(desk, letter)


def refuse_twin(desk: Desk, arrived: ArrivedMessage, earlier: InMessage, replies: Replies) -> None:
    """Refuse a second message under an identifier or number, with both kept as evidence.

    While the earlier one is only kept, nobody knows which of the two continues the lane: then the
    second gets no answer yet, and comes again.
    """
    log(
        LogEvent.EQUIVOCATION, level="error", sender=str(arrived.sender), reason=Reason.EQUIVOCATION
    )
    letter = replace(
        _of_message(desk, DeadLetterKind.EQUIVOCATION, Reason.EQUIVOCATION, arrived),
        earlier_digest=earlier.digest,
        evidence=earlier.envelope,
    )
    _refuse_whole(desk, arrived, letter, replies, answered=bool(earlier.receipt_id))


def set_aside_contradiction(desk: Desk, arrived: ArrivedMessage, event: ArrivedEvent) -> None:
    """Keep a second fact under the identifier of one in the log, with that one: both are signed by
    their source, so that whoever has its public key sees the contradiction.
    """
    known = desk.work.events.get(desk.org, event.event.event_id)
    if known is None:
        return
    log(LogEvent.EQUIVOCATION, level="error", sender=str(event.source), reason=Reason.EQUIVOCATION)
    digest = _payload_digest(event.envelope)
    letter = replace(
        _letter(
            desk,
            DeadLetterKind.EQUIVOCATION,
            Reason.EQUIVOCATION,
            digest,
            event.envelope,
            event.source,
        ),
        message_id=arrived.place.message_id,
        event_id=event.event.event_id,
        earlier_digest=_payload_digest(known.envelope),
        evidence=known.envelope,
    )
    _set_aside(desk, letter)


def _payload_digest(envelope: bytes) -> str:
    return hashlib.sha256(SignedEnvelope.FromString(envelope).payload).hexdigest()


def refuse_broken(desk: Desk, arrived: ArrivedMessage, replies: Replies) -> None:
    """Refuse a message that does not continue the lane as it was taken here."""
    log(LogEvent.EQUIVOCATION, level="error", sender=str(arrived.sender), reason=Reason.LANE_BROKEN)
    letter = _of_message(desk, DeadLetterKind.LANE_BROKEN, Reason.LANE_BROKEN, arrived)
    _refuse_whole(desk, arrived, letter, replies, answered=True)


def _refuse_whole(
    desk: Desk, arrived: ArrivedMessage, letter: DeadLetter, replies: Replies, *, answered: bool
) -> None:
    known = desk.work.dead_letters.find(desk.org, letter.kind, letter.subject)
    if known is None:
        _set_aside(desk, letter)
        known = letter
    if known.receipt_id:
        receipt = desk.work.inbox.receipt(desk.org, known.receipt_id)
        if receipt is not None:  # None: it is being answered in this very batch
            replies.ready.append((arrived.sender, under_good_key(desk, receipt)))
    elif answered:
        receipt_id = answer(desk, replies, arrived, [refused("", letter.reason)])
        desk.work.dead_letters.put(desk.org, replace(known, receipt_id=receipt_id))


def _of_message(
    desk: Desk, kind: DeadLetterKind, reason: Reason, arrived: ArrivedMessage
) -> DeadLetter:
    digest, data = arrived.place.digest, arrived.envelope
    letter = _letter(desk, kind, reason, digest, data, arrived.sender)
    return replace(letter, message_id=arrived.place.message_id)


def _letter(
    desk: Desk,
    kind: DeadLetterKind,
    reason: Reason,
    digest: str,
    data: bytes,
    peer: OrgId | None = None,
) -> DeadLetter:
    return DeadLetter(
        desk.tools.ids.new(),
        kind,
        reason,
        subject=digest,
        arose_at=desk.now,
        peer=peer,
        digest=digest,
        envelope=data,
    )


def _set_aside(desk: Desk, letter: DeadLetter) -> None:
    if desk.work.dead_letters.add(desk.org, letter):
        log(LogEvent.MESSAGE_QUARANTINED, level="error", reason=letter.reason, org=str(desk.org))


def bury(desk: Desk, letter: DeadLetter) -> None:
    """Put something that was not set aside on the list: an event or message that stays where it is.

    Raises the alarm when it is new there.
    """
    if desk.work.dead_letters.add(desk.org, letter):
        log(
            LogEvent.DEAD_LETTER,
            level="error",
            org=str(desk.org),
            kind=letter.kind,
            reason=letter.reason,
            message=letter.message_id,
            event_id=letter.event_id,
        )
