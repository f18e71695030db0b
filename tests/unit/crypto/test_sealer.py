"""Sealing to one organisation."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.crypto.sealer import KeyringSealer, info_of
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from tests.unit.crypto.bench import WUHUA, ZHENXIONG, Bench

HEADER = b"to 530627/edu, number 7"
CONTENT = "姓名".encode()


def refusal_of(sealer: KeyringSealer, org: OrgId, key_id: str, header: bytes, sealed: bytes) -> str:
    """The reason for which a seal does not open."""
    with pytest.raises(Refusal) as caught:
        sealer.open(org, key_id, header, sealed)
    return caught.value.reason


def test_receiver_opens_what_was_sealed(bench: Bench) -> None:
    """The content comes back, and is not to be seen in what travels."""
    key = bench.key(ZHENXIONG, KeyPurpose.SEAL)
    sealer = KeyringSealer(bench.keyring())
    sealed = sealer.seal(key, HEADER, CONTENT)
    assert CONTENT not in sealed
    assert sealer.open(ZHENXIONG, key.key_id, HEADER, sealed) == CONTENT
    assert sealer.seal(key, HEADER, CONTENT) != sealed


def test_seal_is_bound_to_its_header(bench: Bench) -> None:
    """Under another header the same bytes do not open."""
    key = bench.key(ZHENXIONG, KeyPurpose.SEAL)
    sealer = KeyringSealer(bench.keyring())
    sealed = sealer.seal(key, HEADER, CONTENT)
    for other in (b"", HEADER + b"1", HEADER.replace(b"7", b"8")):
        reason = refusal_of(sealer, ZHENXIONG, key.key_id, other, sealed)
        assert reason is Reason.SEAL_BROKEN


def test_binding_is_the_documented_one() -> None:
    """Another language can compute the HPKE info: a prefix and the hash of the header."""
    expected = b"dropout-gateway/v1/message\0" + hashlib.sha256(HEADER).digest()
    assert info_of(HEADER) == expected


def test_other_organisations_cannot_open(bench: Bench) -> None:
    """Neither another organisation's key opens it, nor another organisation with the right id."""
    key, other = bench.key(ZHENXIONG, KeyPurpose.SEAL), bench.key(WUHUA, KeyPurpose.SEAL)
    sealer = KeyringSealer(bench.keyring())
    sealed = sealer.seal(key, HEADER, CONTENT)
    for org, key_id in ((WUHUA, other.key_id), (WUHUA, key.key_id), (ZHENXIONG, other.key_id)):
        assert refusal_of(sealer, org, key_id, HEADER, sealed) is Reason.SEAL_BROKEN


def test_nothing_is_sealed_to_a_signing_key(bench: Bench) -> None:
    """A key serves one purpose: a signing key neither takes a seal nor opens one."""
    signing, sealing = bench.key(ZHENXIONG), bench.key(ZHENXIONG, KeyPurpose.SEAL)
    sealer = KeyringSealer(bench.keyring())
    for unfit in (signing, replace(sealing, purpose=KeyPurpose.SIGN)):
        with pytest.raises(Refusal) as caught:
            sealer.seal(unfit, HEADER, CONTENT)
        assert caught.value.reason is Reason.KEY_WRONG_PURPOSE
    sealed = sealer.seal(sealing, HEADER, CONTENT)
    assert refusal_of(sealer, ZHENXIONG, signing.key_id, HEADER, sealed) is Reason.SEAL_BROKEN


# Every example makes a key of its own, so that they may share the bench.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(flip=st.integers(1, 255), cut=st.integers(0, len(CONTENT) + 47))
def test_tampered_seal_does_not_open(bench: Bench, flip: int, cut: int) -> None:
    """No byte of what travels can be changed, dropped or added."""
    key = bench.key(ZHENXIONG, KeyPurpose.SEAL)
    sealer = KeyringSealer(bench.keyring())
    sealed = sealer.seal(key, HEADER, CONTENT)
    spoilt = [sealed[:cut], sealed + b"\0"]
    spoilt += [
        sealed[:place] + bytes([sealed[place] ^ flip]) + sealed[place + 1 :]
        for place in range(len(sealed))
    ]
    for other in spoilt:
        # Also the top bit of the encapsulated key, which X25519 ignores: HPKE binds its bytes.
        reason = refusal_of(sealer, ZHENXIONG, key.key_id, HEADER, other)
        assert reason is Reason.SEAL_BROKEN
