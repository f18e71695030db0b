"""Public keys as the directory holds them: one owner, one purpose, one span of validity."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.organisations import OrgId


class KeyPurpose(StrEnum):
    """What a key may be used for; never two things."""

    SIGN = "SIGN"
    SEAL = "SEAL"


class KeyAlgorithm(StrEnum):
    """Algorithm and form, named by the directory and never by a message."""

    ED25519 = "ED25519"
    HPKE_X25519_AES256GCM = "HPKE_X25519_AES256GCM"


@dataclass(frozen=True)
class PublicKey:
    """A key. `public_key` is DER SubjectPublicKeyInfo, `key_id` its SHA-256 in lowercase hex.

    Valid from `not_before` (inclusive) to `not_after` (exclusive), both aware UTC. What was logged
    before `revoked_at` stays valid (B22).
    """

    key_id: str
    owner: OrgId
    purpose: KeyPurpose
    algorithm: KeyAlgorithm
    public_key: bytes
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    revocation_reason: str = ""
