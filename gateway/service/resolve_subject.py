"""Finding a child by its identifiers, or registering it under a new random token."""

from gateway.codec import enums, subjects
from gateway.domain.errors import Reason, Refusal
from gateway.domain.identifiers import matching_name
from gateway.domain.subjects import GuardianContact, PersonIdentity, Subject
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.v1 import subject_pb2


def resolve_subject(
    desk: Desk, request: subject_pb2.ResolveSubjectRequest
) -> subject_pb2.ResolveSubjectResponse:
    """SubjectService.ResolveSubject."""
    identity = subjects.decode_identity(request.identity, desk.today)
    guardian = subjects.decode_guardian(request.guardian) if request.HasField("guardian") else None
    subject, registered = find_or_register(desk, identity, guardian)
    # The answer is stored for repetition: it holds the token, and identity is asked for by it.
    wire = subjects.encode_subject(subject)
    return subject_pb2.ResolveSubjectResponse(subject=wire, registered=registered)


def find_or_register(
    desk: Desk, identity: PersonIdentity, guardian: GuardianContact | None, token: str = ""
) -> tuple[Subject, bool]:
    """Return the child's record at this organisation, and whether it is new.

    A child is found by identity number, else by enrolment number; one that has neither by name,
    birth date and sex together (exact after normalising, B29). `token` is that under which others
    know the child, for a record that is made because their event arrived.

    Raises Refusal(IDENTITY_CONFLICT) when the identifiers belong to different children.
    """
    keys = identifiers(identity)
    found = {key: desk.work.vault.find(desk.org, key) for key in keys}
    tokens = {known for known in found.values() if known is not None}
    if len(tokens) > 1:
        raise Refusal(
            Reason.IDENTITY_CONFLICT,
            "These identifiers belong to different children in this organisation's records.",
            "Check the numbers; records of one child are merged by the education bureau.",
        )
    known = desk.work.subjects.get(desk.org, next(iter(tokens))) if tokens else None
    subject = known or Subject(id=token or desk.tools.ids.token(), changed_at=desk.now)
    if known is None:
        desk.work.subjects.put(desk.org, subject)
    _keep_parts(desk, subject.id, identity, guardian)
    for key in keys:
        if found[key] is None:
            desk.work.vault.index(desk.org, subject.id, key)
    return subject, known is None


def identifiers(identity: PersonIdentity) -> list[str]:
    """Return the keys under which a child is found again; they go into the blind index only."""
    keys = [number for number in (identity.id_number, identity.enrolment_number) if number]
    if keys:
        return keys
    return [f"{matching_name(identity.name)}|{identity.birth_date}|{identity.sex or ''}"]


def keep_identity(
    desk: Desk, subject_id: str, identity: PersonIdentity, guardian: GuardianContact | None
) -> None:
    """Put identity and guardian into the vault under the child's token and index them.

    An identifier stays with the token under which it was first known here.
    """
    _keep_parts(desk, subject_id, identity, guardian)
    for key in identifiers(identity):
        if desk.work.vault.find(desk.org, key) is None:
            desk.work.vault.index(desk.org, subject_id, key)


def _keep_parts(
    desk: Desk, subject_id: str, identity: PersonIdentity, guardian: GuardianContact | None
) -> None:
    full = subjects.encode_identity(identity).SerializeToString()
    parts = [VaultPart(enums.wire(PartKind.IDENTITY), subject_id, b"", full)]
    if guardian is not None:
        contact = subjects.encode_guardian(guardian).SerializeToString()
        parts.append(VaultPart(enums.wire(PartKind.GUARDIAN), subject_id, b"", contact))
    desk.work.vault.put(desk.org, subject_id, parts)


def same_child(desk: Desk, subject_id: str) -> str:
    """Return the token under which this organisation has long known the child that others call
    `subject_id`; that token itself when it knows it by no other.
    """
    for part in desk.work.vault.reveal(desk.org, subject_id, purpose="matching a child"):
        if part.kind == enums.wire(PartKind.IDENTITY):
            identity = subjects.read_identity(subject_pb2.PersonIdentity.FromString(part.content))
            for key in identifiers(identity):
                found = desk.work.vault.find(desk.org, key)
                if found is not None:
                    return found
    return subject_id
