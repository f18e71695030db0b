"""Verification: every step refuses with its own reason."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.crypto.envelope import parse_envelope
from gateway.crypto.suites import SIGNATURE_SUITES
from gateway.crypto.verifier import STEPS, DirectoryVerifier
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.payload_types import EVENT, RECEIPT
from gateway.ports.signing import Verification
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.unit.crypto.bench import DAY, NOW, WUHUA, ZHENXIONG, Bench

TICK = timedelta(microseconds=1)


@pytest.fixture
def key(bench: Bench) -> PublicKey:
    """The key of Wuhua."""
    return bench.key(WUHUA)


@pytest.fixture
def signed(bench: Bench, key: PublicKey) -> SignedEnvelope:
    """A fact of Wuhua, signed while the key was good."""
    return bench.signer(bench.directory()).sign(WUHUA, EVENT, b"fact")


def check(
    bench: Bench, envelope: SignedEnvelope, kind: str = EVENT, at: datetime = NOW
) -> Verification:
    """Verify against what the bench lists now."""
    return DirectoryVerifier(bench.directory()).verify(envelope, kind, at)


def assert_refused(outcome: Verification, step: int, reason: Reason) -> None:
    """The steps before held, this one did not, and none came after."""
    assert outcome.refusal is reason
    assert tuple(taken.name for taken in outcome.steps) == STEPS[:step]
    assert [taken.passed for taken in outcome.steps] == [True] * (step - 1) + [False]
    assert all(taken.detail for taken in outcome.steps)


def test_good_envelope_passes_every_step(
    bench: Bench, key: PublicKey, signed: SignedEnvelope
) -> None:
    """All eight steps are taken and the signer is known."""
    outcome = check(bench, signed)
    assert outcome.refusal is None
    assert tuple(step.name for step in outcome.steps if step.passed) == STEPS
    assert (outcome.signer, outcome.key_id) == (WUHUA, key.key_id)


def test_1_form(bench: Bench, signed: SignedEnvelope) -> None:
    """An envelope without signature, and an empty one, are malformed."""
    signed.ClearField("signatures")
    for envelope in (signed, SignedEnvelope()):
        outcome = check(bench, envelope)
        assert_refused(outcome, 1, Reason.ENVELOPE_MALFORMED)
        assert (outcome.signer, outcome.key_id) == (None, "")


def test_2_type(bench: Bench, signed: SignedEnvelope) -> None:
    """A signed event is not taken for a receipt."""
    assert_refused(check(bench, signed, RECEIPT), 2, Reason.PAYLOAD_TYPE_UNEXPECTED)


def test_3_key_unknown(bench: Bench, key: PublicKey, signed: SignedEnvelope) -> None:
    """A key that the directory does not list signs for nobody."""
    verifier = DirectoryVerifier(bench.directory(without=[key]))
    outcome = verifier.verify(signed, EVENT, NOW)
    assert_refused(outcome, 3, Reason.KEY_UNKNOWN)
    assert (outcome.signer, outcome.key_id) == (None, "")


def test_3_two_owners(bench: Bench, signed: SignedEnvelope) -> None:
    """Two organisations under one envelope leave open who speaks."""
    bench.key(ZHENXIONG)
    other = bench.signer(bench.directory()).sign(ZHENXIONG, EVENT, b"fact")
    signed.signatures.extend(other.signatures)
    assert_refused(check(bench, signed), 3, Reason.SIGNER_MISMATCH)


def test_4_purpose(bench: Bench, signed: SignedEnvelope) -> None:
    """A key listed for sealing signs nothing."""
    sealing = bench.key(WUHUA, KeyPurpose.SEAL)
    signed.signatures[0].key_id = sealing.key_id
    outcome = check(bench, signed)
    assert_refused(outcome, 4, Reason.KEY_WRONG_PURPOSE)
    assert (outcome.signer, outcome.key_id) == (WUHUA, sealing.key_id)


def test_4_purpose_is_what_the_directory_says(
    bench: Bench, key: PublicKey, signed: SignedEnvelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key whose arithmetic would fit signs nothing when it is listed for another purpose."""
    directory = bench.directory()
    monkeypatch.setattr(directory, "key", lambda _: replace(key, purpose=KeyPurpose.SEAL))
    outcome = DirectoryVerifier(directory).verify(signed, EVENT, NOW)
    assert_refused(outcome, 4, Reason.KEY_WRONG_PURPOSE)


def test_5_not_yet_valid(bench: Bench, key: PublicKey, signed: SignedEnvelope) -> None:
    """The first moment of validity counts, the moment before does not."""
    assert check(bench, signed, at=key.not_before).refusal is None
    assert_refused(check(bench, signed, at=key.not_before - TICK), 5, Reason.KEY_NOT_YET_VALID)


def test_6_expired(bench: Bench, key: PublicKey, signed: SignedEnvelope) -> None:
    """The end of validity is past, the moment before is not."""
    assert check(bench, signed, at=key.not_after - TICK).refusal is None
    assert_refused(check(bench, signed, at=key.not_after), 6, Reason.KEY_EXPIRED)


def test_7_revoked(bench: Bench, key: PublicKey, signed: SignedEnvelope) -> None:
    """From the revocation on nothing counts; what was logged before stays good (B22)."""
    bench.revoke(key, NOW)
    assert check(bench, signed, at=NOW - TICK).refusal is None
    assert_refused(check(bench, signed, at=NOW), 7, Reason.KEY_REVOKED)
    assert_refused(check(bench, signed, at=NOW + TICK), 7, Reason.KEY_REVOKED)


def test_8_wrong_key(bench: Bench, signed: SignedEnvelope) -> None:
    """A signature under the name of another key does not match."""
    other = bench.key(ZHENXIONG)
    signed.signatures[0].key_id = other.key_id
    assert_refused(check(bench, signed), 8, Reason.SIGNATURE_INVALID)


def test_8_every_signature_counts(bench: Bench, signed: SignedEnvelope) -> None:
    """One good signature does not carry a bad one, whichever comes first."""
    second = bench.key(WUHUA, begin=NOW - DAY / 2)
    added = bench.signer(bench.directory()).sign(WUHUA, EVENT, b"fact")
    assert added.signatures[0].key_id == second.key_id
    signed.signatures.extend(added.signatures)
    assert check(bench, signed).refusal is None
    for place in (0, 1):
        spoilt = SignedEnvelope()
        spoilt.CopyFrom(signed)
        spoilt.signatures[place].value = bytes(64)
        assert_refused(check(bench, spoilt), 8, Reason.SIGNATURE_INVALID)


def test_8_type_is_signed(bench: Bench, signed: SignedEnvelope) -> None:
    """The same bytes and signature under another type do not pass as that type."""
    signed.payload_type = RECEIPT
    assert_refused(check(bench, signed, RECEIPT), 8, Reason.SIGNATURE_INVALID)


def test_8_unreadable_key_is_not_good(
    bench: Bench, key: PublicKey, signed: SignedEnvelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be checked is refused like what is wrong."""
    directory = bench.directory()
    broken = replace(key, public_key=b"no key at all")
    monkeypatch.setattr(directory, "key", lambda _: broken)
    outcome = DirectoryVerifier(directory).verify(signed, EVENT, NOW)
    assert_refused(outcome, 8, Reason.SIGNATURE_INVALID)


def test_4_algorithm_without_suite_is_not_good(
    bench: Bench, key: PublicKey, signed: SignedEnvelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key whose algorithm cannot sign is refused before any arithmetic."""
    directory = bench.directory()
    odd = replace(key, algorithm=KeyAlgorithm.HPKE_X25519_AES256GCM)
    assert odd.algorithm not in SIGNATURE_SUITES
    monkeypatch.setattr(directory, "key", lambda _: odd)
    outcome = DirectoryVerifier(directory).verify(signed, EVENT, NOW)
    assert_refused(outcome, 4, Reason.KEY_WRONG_PURPOSE)


# The bench is only read, so all examples may share it.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(flip=st.integers(1, 255))
def test_no_byte_can_be_changed(bench: Bench, signed: SignedEnvelope, flip: int) -> None:
    """Whichever byte of the serialised envelope is changed, nothing good comes of it."""
    verifier = DirectoryVerifier(bench.directory())
    data = signed.SerializeToString()
    for place in range(len(data)):
        tampered = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
        try:
            reason = verifier.verify(parse_envelope(tampered), EVENT, NOW).refusal
        except Refusal as refusal:
            reason = refusal.reason
        assert reason is not None, place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=20), st.text(max_size=20), st.text(max_size=70), st.binary(max_size=70))
def test_any_input_gets_an_answer(
    bench: Bench, payload: bytes, kind: str, key_id: str, value: bytes
) -> None:
    """Bad input never raises and is never good."""
    if not bench.path.exists():
        bench.publish()
    envelope = SignedEnvelope(payload=payload, payload_type=kind)
    envelope.signatures.add(key_id=key_id, value=value)
    assert check(bench, envelope, kind).refusal is not None
