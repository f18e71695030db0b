"""The algorithms, each under the name the directory gives it; a message never chooses one.

Another algorithm is another class with these methods and one more row in a table below. Public
keys are DER SubjectPublicKeyInfo (RFC 5280) throughout and are read by `cryptography` alone.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from gateway.domain.keys import KeyAlgorithm

_KEYS_REMEMBERED: Final = 8192  # more than a province has; a parse costs as much as a signature

SignBytes = Callable[[bytes], bytes]
"""Signs a message; the key stays inside."""

OpenSealed = Callable[[bytes, bytes], bytes | None]
"""Opens (sealed bytes, info); None when key, info or bytes do not fit."""


class SignatureSuite(Protocol):
    """A signature algorithm."""

    def generate(self) -> PrivateKeyTypes:
        """Return a new private key."""
        ...

    def signing(self, key: PrivateKeyTypes) -> SignBytes | None:
        """Return what signs with the key, or None when it is not a key of this algorithm."""
        ...

    def accepts(self, public_key: bytes) -> bool:
        """Say whether the bytes are a public key of this algorithm."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is proved good. What cannot be checked is not good."""
        ...


class SealSuite(Protocol):
    """An algorithm that seals to a public key."""

    def generate(self) -> PrivateKeyTypes:
        """Return a new private key."""
        ...

    def opening(self, key: PrivateKeyTypes) -> OpenSealed | None:
        """Return what opens with the key, or None when it is not a key of this algorithm."""
        ...

    def accepts(self, public_key: bytes) -> bool:
        """Say whether the bytes are a public key of this algorithm."""
        ...

    def seal(self, public_key: bytes, info: bytes, content: bytes) -> bytes | None:
        """Return the sealed content, or None when nothing can be sealed to this key."""
        ...


class Ed25519:
    """Ed25519 (RFC 8032), computed by libsodium.

    libsodium, which nkeys brings along, because on messages of our size it verifies in half the
    time that OpenSSL takes, refuses keys of small order, and lets other threads run meanwhile. It
    reads raw bytes without checking their length: the length checks below are part of its safety.
    """

    def generate(self) -> PrivateKeyTypes:
        """Return a new private key."""
        return Ed25519PrivateKey.generate()

    def signing(self, key: PrivateKeyTypes) -> SignBytes | None:
        """Return what signs with the key, or None when it is not an Ed25519 key."""
        if not isinstance(key, Ed25519PrivateKey):
            return None
        # libsodium's form of a private key: seed, then public key.
        pair = key.private_bytes_raw() + key.public_key().public_bytes_raw()
        return lambda message: crypto_sign(message, pair)[:crypto_sign_BYTES]

    def accepts(self, public_key: bytes) -> bool:
        """Say whether the bytes are an Ed25519 public key."""
        return _ed25519_point(public_key) is not None

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is proved good."""
        point = _ed25519_point(public_key)
        # The two are joined for libsodium: another length would shift the border between them.
        if point is None or len(signature) != crypto_sign_BYTES:
            return False
        try:
            crypto_sign_open(signature + message, point)
        except BadSignatureError:
            return False
        return True


class HpkeX25519Aes256Gcm:
    """HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

    Base mode does not say who sealed; the signature around the message does.
    """

    _suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

    def generate(self) -> PrivateKeyTypes:
        """Return a new private key."""
        return X25519PrivateKey.generate()

    def opening(self, key: PrivateKeyTypes) -> OpenSealed | None:
        """Return what opens with the key, or None when it is not an X25519 key."""
        if not isinstance(key, X25519PrivateKey):
            return None

        def open_sealed(sealed: bytes, info: bytes) -> bytes | None:
            try:
                return self._suite.decrypt(sealed, key, info=info)
            except InvalidTag:
                return None

        return open_sealed

    def accepts(self, public_key: bytes) -> bool:
        """Say whether the bytes are an X25519 public key."""
        return isinstance(_public_key(public_key), X25519PublicKey)

    def seal(self, public_key: bytes, info: bytes, content: bytes) -> bytes | None:
        """Return encapsulated key and ciphertext in one (48 bytes more than the content)."""
        key = _public_key(public_key)
        if not isinstance(key, X25519PublicKey):
            return None
        try:
            return self._suite.encrypt(content, key, info=info)
        except ValueError:  # a point of small order: everybody could open the seal
            return None


SIGNATURE_SUITES: Final[Mapping[KeyAlgorithm, SignatureSuite]] = MappingProxyType(
    {KeyAlgorithm.ED25519: Ed25519()}
)
"""What signs."""

SEAL_SUITES: Final[Mapping[KeyAlgorithm, SealSuite]] = MappingProxyType(
    {KeyAlgorithm.HPKE_X25519_AES256GCM: HpkeX25519Aes256Gcm()}
)
"""What seals."""


def public_bytes(key: PrivateKeyTypes) -> bytes:
    """Return the public key that belongs to a private one, as DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id_of(public_key: bytes) -> str:
    """Return the identifier of a public key: lowercase hex SHA-256 of its DER form."""
    return hashlib.sha256(public_key).hexdigest()


@lru_cache(maxsize=_KEYS_REMEMBERED)
def _public_key(der: bytes) -> PublicKeyTypes | None:
    try:
        return load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None


@lru_cache(maxsize=_KEYS_REMEMBERED)
def _ed25519_point(der: bytes) -> bytes | None:
    key = _public_key(der)
    return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else None
