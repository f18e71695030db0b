"""A hostile participant: it has keys of the directory and a place on the bus, and obeys nothing.

What it makes is right in every point unless a test asks for one that is wrong, so that each
refusal is for that point alone.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.codec import cases, enums, fields
from gateway.crypto.development import file_stem
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.ids import SystemIds
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.domain.commitments import commit
from gateway.domain.facts import FactKind
from gateway.domain.keys import KeyPurpose
from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, MESSAGE, TITLE
from gateway.domain.titles import Title, TitleRef, first_title, granted_title
from gateway.v1 import event_pb2, jurisdiction_pb2, letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.world.running import RunningProvince
from tests.world.running_estate import HOSTILE_NODE, RUNNING

NARRATIVE = event_pb2.PART_KIND_NARRATIVE


class Forger:
    """Makes signed events and messages of the hostile organisations, and puts them on the bus."""

    def __init__(self, world: RunningProvince) -> None:
        self.world = world
        self.ids = SystemIds()
        folder = world.directory / "nodes" / HOSTILE_NODE / "keys"
        homes = next(node for node in RUNNING.nodes if node.name == HOSTILE_NODE).organisations
        self._keyring = Keyring.load(
            {
                home.id: [
                    f"file:{folder / file_stem(home.id)}.{kind}.pem" for kind in ("sign", "seal")
                ]
                for home in homes
            }
        )
        authority = (world.directory / "authority.pub.pem").read_bytes()
        self.directory = SignedDirectory(world.directory / "directory.bin", authority)
        self.signer = DirectorySigner(self._keyring, self.directory, world.clock)
        self._lanes: dict[tuple[OrgId, OrgId], SendingLane] = {}

    def lane(self, sender: OrgId, receiver: OrgId) -> SendingLane:
        """Return where the lane stands: the number of the next message, the hash of the last."""
        return self._lanes.get((sender, receiver), SendingLane())

    def moment(self, **ahead: float) -> Timestamp:
        """Return the present moment of the world, or one that lies ahead of it."""
        stamp = fields.timestamp(self.world.clock.now() + timedelta(**ahead))
        assert stamp is not None
        return stamp

    def event(
        self,
        source: OrgId,
        kind: FactKind,
        body: Any,
        references: Sequence[event_pb2.CaseReference] = (),
        **changed: Any,
    ) -> SignedEnvelope:
        """Return an event of the source, signed by it; `changed` replaces fields of the event."""
        values: dict[str, Any] = {
            "event_id": self.ids.new(),
            "type": enums.wire(kind),
            "schema_version": 1,
            "source": str(source),
            "actor_post": "CASE_OFFICER",
            "cases": references,
            "occurred_at": self.moment(),
            "recorded_at": self.moment(),
            "sensitivity": event_pb2.SENSITIVITY_TOKEN,
            kind.value: body,
        }
        signer: OrgId = changed.pop("signer", source)
        event = event_pb2.Event(**(values | changed))
        return self.signer.sign(signer, EVENT, event.SerializeToString())

    def message(
        self,
        sender: OrgId,
        receiver: OrgId,
        events: Sequence[message_pb2.CarriedEvent],
        *,
        signer: OrgId | None = None,
        seal_for: OrgId | None = None,
        **changed: Any,
    ) -> bytes:
        """Return a message in its turn, sealed and signed; `changed` replaces header fields."""
        lane = self.lane(sender, receiver)
        key = self.directory.current_key(
            seal_for or receiver, KeyPurpose.SEAL, self.world.clock.now()
        )
        assert key is not None
        values: dict[str, Any] = {
            "message_id": self.ids.new(),
            "sender": str(sender),
            "receiver": str(receiver),
            "lane_incarnation": lane.incarnation,
            "lane_sequence": lane.next_sequence,
            "previous_message_hash": bytes.fromhex(lane.head_hash),
            "created_at": self.moment(),
            "seal_key_id": key.key_id,
        }
        header = message_pb2.MessageHeader(**(values | changed)).SerializeToString()
        content = message_pb2.MessageContent(events=events).SerializeToString()
        sealed = KeyringSealer(self._keyring).seal(key, header, content)
        message = message_pb2.Message(header=header, sealed_content=sealed).SerializeToString()
        return self.signer.sign(signer or sender, MESSAGE, message).SerializeToString()

    def sent(self, sender: OrgId, receiver: OrgId, data: bytes) -> bytes:
        """Put a message into the letter-box and count it on the lane; return its bytes."""
        self.counted(sender, receiver, data)
        self.put(receiver, data)
        return data

    def counted(self, sender: OrgId, receiver: OrgId, data: bytes) -> None:
        """Count a message on its lane."""
        digest = hashlib.sha256(SignedEnvelope.FromString(data).payload).hexdigest()
        self._lanes[sender, receiver] = self.lane(sender, receiver).advanced(digest)

    def put(self, receiver: OrgId, data: bytes) -> None:
        """Put bytes into the letter-box as they are."""
        self.world.run(self.world.observer.put(receiver, data))

    def title(self, holder: OrgId) -> "SignedTitle":
        """Return the first title of a case of the forger's own."""
        return self._signed_title(first_title(str(uuid4()), holder, self.ids.new()))

    def next_title(self, present: "SignedTitle", to: OrgId) -> "SignedTitle":
        """Return the title by which its holder passes the case on."""
        return self._signed_title(granted_title(present.title, to, self.ids.new()))

    def _signed_title(self, title: Title) -> "SignedTitle":
        wire = cases.encode_title(title)
        wire.made_at.CopyFrom(self.moment())
        envelope = self.signer.sign(title.maker, TITLE, wire.SerializeToString())
        digest = hashlib.sha256(envelope.payload).hexdigest()
        return SignedTitle(cases.decode_title(wire, digest), envelope)

    def letter(
        self,
        title: "SignedTitle",
        recipient: OrgId,
        *,
        text: str = "",
        identity: bytes = b"",
        titles: Sequence["SignedTitle"] = (),
        **changed: Any,
    ) -> "ForgedLetter":
        """Return a notification about the case of the title, from the title's holder."""
        sender, case_id = title.title.holder, title.title.case_id
        enrolled = (titles or [title])[0].title.maker.division
        reference = event_pb2.CaseReference(
            case_id=case_id, subject_id=str(uuid4()), episode=1, title=title.reference
        )
        line = letter_pb2.LetterLine(
            line_no=1,
            case_id=case_id,
            subject_id=reference.subject_id,
            jurisdiction_row="J2",
            enrolment_county=enrolled,
            hukou_county=recipient.division,
            school=f"{enrolled}/sch/3153000999",
            episode=1,
            title=title.reference,
        )
        letter = letter_pb2.Letter(
            letter_id=self.ids.new(),
            letter_no="演教函〔2026〕1号",
            kind=jurisdiction_pb2.LETTER_KIND_NOTIFICATION,
            sender=str(sender),
            recipient=str(recipient),
            title="告知非本地户籍学生辍学情况的函",
            signatory_post="APPROVER",
            sign_date="2026-11-23",
            lines=[line],
        )
        parts = [_part(text)] if text else []
        if identity:
            subject = reference.subject_id
            parts.append(_private(event_pb2.PART_KIND_IDENTITY, subject, identity))
        envelope = self.event(
            sender,
            FactKind.LETTER_DISPATCHED,
            letter_pb2.LetterDispatched(letter=letter),
            [reference],
            commitments=[_commitment(part) for part in parts],
            **changed,
        )
        carried = message_pb2.CarriedEvent(
            event=envelope, parts=parts, titles=[one.envelope for one in (titles or [title])]
        )
        return ForgedLetter(letter.letter_id, reference, carried)

    def renamed(self, letter: "ForgedLetter", letter_id: str) -> message_pb2.CarriedEvent:
        """Return the event of a letter, signed anew for the letter under another identifier."""
        event = event_pb2.Event.FromString(letter.carried.event.payload)
        event.letter_dispatched.letter.letter_id = letter_id
        signed = self.signer.sign(OrgId.parse(event.source), EVENT, event.SerializeToString())
        return message_pb2.CarriedEvent(event=signed, titles=letter.carried.titles)


class SignedTitle:
    """A title and the envelope with its maker's signature."""

    def __init__(self, title: Title, envelope: SignedEnvelope) -> None:
        self.title = title
        self.envelope = envelope
        reference = cases.encode_title_ref(TitleRef(title.epoch, title.hash, title.holder))
        assert reference is not None
        self.reference = reference


class ForgedLetter:
    """A letter's identifier, its case, and the event that carries it."""

    def __init__(
        self,
        letter_id: str,
        reference: event_pb2.CaseReference,
        carried: message_pb2.CarriedEvent,
    ) -> None:
        self.letter_id = letter_id
        self.reference = reference
        self.carried = carried

    @property
    def event_id(self) -> str:
        """Identifier of the event."""
        return event_pb2.Event.FromString(self.carried.event.payload).event_id


def _part(text: str) -> event_pb2.PrivatePart:
    return _private(NARRATIVE, "", event_pb2.Narrative(text=text).SerializeToString())


def _private(
    kind: event_pb2.PartKind.ValueType, subject_id: str, content: bytes
) -> event_pb2.PrivatePart:
    salt = b"salt of the forger"
    return event_pb2.PrivatePart(kind=kind, subject_id=subject_id, salt=salt, content=content)


def _commitment(part: event_pb2.PrivatePart) -> event_pb2.Commitment:
    digest = commit(part.kind, part.subject_id, part.salt, part.content)
    return event_pb2.Commitment(kind=part.kind, subject_id=part.subject_id, digest=digest)
