"""Hand-made mail: what a node signs with its own keys, but its gateway would never send."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from gateway.codec import cases, enums, fields
from gateway.domain.cases import DropoutCase
from gateway.domain.facts import FactKind
from gateway.domain.keys import KeyPurpose
from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, MESSAGE, RECEIPT
from gateway.domain.titles import TitleRef
from gateway.ports.vault import VaultPart
from gateway.service.private_parts import commitments
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import CaseReference, Event, PrivatePart
from tests.world.province import Province, TestNode


@dataclass(frozen=True)
class Mail:
    """A forged message: its identifier, its signed bytes and their digest."""

    message_id: str
    data: bytes
    digest: bytes


def of_case(case: DropoutCase, title: TitleRef | None = None) -> CaseReference:
    """Return the reference by which an event names a case."""
    return CaseReference(
        case_id=case.id,
        subject_id=case.subject_id,
        episode=case.episode,
        title=cases.encode_title_ref(title or case.title),
    )


class Forge:
    """Makes events and messages under the keys of any organisation of the province.

    Messages go on lanes that the organisation's own gateway does not use in the test.
    """

    def __init__(self, province: Province) -> None:
        self._province = province
        self._lanes: dict[tuple[OrgId, OrgId], SendingLane] = {}

    def go_on(self, sender: OrgId, receiver: OrgId, lane: SendingLane) -> None:
        """Go on with a lane as it stands at its sender."""
        self._lanes[sender, receiver] = lane

    def _node(self, org: OrgId) -> TestNode:
        return self._province.node_of[org]

    def event(
        self,
        source: OrgId,
        kind: FactKind,
        body: Message,
        references: Sequence[CaseReference] = (),
        /,
        *,
        parts: Sequence[VaultPart] = (),
        signer: OrgId | None = None,
        **other: Any,
    ) -> SignedEnvelope:
        """Return a signed event of that source; `other` are fields that differ from the usual."""
        now = fields.timestamp(self._province.clock.now())
        values: dict[str, Any] = {
            "event_id": self._node(source).tools.ids.new(),
            "type": enums.wire(kind),
            "schema_version": 1,
            "source": str(source),
            "actor_post": "CASE_OFFICER",
            "cases": references,
            "occurred_at": now,
            "recorded_at": now,
            "commitments": commitments(parts),
            kind.value: body,
        }
        event = Event(**(values | other))
        signer = signer or source
        return self._node(signer).tools.signer.sign(signer, EVENT, event.SerializeToString())

    def carried(
        self,
        event: SignedEnvelope,
        *,
        parts: Sequence[VaultPart] = (),
        titles: Sequence[bytes] = (),
    ) -> message_pb2.CarriedEvent:
        """Return the event with what travels beside it."""
        beside = [
            PrivatePart(
                kind=part.kind,  # type: ignore[arg-type]
                subject_id=part.subject_id,
                salt=part.salt,
                content=part.content,
            )
            for part in parts
        ]
        chain = [SignedEnvelope.FromString(title) for title in titles]
        return message_pb2.CarriedEvent(event=event, parts=beside, titles=chain)

    def mail(
        self, sender: OrgId, receiver: OrgId, /, *events: message_pb2.CarriedEvent, **other: Any
    ) -> Mail:
        """Return the next message of the lane; `other` are header fields that differ."""
        tools = self._node(sender).tools
        lane = self._lanes.get((sender, receiver), SendingLane())
        key = tools.directory.current_key(receiver, KeyPurpose.SEAL, self._province.clock.now())
        assert key is not None
        values: dict[str, Any] = {
            "message_id": tools.ids.new(),
            "sender": str(sender),
            "receiver": str(receiver),
            "lane_incarnation": lane.incarnation,
            "lane_sequence": lane.next_sequence,
            "previous_message_hash": bytes.fromhex(lane.head_hash),
            "created_at": fields.timestamp(self._province.clock.now()),
            "seal_key_id": key.key_id,
        }
        header = message_pb2.MessageHeader(**(values | other))
        clear = header.SerializeToString()
        content = message_pb2.MessageContent(events=events).SerializeToString()
        message = message_pb2.Message(
            header=clear, sealed_content=tools.sealer.seal(key, clear, content)
        )
        envelope = tools.signer.sign(sender, MESSAGE, message.SerializeToString())
        digest = hashlib.sha256(envelope.payload).digest()
        self._lanes[sender, receiver] = lane.advanced(digest.hex())
        return Mail(header.message_id, envelope.SerializeToString(), digest)

    def receipt(self, receiver: OrgId, sender: OrgId, *items: message_pb2.ReceiptItem) -> bytes:
        """Return a signed receipt for messages of the sender."""
        tools = self._node(receiver).tools
        receipt = message_pb2.Receipt(
            receipt_id=tools.ids.new(),
            receiver=str(receiver),
            sender=str(sender),
            items=items,
            received_at=fields.timestamp(self._province.clock.now()),
        )
        signed = tools.signer.sign(receiver, RECEIPT, receipt.SerializeToString())
        return signed.SerializeToString()
