"""Private parts: made from the vault for an event, committed to, and checked on arrival."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from google.protobuf.message import DecodeError

from gateway.codec import cases, enums, subjects
from gateway.domain.cases import DropoutReason, Whereabouts
from gateway.domain.commitments import commit, matches
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.domain.visibility import PartKind, may_see
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.v1 import case_pb2, event_pb2, subject_pb2


def identity_parts(desk: Desk, subject_id: str) -> list[VaultPart]:
    """Return new parts with identity (full and masked) and guardian of a child known here.

    Every event gets parts with salts of its own, so that two events cannot be linked by them.
    """
    parts: list[VaultPart] = []
    for kept in desk.work.vault.reveal(desk.org, subject_id, purpose="private parts of a fact"):
        parts.append(_part(desk, kept.kind, subject_id, kept.content))
        if kept.kind == enums.wire(PartKind.IDENTITY):
            full = subject_pb2.PersonIdentity.FromString(kept.content)
            masked = subjects.mask_identity(full).SerializeToString()
            parts.append(_part(desk, enums.wire(PartKind.MASKED_IDENTITY), subject_id, masked))
    return parts


def narrative_part(desk: Desk, text: str) -> list[VaultPart]:
    """Return a part with free text, none for an empty text."""
    if not text:
        return []
    content = event_pb2.Narrative(text=text).SerializeToString()
    return [_part(desk, enums.wire(PartKind.NARRATIVE), "", content)]


def reason_part(desk: Desk, subject_id: str, reason: DropoutReason) -> list[VaultPart]:
    """Return a part with the reason, none for an unknown one (B12: for the bureau only)."""
    if reason is DropoutReason.UNKNOWN:
        return []
    content = event_pb2.StatedReason(reason=enums.wire(reason)).SerializeToString()
    return [_part(desk, enums.wire(PartKind.REASON), subject_id, content)]


def whereabouts_part(
    desk: Desk, subject_id: str, whereabouts: Whereabouts | None
) -> list[VaultPart]:
    """Return a part with where the child is, none when that is not recorded."""
    wire = cases.encode_whereabouts(whereabouts)
    if wire is None:
        return []
    kind = enums.wire(PartKind.WHEREABOUTS)
    return [_part(desk, kind, subject_id, wire.SerializeToString())]


def stated_reason(parts: Iterable[VaultPart]) -> DropoutReason:
    """Return the reason that came with an event; unknown when this organisation may not see it."""
    for part in parts:
        if part.kind == enums.wire(PartKind.REASON):
            return cases.decode_reason(event_pb2.StatedReason.FromString(part.content).reason)
    return DropoutReason.UNKNOWN


def stated_whereabouts(parts: Iterable[VaultPart]) -> Whereabouts | None:
    """Return the whereabouts that came with an event, None when they did not."""
    for part in parts:
        if part.kind == enums.wire(PartKind.WHEREABOUTS):
            return cases.decode_whereabouts(case_pb2.Whereabouts.FromString(part.content))
    return None


def _part(desk: Desk, kind: int, subject_id: str, content: bytes) -> VaultPart:
    return VaultPart(kind, subject_id, desk.tools.ids.salt(), content)


def commitments(parts: Iterable[VaultPart]) -> list[event_pb2.Commitment]:
    """Return the commitments that the signed event carries."""
    return [
        event_pb2.Commitment(
            kind=part.kind,  # type: ignore[arg-type]
            subject_id=part.subject_id,
            digest=commit(part.kind, part.subject_id, part.salt, part.content),
        )
        for part in parts
    ]


def disclosed_to(receiver: OrgId, parts: Sequence[VaultPart]) -> list[event_pb2.PrivatePart]:
    """Return those parts that the receiver's role may see (D.6)."""
    return [
        event_pb2.PrivatePart(
            kind=part.kind,  # type: ignore[arg-type]
            subject_id=part.subject_id,
            salt=part.salt,
            content=part.content,
        )
        for part in seen_by(receiver, parts)
    ]


def seen_by(receiver: OrgId, parts: Sequence[VaultPart]) -> tuple[VaultPart, ...]:
    """Return those parts that the receiver's role may see: what it was shown besides is not kept."""
    return tuple(
        part
        for part in parts
        if (kind := enums.maybe(PartKind, part.kind)) and may_see(receiver.role, kind)
    )


def check_parts(
    event: event_pb2.Event, parts: Iterable[event_pb2.PrivatePart]
) -> tuple[VaultPart, ...]:
    """Return the parts that came with an event after holding each against its commitment.

    Raises Refusal(PART_MISMATCH) when a part has none or does not fit it, or belongs to a child
    that the event is not about: nobody states another child's identity in passing.
    """
    about = {"", event.subject_id, *(reference.subject_id for reference in event.cases)}
    digests = {(c.kind, c.subject_id): c.digest for c in event.commitments if c.subject_id in about}
    checked = []
    for part in parts:
        digest = digests.get((part.kind, part.subject_id))
        if digest is None or not matches(
            digest, part.kind, part.subject_id, part.salt, part.content
        ):
            raise Refusal(
                Reason.PART_MISMATCH,
                "A private part does not fit its commitment in the signed event.",
                "The sender must send the parts that belong to the event.",
            )
        _require_readable(part.kind, part.content)
        checked.append(VaultPart(part.kind, part.subject_id, part.salt, part.content))
    return tuple(checked)


_CONTENT: Mapping[PartKind, Callable[[bytes], object]] = {
    PartKind.IDENTITY: lambda c: subjects.read_identity(subject_pb2.PersonIdentity.FromString(c)),
    PartKind.MASKED_IDENTITY: lambda c: subjects.read_identity(
        subject_pb2.PersonIdentity.FromString(c)
    ),
    PartKind.GUARDIAN: subject_pb2.GuardianContact.FromString,
    PartKind.NARRATIVE: event_pb2.Narrative.FromString,
    PartKind.REASON: event_pb2.StatedReason.FromString,
    PartKind.WHEREABOUTS: lambda c: cases.decode_whereabouts(case_pb2.Whereabouts.FromString(c)),
}
"""How the content of each kind of part is read."""


def _require_readable(kind: int, content: bytes) -> None:
    """Raise Refusal(PART_MISMATCH) for content that nobody could read later."""
    part = enums.maybe(PartKind, kind)
    try:
        if part is not None:
            _CONTENT[part](content)
    except (DecodeError, ValueError, Refusal):
        raise Refusal(
            Reason.PART_MISMATCH,
            "A private part does not hold what its kind says.",
            "The sender must send the parts as the contract describes them.",
        ) from None
