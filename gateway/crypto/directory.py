"""The directory of participants, taken from a file that the authority signed.

Order of events, as in TUF's client workflow: read a bounded number of bytes, check the authority's
signature on them, only then parse, then check the version. Whatever fails leaves the last good
edition in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from gateway.crypto.edition import Edition, decode_edition, newest_first
from gateway.crypto.envelope import pae, parse_envelope
from gateway.crypto.faults import DirectoryFault
from gateway.crypto.suites import SIGNATURE_SUITES, key_id_of
from gateway.crypto.validity import good
from gateway.domain.entitlements import Entitlement
from gateway.domain.errors import Refusal
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.organisations import Organisation, OrgId
from gateway.domain.payload_types import DIRECTORY

MAX_DIRECTORY_BYTES: Final = 64 * 1024 * 1024
"""Largest directory file read: a province with all its schools has some 10 MB."""

AUTHORITY_ALGORITHM: Final = KeyAlgorithm.ED25519
"""The authority's key stands in no directory, so its algorithm is fixed here."""

_ADVICE: Final = "The edition in force stays. Fetch the directory again from its authority."


@dataclass(frozen=True)
class _InForce:
    """An edition with its indexes; replaced as a whole, so readers never see half of one."""

    edition: Edition
    payload: bytes
    organisations: dict[OrgId, Organisation]
    keys: dict[str, PublicKey]
    keys_of: dict[OrgId, tuple[PublicKey, ...]]


class SignedDirectory:
    """Implements `gateway.ports.directory.Directory`."""

    def __init__(self, path: Path, authority: bytes, at_least: int = 1) -> None:
        """Load the first edition.

        Args:
            path: file with the serialised SignedEnvelope of a DirectoryDocument.
            authority: the authority's public key, PEM, pinned in the node's configuration.
            at_least: version this node has seen before; an older one is refused after a restart
                as it is while running.

        Raises:
            DirectoryFault: see `reload`.
        """
        self._path = path
        self._authority = _authority_key(authority)
        self._at_least = at_least
        self._stamp = _stamp(path)
        self._now = self._take(None)

    def reload(self) -> bool:
        """Take a newer edition if the file has changed; say whether one was taken.

        Raises:
            DirectoryFault: the file cannot be read, is not signed by the authority, contradicts
                itself, or is older than the edition in force, which then stays in force.
        """
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        taken = self._take(self._now)
        # Remembered only now: a bad file is complained of at every reload until it is mended.
        self._stamp = stamp
        changed = taken.edition.version > self._now.edition.version
        self._now = taken
        return changed

    @property
    def version(self) -> int:
        """Version of the edition in force."""
        return self._now.edition.version

    def organisation(self, org: OrgId) -> Organisation | None:
        """Return the organisation, or None when it takes no part."""
        return self._now.organisations.get(org)

    def organisations(self) -> Sequence[Organisation]:
        """Return every organisation, ordered by code."""
        return tuple(self._now.organisations.values())

    def key(self, key_id: str) -> PublicKey | None:
        """Return the key with this identifier, valid or not, or None."""
        return self._now.keys.get(key_id)

    def keys_of(self, org: OrgId) -> Sequence[PublicKey]:
        """Return every key of the organisation, newest first."""
        return self._now.keys_of.get(org, ())

    def current_key(self, org: OrgId, purpose: KeyPurpose, at: datetime) -> PublicKey | None:
        """Return the newest key of that purpose that is valid and unrevoked at that moment."""
        keys = self.keys_of(org)
        return next((key for key in keys if key.purpose is purpose and good(key, at)), None)

    def entitlements(self) -> Sequence[Entitlement]:
        """Return who may follow whose facts, ended entitlements too, in the document's order."""
        return self._now.edition.entitlements

    def _take(self, before: _InForce | None) -> _InForce:
        payload = verified_payload(_read(self._path), self._authority)
        edition = decode_edition(payload)
        lowest = before.edition.version if before else self._at_least
        if edition.version < lowest:
            raise DirectoryFault(
                f"The directory is refused: version {edition.version} is older than {lowest}.",
                _ADVICE,
            )
        if before and edition.version == lowest and payload != before.payload:
            raise DirectoryFault(
                f"The directory is refused: there are two different versions {lowest}.", _ADVICE
            )
        return _index(edition, payload)


def verified_payload(data: bytes, authority: bytes) -> bytes:
    """Return the payload of a directory file, signed by the authority and by nobody else.

    Args:
        data: the file's bytes.
        authority: the authority's public key, DER SubjectPublicKeyInfo.

    Raises:
        DirectoryFault: the bytes are not what the authority signed.
    """
    try:
        envelope = parse_envelope(data, MAX_DIRECTORY_BYTES)
    except Refusal as refusal:
        raise _not_signed(refusal.message) from refusal
    if envelope.payload_type != DIRECTORY:
        raise _not_signed("It holds something other than a directory.")
    if [signature.key_id for signature in envelope.signatures] != [key_id_of(authority)]:
        raise _not_signed("It is signed by another key than the pinned one.")
    signed = pae(DIRECTORY, envelope.payload)
    suite = SIGNATURE_SUITES[AUTHORITY_ALGORITHM]
    if not suite.verify(authority, signed, envelope.signatures[0].value):
        raise _not_signed("The signature does not match the bytes.")
    return envelope.payload


def _not_signed(message: str) -> DirectoryFault:
    return DirectoryFault(f"The directory is not the authority's. {message}", _ADVICE)


def _authority_key(pem: bytes) -> bytes:
    """Return the pinned key as DER SubjectPublicKeyInfo."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        der = b""
    else:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if not SIGNATURE_SUITES[AUTHORITY_ALGORITHM].accepts(der):
        raise DirectoryFault(
            f"The authority's public key is no {AUTHORITY_ALGORITHM} key in PEM form.",
            "Copy authority.pub.pem from the authority once more.",
        )
    return der


def _index(edition: Edition, payload: bytes) -> _InForce:
    organisations = sorted(edition.organisations, key=lambda org: str(org.id))
    keys_of: dict[OrgId, tuple[PublicKey, ...]] = {}
    for key in reversed(newest_first(edition.keys)):
        keys_of[key.owner] = (key, *keys_of.get(key.owner, ()))
    return _InForce(
        edition,
        payload,
        {org.id: org for org in organisations},
        {key.key_id: key for key in edition.keys},
        keys_of,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DIRECTORY_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when the file does, without reading it."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def _unreadable(path: Path, error: OSError) -> DirectoryFault:
    return DirectoryFault(
        f"The directory file {path} cannot be read: {error.strerror}.",
        "Check the path and that the gateway's user may read the file.",
    )
