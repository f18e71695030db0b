"""The algorithms."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.suites import SEAL_SUITES, SIGNATURE_SUITES, key_id_of, public_bytes
from gateway.domain.keys import KeyAlgorithm

ED25519 = SIGNATURE_SUITES[KeyAlgorithm.ED25519]
HPKE = SEAL_SUITES[KeyAlgorithm.HPKE_X25519_AES256GCM]
P256 = generate_private_key(SECP256R1())

# RFC 8032 section 7.1: secret key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "message", "signature"), RFC_8032)
def test_ed25519_published_vectors(secret: str, message: str, signature: str) -> None:
    """Signing gives the published signature, and it verifies."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    sign = ED25519.signing(private)
    assert sign is not None
    assert sign(bytes.fromhex(message)).hex() == signature
    assert ED25519.verify(public_bytes(private), bytes.fromhex(message), bytes.fromhex(signature))


@given(st.binary(max_size=200))
def test_two_libraries_agree(message: bytes) -> None:
    """What libsodium signs OpenSSL verifies, and the other way round."""
    private = Ed25519PrivateKey.generate()
    sign = ED25519.signing(private)
    assert sign is not None
    private.public_key().verify(sign(message), message)
    assert ED25519.verify(public_bytes(private), message, private.sign(message))
    with pytest.raises(InvalidSignature):
        private.public_key().verify(sign(message), message + b"x")


def test_border_between_signature_and_message_is_fixed() -> None:
    """A signature that swallows the first bytes of the message is not good."""
    private = Ed25519PrivateKey.generate()
    signature = private.sign(b"pay nothing")
    public = public_bytes(private)
    assert ED25519.verify(public, b"pay nothing", signature)
    assert not ED25519.verify(public, b"nothing", signature + b"pay ")
    assert not ED25519.verify(public, signature[-1:] + b"pay nothing", signature[:-1])
    assert not ED25519.verify(public, b"pay nothing", b"")


@pytest.mark.parametrize(
    "public",
    [b"", b"\x30", public_bytes(P256), public_bytes(X25519PrivateKey.generate())],
    ids=["empty", "cut", "P-256", "X25519"],
)
def test_unusable_public_key_proves_nothing(public: bytes) -> None:
    """Under a key that cannot be read or is of another kind nothing is good, and nothing raises."""
    assert not ED25519.accepts(public)
    assert not ED25519.verify(public, b"message", bytes(64))


def test_key_of_small_order_proves_nothing() -> None:
    """Under the neutral point, a forged signature that fits every message is not good."""
    neutral = bytes.fromhex("302a300506032b6570032100") + b"\x01" + bytes(31)
    assert ED25519.accepts(neutral)
    assert not ED25519.verify(neutral, b"anything", b"\x01" + bytes(63))


def test_suites_take_only_their_own_private_keys() -> None:
    """No key serves both purposes."""
    assert ED25519.signing(HPKE.generate()) is None
    assert HPKE.opening(ED25519.generate()) is None
    assert HPKE.opening(P256) is None


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_sealed_opens_and_only_whole(content: bytes, info: bytes) -> None:
    """Sealed content opens with its key and info, 48 bytes longer than it was."""
    private = HPKE.generate()
    open_sealed = HPKE.opening(private)
    sealed = HPKE.seal(public_bytes(private), info, content)
    assert sealed is not None
    assert open_sealed is not None
    assert len(sealed) == len(content) + 48
    assert open_sealed(sealed, info) == content
    assert open_sealed(sealed, info + b"x") is None
    assert open_sealed(sealed[:-1], info) is None
    assert open_sealed(b"", info) is None


def test_nothing_is_sealed_to_an_unfit_key() -> None:
    """A signing key, no key, and a point of small order take no seal."""
    small = X25519PublicKey.from_public_bytes(bytes(32)).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    for public in (public_bytes(ED25519.generate()), b"", small):
        assert HPKE.seal(public, b"", b"content") is None


def test_key_id_is_the_hash_of_the_key() -> None:
    """The identifier is SHA-256 in lowercase hex."""
    assert key_id_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
