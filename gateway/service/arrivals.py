"""Reading what the bus brought: verified before it is parsed, step by step, without the store.

1. the outer envelope verifies as one of the kinds of mail below (the verifier's own steps);
2. its payload parses and names its signer as author;
3. it is addressed to this organisation;
then, for a message whose author is now certain and whose number therefore counts:
4. the seal opens with the header bound to it;
5. every event inside verifies (by the moment of its record if its key has ended since), and its
   signer is its source;
6. type and body agree, the source's role may state such a fact, the time is not in the future;
7. the message's sender is the source, or may pass such a fact on;
8. every private part fits its commitment, and is one that this organisation may see.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError

from gateway.codec import enums, fields, lanes
from gateway.domain import payload_types
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import RULES, FactKind
from gateway.domain.lanes import MOST_EVENTS, Arrival
from gateway.domain.organisations import OrgId, Role
from gateway.ports.signing import Verification
from gateway.ports.vault import VaultPart
from gateway.service.arrived_returns import ArrivedReturn, read_return
from gateway.service.desk import Tools
from gateway.service.ended_keys import NOT_YET, verify_event
from gateway.service.private_parts import check_parts, seen_by
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event

_SKEW = timedelta(minutes=10)  # B33
_WITHOUT_CASE = frozenset(
    {
        FactKind.ABSENCE_REPORTED,
        FactKind.PLATFORM_ENTRY_RECORDED,
        FactKind.HUKOU_ASSERTED,
        FactKind.ENROLMENT_ASSERTED,
    }
)
"""Kinds of facts that may stand outside every case."""


@dataclass(frozen=True)
class ArrivedEvent:
    """A verified event and who brought it; `fault` is set when it must be refused as it is.

    `heard_again` marks one that a store which lost its memory hears, perhaps for the second time.
    """

    kind: FactKind
    event: Event
    envelope: bytes
    source: OrgId
    sender: OrgId
    parts: tuple[VaultPart, ...]
    titles: tuple[SignedEnvelope, ...]
    fault: Refusal | None = None
    heard_again: bool = False

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Cases the event is about."""
        return tuple(reference.case_id for reference in self.event.cases)


@dataclass(frozen=True)
class Fault:
    """An inner item that could not be verified. `event_id` is what it calls itself, unproved; it is
    empty when the whole message is meant or nothing could be read.
    """

    reason: Reason
    event_id: str = ""


@dataclass(frozen=True)
class ArrivedMessage:
    """An authenticated message. `faults` are inner items that could not be verified."""

    sender: OrgId
    place: Arrival
    envelope: bytes
    events: tuple[ArrivedEvent, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ArrivedReceipt:
    """An authenticated receipt from `receiver` for messages of this organisation."""

    receiver: OrgId
    receipt: message_pb2.Receipt
    envelope: bytes


@dataclass(frozen=True)
class ArrivedGapRequest:
    """An authenticated request to send messages again."""

    receiver: OrgId
    request: message_pb2.GapRequest


@dataclass(frozen=True)
class ArrivedStatement:
    """An authenticated statement of how the lanes with `author` stand at its end."""

    author: OrgId
    statement: message_pb2.LaneStatement


@dataclass(frozen=True)
class Unauthentic:
    """Bytes that failed a check before their author was certain: kept aside, never answered."""

    reason: Reason
    data: bytes
    digest: str = field(default="")


_Control = ArrivedReceipt | ArrivedGapRequest | ArrivedStatement | ArrivedReturn
Arrived = ArrivedMessage | _Control | Unauthentic


def read_arrival(tools: Tools, org: OrgId, data: bytes, now: datetime) -> Arrived:
    """Read one item from the letter-box of `org`. Never raises for bad input."""
    try:
        envelope = SignedEnvelope.FromString(data)
        signer = _signer(tools.verifier.verify(envelope, envelope.payload_type, now))
        match envelope.payload_type:
            case payload_types.MESSAGE:
                return _message(tools, org, envelope, signer, now, data)
            case payload_types.RECEIPT:
                receipt = message_pb2.Receipt.FromString(envelope.payload)
                _require_author(signer, receipt.receiver)
                _require_receiver(org, receipt.sender)
                _require_id(receipt.receipt_id)
                lanes.check_heads(receipt.head)
                return ArrivedReceipt(signer, receipt, data)
            case payload_types.GAP_REQUEST:
                request = message_pb2.GapRequest.FromString(envelope.payload)
                _require_author(signer, request.receiver)
                _require_receiver(org, request.sender)
                return ArrivedGapRequest(signer, request)
            case payload_types.LANE_STATEMENT:
                statement = message_pb2.LaneStatement.FromString(envelope.payload)
                _require_author(signer, statement.author)
                _require_receiver(org, statement.peer)
                fields.moment(statement.stated_at, "stated_at")
                lanes.check_heads(statement.sent, statement.received)
                return ArrivedStatement(signer, statement)
            case payload_types.RETURNED_FACTS:
                return read_return(tools, org, signer, envelope.payload, data)
            case _:
                raise _refusal(Reason.PAYLOAD_TYPE_UNEXPECTED)
    except DecodeError:
        reason = Reason.ENVELOPE_MALFORMED
    except Refusal as refusal:
        reason = refusal.reason
    return Unauthentic(reason, data, hashlib.sha256(data).hexdigest())


def _refusal(reason: Reason) -> Refusal:
    return Refusal(reason, "What arrived failed a check.", "See the dead letters.")


def _signer(verification: Verification) -> OrgId:
    if verification.refusal is not None or verification.signer is None:
        raise _refusal(verification.refusal or Reason.KEY_UNKNOWN)
    return verification.signer


def _require_author(signer: OrgId, stated: str) -> None:
    if str(signer) != stated:
        raise _refusal(Reason.SIGNER_MISMATCH)


def _require_receiver(org: OrgId, stated: str) -> None:
    if str(org) != stated:
        raise _refusal(Reason.WRONG_RECEIVER)


def _message(
    tools: Tools,
    org: OrgId,
    envelope: SignedEnvelope,
    signer: OrgId,
    now: datetime,
    data: bytes,
) -> ArrivedMessage | Unauthentic:
    message = message_pb2.Message.FromString(envelope.payload)
    header = message_pb2.MessageHeader.FromString(message.header)
    _require_author(signer, header.sender)
    _require_receiver(org, header.receiver)
    place = Arrival(
        fields.uuid(header.message_id, "message_id"),
        hashlib.sha256(envelope.payload).hexdigest(),
        header.lane_incarnation,
        header.lane_sequence,
        header.previous_message_hash.hex(),
    )
    try:
        clear = tools.sealer.open(org, header.seal_key_id, message.header, message.sealed_content)
        content = message_pb2.MessageContent.FromString(clear)
    except DecodeError:
        return ArrivedMessage(signer, place, data, faults=(Fault(Reason.PAYLOAD_INVALID),))
    except Refusal as refusal:
        return ArrivedMessage(signer, place, data, faults=(Fault(refusal.reason),))
    if len(content.events) > MOST_EVENTS:
        return ArrivedMessage(signer, place, data, faults=(Fault(Reason.TOO_LARGE),))
    events, faults = [], []
    for carried in content.events:
        try:
            events.append(_event(tools, org, signer, carried, now))
        except DecodeError:
            faults.append(Fault(Reason.PAYLOAD_INVALID))
        except Refusal as refusal:
            faults.append(Fault(refusal.reason, stated_id(carried)))
    if any(fault.reason in NOT_YET for fault in faults):
        # The directory here may be older than the key: the sender sends again, nothing is lost.
        return Unauthentic(faults[0].reason, data, hashlib.sha256(data).hexdigest())
    return ArrivedMessage(signer, place, data, tuple(events), tuple(faults))


def _event(
    tools: Tools, org: OrgId, sender: OrgId, carried: message_pb2.CarriedEvent, now: datetime
) -> ArrivedEvent:
    """Check steps 5 to 8. Raises while the source is uncertain; afterwards sets `fault`."""
    source = _signer(verify_event(tools, carried.event, now, brought_by=sender))
    event = Event.FromString(carried.event.payload)
    _require_author(source, event.source)
    kind = enums.maybe(FactKind, event.type)
    if kind is None or event.WhichOneof("body") != kind.value:
        raise _refusal(Reason.PAYLOAD_INVALID)
    _require_id(event.event_id)
    fault: Refusal | None = None
    parts: tuple[VaultPart, ...] = ()
    try:
        _check_standing(kind, source, sender)
        _check_references(kind, event)
        if fields.moment(event.recorded_at, "recorded_at") > now + _SKEW:
            raise _refusal(Reason.FROM_THE_FUTURE)
        if fields.moment(event.occurred_at, "occurred_at") > now + _SKEW:
            raise _refusal(Reason.FROM_THE_FUTURE)
        parts = seen_by(org, check_parts(event, carried.parts))
    except Refusal as refusal:
        fault = refusal
    return ArrivedEvent(
        kind,
        event,
        carried.event.SerializeToString(),
        source,
        sender,
        parts,
        tuple(carried.titles),
        fault,
    )


def _require_id(text: str) -> None:
    """Raise Refusal(PAYLOAD_INVALID) unless the text is a UUID in its one canonical form."""
    try:
        canonical = fields.uuid(text, "id")
    except Refusal:
        canonical = ""
    if not canonical or canonical != text:
        raise _refusal(Reason.PAYLOAD_INVALID)


def stated_id(carried: message_pb2.CarriedEvent) -> str:
    """Return what an unproved event calls itself, so that its sender can tell which is meant."""
    try:
        return fields.uuid(Event.FromString(carried.event.payload).event_id, "event_id")
    except (DecodeError, Refusal):
        return ""


def _check_references(kind: FactKind, event: Event) -> None:
    """Every fact names its cases, each once, except those that come before there is a case."""
    if not event.cases and kind not in _WITHOUT_CASE:
        raise _refusal(Reason.PAYLOAD_INVALID)
    for reference in event.cases:
        _require_id(reference.case_id)
        _require_id(reference.subject_id)
    if len({reference.case_id for reference in event.cases}) != len(event.cases):
        raise _refusal(Reason.PAYLOAD_INVALID)


def _check_standing(kind: FactKind, source: OrgId, sender: OrgId) -> None:
    rule = RULES[kind]
    if source.role not in rule.sources:
        raise _refusal(Reason.ROLE_NOT_ALLOWED)
    if sender != source and not (rule.passed_on and sender.role is Role.EDU):
        raise _refusal(Reason.SIGNER_MISMATCH)
