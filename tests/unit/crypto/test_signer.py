"""Signing under the organisation's current key."""

import pytest

from gateway.crypto.verifier import DirectoryVerifier
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.payload_types import EVENT
from tests.unit.crypto.bench import DAY, NOW, WUHUA, ZHENXIONG, Bench


def test_what_is_signed_verifies(bench: Bench) -> None:
    """The envelope holds the very bytes, the type and the key, and verifies."""
    key = bench.key(WUHUA)
    directory = bench.directory()
    envelope = bench.signer(directory).sign(WUHUA, EVENT, b"fact")
    assert (envelope.payload, envelope.payload_type) == (b"fact", EVENT)
    assert [signature.key_id for signature in envelope.signatures] == [key.key_id]
    assert DirectoryVerifier(directory).verify(envelope, EVENT, NOW).refusal is None


def test_newest_good_key_signs(bench: Bench) -> None:
    """Of several keys the newest signs that is valid, unrevoked and not for sealing."""
    bench.key(WUHUA, begin=NOW - 9 * DAY)
    newest = bench.key(WUHUA, begin=NOW - 5 * DAY)
    revoked = bench.key(WUHUA, begin=NOW - 4 * DAY)
    bench.key(WUHUA, begin=NOW - 3 * DAY, end=NOW)
    bench.key(WUHUA, KeyPurpose.SEAL, begin=NOW - 2 * DAY)
    bench.key(WUHUA, begin=NOW + DAY, end=NOW + 2 * DAY)
    bench.revoke(revoked, NOW)
    envelope = bench.signer(bench.directory()).sign(WUHUA, EVENT, b"fact")
    assert envelope.signatures[0].key_id == newest.key_id


def test_listed_key_that_is_not_held_is_passed_over(bench: Bench) -> None:
    """While a new key is listed but not yet here, the older one goes on signing."""
    older = bench.key(WUHUA, begin=NOW - 9 * DAY)
    bench.key(WUHUA)
    bench.uris[WUHUA].pop()
    envelope = bench.signer(bench.directory()).sign(WUHUA, EVENT, b"fact")
    assert envelope.signatures[0].key_id == older.key_id


def test_held_key_that_is_not_listed_does_not_sign(bench: Bench) -> None:
    """A key the directory does not know signs nothing."""
    key = bench.key(WUHUA)
    signer = bench.signer(bench.directory(without=[key]))
    with pytest.raises(Refusal) as caught:
        signer.sign(WUHUA, EVENT, b"fact")
    assert caught.value.reason is Reason.KEY_UNKNOWN


def test_nobody_signs_for_another(bench: Bench) -> None:
    """An organisation without a key here is refused, whoever else has one."""
    bench.key(WUHUA)
    with pytest.raises(Refusal) as caught:
        bench.signer(bench.directory()).sign(ZHENXIONG, EVENT, b"fact")
    assert caught.value.reason is Reason.KEY_UNKNOWN
    assert caught.value.metadata == {"organisation": "530627/edu"}


def test_type_beyond_ascii_is_not_signed(bench: Bench) -> None:
    """A type that two implementations could count differently is never signed."""
    bench.key(WUHUA)
    with pytest.raises(ValueError, match="ASCII"):
        bench.signer(bench.directory()).sign(WUHUA, "application/函", b"fact")
