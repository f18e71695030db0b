"""What the directory's authority does, and no node ever does: sign editions, revoke keys, entitle."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from gateway.crypto.directory import AUTHORITY_ALGORITHM, verified_payload
from gateway.crypto.edition import Edition, decode_edition, encode_edition
from gateway.crypto.envelope import pae
from gateway.crypto.faults import DirectoryFault, KeyFault
from gateway.crypto.files import write_public
from gateway.crypto.suites import SIGNATURE_SUITES, key_id_of, public_bytes
from gateway.domain.entitlements import Entitlement
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import DIRECTORY
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope


def sign_directory(edition: Edition, authority_key: PrivateKeyTypes) -> bytes:
    """Return the signed directory as it is handed out: a serialised SignedEnvelope.

    Args:
        edition: what it says.
        authority_key: the authority's private key (see `keyring.read_private_key`).

    Raises:
        KeyFault: the key is no Ed25519 key.
        DirectoryFault: the edition contradicts itself, so that every node would refuse it.
    """
    sign = SIGNATURE_SUITES[AUTHORITY_ALGORITHM].signing(authority_key)
    if sign is None:
        raise KeyFault(
            "The authority's key cannot sign a directory.", f"Use an {AUTHORITY_ALGORITHM} key."
        )
    payload = encode_edition(edition)
    decode_edition(payload)
    signature = Signature(
        key_id=key_id_of(public_bytes(authority_key)), value=sign(pae(DIRECTORY, payload))
    )
    envelope = SignedEnvelope(payload=payload, payload_type=DIRECTORY, signatures=[signature])
    return envelope.SerializeToString()


def read_edition(path: Path, authority_key: PrivateKeyTypes) -> Edition:
    """Read the edition which the authority itself signed last.

    Raises:
        DirectoryFault: the file is missing or not signed with this key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DirectoryFault(
            f"The directory file {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    return decode_edition(verified_payload(data, public_bytes(authority_key)))


def revoke_key(
    path: Path,
    authority_key: PrivateKeyTypes,
    key_id: str,
    *,
    at: datetime,
    reason: str,
    now: datetime,
) -> Edition:
    """Revoke a key from a moment on, and put the next signed edition in the file's place.

    Args:
        path: the directory file; replaced in one step.
        authority_key: the authority's private key.
        key_id: the key to revoke.
        at: moment from which its signatures count no more, aware; may lie in the past.
        reason: why, for the reader; no personal data.
        now: when the new edition is issued, aware.

    Raises:
        DirectoryFault: the file is not this authority's, has no such key, or the key is revoked
            from an earlier moment already (a revocation is never put off).
    """
    edition = read_edition(path, authority_key)
    key = next((key for key in edition.keys if key.key_id == key_id), None)
    if key is None:
        raise DirectoryFault(
            "The directory has no key with this identifier.",
            "List the organisation's keys and copy the identifier whole.",
        )
    if key.revoked_at is not None and key.revoked_at <= at:
        raise DirectoryFault(
            f"The key is revoked already, from {key.revoked_at.isoformat()} on.",
            "Nothing needs doing; a revocation is never put off.",
        )
    gone = replace(key, revoked_at=at, revocation_reason=reason)
    following = replace(
        edition,
        version=edition.version + 1,
        issued_at=now,
        keys=tuple(gone if other is key else other for other in edition.keys),
    )
    write_public(path, sign_directory(following, authority_key))
    return following


def grant_entitlement(
    path: Path, authority_key: PrivateKeyTypes, entitlement: Entitlement, *, now: datetime
) -> Edition:
    """Enter an entitlement, and put the next signed edition in the file's place.

    Args:
        path: the directory file; replaced in one step.
        authority_key: the authority's private key.
        entitlement: what to enter.
        now: when the new edition is issued, aware.

    Raises:
        DirectoryFault: the file is not this authority's, or nobody may have this right.
    """
    edition = read_edition(path, authority_key)
    return _next_edition(path, authority_key, edition, (*edition.entitlements, entitlement), now)


def end_entitlements(
    path: Path, authority_key: PrivateKeyTypes, organisation: OrgId, *, now: datetime
) -> Edition:
    """End every entitlement of an organisation now, and sign the next edition.

    Those that have not begun are dropped; those that have ended stay as they are.

    Raises:
        DirectoryFault: the file is not this authority's, or the organisation has none to end.
    """
    edition = read_edition(path, authority_key)
    kept = tuple(
        replace(one, not_after=now) if one.organisation == organisation and one.holds(now) else one
        for one in edition.entitlements
        if one.organisation != organisation or one.not_before < now
    )
    if kept == edition.entitlements:
        raise DirectoryFault(
            f"{organisation} has no entitlement in force.",
            "List the entitlements; one that has ended stays listed.",
        )
    return _next_edition(path, authority_key, edition, kept, now)


def _next_edition(
    path: Path,
    authority_key: PrivateKeyTypes,
    edition: Edition,
    entitlements: tuple[Entitlement, ...],
    now: datetime,
) -> Edition:
    following = replace(
        edition, version=edition.version + 1, issued_at=now, entitlements=entitlements
    )
    write_public(path, sign_directory(following, authority_key))
    return following
