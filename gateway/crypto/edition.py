"""One edition of the directory as a value, and its wire form.

Reading is strict: the authority signed the document, but a slip of the authority must not become
a key under a wrong name, so an edition that contradicts itself is refused whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.codec.entitlements import decode_entitlement, encode_entitlement
from gateway.crypto.faults import DirectoryFault
from gateway.crypto.suites import SEAL_SUITES, SIGNATURE_SUITES, key_id_of
from gateway.domain.entitlements import Entitlement
from gateway.domain.errors import Refusal
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.organisations import Organisation, OrgId
from gateway.v1 import directory_pb2 as wire


@dataclass(frozen=True)
class Edition:
    """Everything the directory says at one version.

    Attributes:
        version: from 1, rising with every change.
        issued_at: when the authority issued it, aware UTC.
        organisations: who takes part.
        keys: every public key, revoked and expired ones too.
        entitlements: who may follow whose facts, ended ones too.
    """

    version: int
    issued_at: datetime
    organisations: tuple[Organisation, ...]
    keys: tuple[PublicKey, ...]
    entitlements: tuple[Entitlement, ...] = ()


def encode_edition(edition: Edition) -> bytes:
    """Return the serialised `DirectoryDocument`. Serialised once, then signed."""
    document = wire.DirectoryDocument(
        version=edition.version,
        issued_at=_timestamp(edition.issued_at),
        organisations=[_organisation_message(org) for org in edition.organisations],
        keys=[_key_message(key) for key in edition.keys],
        entitlements=[encode_entitlement(one) for one in edition.entitlements],
    )
    return document.SerializeToString()


def decode_edition(payload: bytes) -> Edition:
    """Read a verified `DirectoryDocument`.

    Raises:
        DirectoryFault: it does not parse or contradicts itself.
    """
    try:
        document = wire.DirectoryDocument.FromString(payload)
        edition = Edition(
            version=document.version,
            issued_at=_moment(document.issued_at),
            organisations=tuple(_organisation(org) for org in document.organisations),
            keys=tuple(_key(key) for key in document.keys),
            entitlements=tuple(decode_entitlement(one) for one in document.entitlements),
        )
    except DecodeError:
        raise _faulty("it does not parse") from None
    except Refusal as refusal:
        raise _faulty(f"it holds a malformed field: {refusal.message}") from refusal
    # A moment that no calendar has, or a number that is no known purpose or algorithm.
    except (ValueError, OverflowError) as error:
        raise _faulty(f"it holds an impossible value: {error}") from error
    _check(edition)
    return edition


def _check(edition: Edition) -> None:
    """Refuse an edition that contradicts itself."""
    owners = {org.id for org in edition.organisations}
    if edition.version < 1:
        raise _faulty("its version is below 1")
    if len(owners) < len(edition.organisations):
        raise _faulty("it lists one organisation twice")
    if len({key.key_id for key in edition.keys}) < len(edition.keys):
        raise _faulty("it lists one key twice")
    for key in edition.keys:
        suites = SIGNATURE_SUITES if key.purpose is KeyPurpose.SIGN else SEAL_SUITES
        suite = suites.get(key.algorithm)
        if key.owner not in owners:
            raise _faulty(f"key {key.key_id} belongs to {key.owner}, which it does not list")
        if key.key_id != key_id_of(key.public_key):
            raise _faulty(f"key {key.key_id} is listed under a wrong identifier")
        if suite is None or not suite.accepts(key.public_key):
            raise _faulty(f"key {key.key_id} is none that could serve {key.purpose}")
        if key.not_after <= key.not_before:
            raise _faulty(f"key {key.key_id} ends before it begins")
    for one in edition.entitlements:
        _check_entitlement(one, owners)


def _check_entitlement(one: Entitlement, owners: set[OrgId]) -> None:
    """Refuse an edition that would give a right which nobody may have."""
    whose = f"an entitlement of {one.organisation}"
    if one.organisation not in owners:
        raise _faulty(f"{whose} is for nobody whom it lists")
    if one.forbidden:
        names = ", ".join(sorted(one.forbidden))
        raise _faulty(f"{whose} names kinds that may not be published to its role: {names}")
    if one.not_after <= one.not_before:
        raise _faulty(f"{whose} ends before it begins")


def _faulty(what: str) -> DirectoryFault:
    return DirectoryFault(
        f"The directory is refused: {what}.", "Ask the authority for a corrected edition."
    )


def _organisation(message: wire.Organisation) -> Organisation:
    return Organisation(
        id=OrgId.parse(message.organisation),
        name=message.name,
        superior=OrgId.parse(message.superior) if message.superior else None,
        township=message.township or None,
        letter_mark=message.letter_mark,
        posts=tuple(message.posts),
        node=message.node,
    )


def _organisation_message(org: Organisation) -> wire.Organisation:
    return wire.Organisation(
        organisation=str(org.id),
        name=org.name,
        superior=str(org.superior) if org.superior else "",
        township=org.township or "",
        letter_mark=org.letter_mark,
        posts=org.posts,
        node=org.node,
    )


def _key(message: wire.PublicKey) -> PublicKey:
    revoked = message.HasField("revoked_at")
    return PublicKey(
        key_id=message.key_id,
        owner=OrgId.parse(message.organisation),
        purpose=KeyPurpose(wire.KeyPurpose.Name(message.purpose).removeprefix("KEY_PURPOSE_")),
        algorithm=KeyAlgorithm(
            wire.KeyAlgorithm.Name(message.algorithm).removeprefix("KEY_ALGORITHM_")
        ),
        public_key=message.public_key,
        not_before=_moment(message.not_before),
        not_after=_moment(message.not_after),
        revoked_at=_moment(message.revoked_at) if revoked else None,
        revocation_reason=message.revocation_reason,
    )


def _key_message(key: PublicKey) -> wire.PublicKey:
    return wire.PublicKey(
        key_id=key.key_id,
        organisation=str(key.owner),
        purpose=wire.KeyPurpose.Value(f"KEY_PURPOSE_{key.purpose}"),
        algorithm=wire.KeyAlgorithm.Value(f"KEY_ALGORITHM_{key.algorithm}"),
        public_key=key.public_key,
        not_before=_timestamp(key.not_before),
        not_after=_timestamp(key.not_after),
        revoked_at=_timestamp(key.revoked_at) if key.revoked_at else None,
        revocation_reason=key.revocation_reason,
    )


def _moment(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def newest_first(keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Order keys by the begin of their validity, newest first; ties by identifier."""
    return tuple(sorted(keys, key=lambda key: (key.not_before, key.key_id), reverse=True))
