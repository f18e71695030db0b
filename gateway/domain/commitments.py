"""Commitments: a signed event names its private parts by hash, and holds none of them.

So a part can be shown to one receiver and withheld from another, and be destroyed later, while the
one signature stays valid (the idea of salted disclosures in SD-JWT). The salt keeps a name or
number from being guessed out of the hash.
"""

import hashlib
import hmac
from typing import Final

MIN_SALT_BYTES: Final = 16
"""Shortest salt: 128 bits, so that no table of names or numbers can be tried against a digest."""

_DOMAIN: Final = b"dropout-gateway/v1/commitment\0"
_LENGTH_BYTES: Final = 8
_KIND_BYTES: Final = 4


def commit(kind: int, subject_id: str, salt: bytes, content: bytes) -> bytes:
    """Return the commitment to a private part: 32 bytes.

    SHA-256 over a fixed prefix, then kind (4 bytes, big-endian), subject_id (UTF-8), salt and
    content, each preceded by its length in bytes (8 bytes, big-endian). The lengths keep two
    different parts from ever being the same bytes; the subject keeps a part of one child from
    being shown as that of another in the same event.

    Args:
        kind: number of the part's kind (`PartKind`), above 0.
        subject_id: token of the child, or empty for a part about the whole event.
        salt: at least 16 random bytes, new for every part.
        content: the part's bytes, exactly as they will be shown.

    Raises:
        ValueError: the kind is out of range or the salt too short.
    """
    if not 0 < kind < 1 << (8 * _KIND_BYTES):
        raise ValueError("the kind of a private part is a positive 32-bit number")
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"the salt of a private part has at least {MIN_SALT_BYTES} bytes")
    digest = hashlib.sha256(_DOMAIN)
    for field in (kind.to_bytes(_KIND_BYTES, "big"), subject_id.encode(), salt, content):
        digest.update(len(field).to_bytes(_LENGTH_BYTES, "big"))
        digest.update(field)
    return digest.digest()


def matches(commitment: bytes, kind: int, subject_id: str, salt: bytes, content: bytes) -> bool:
    """Say whether a disclosed part is the one committed to.

    Takes the same time wherever the digests differ. A part out of form (short salt, impossible
    kind) matches nothing.
    """
    try:
        expected = commit(kind, subject_id, salt, content)
    except ValueError:
        return False
    return hmac.compare_digest(expected, commitment)
