"""What the authority signs, and what it cannot sign by mistake."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.crypto.authority import read_edition, revoke_key, sign_directory
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.edition import Edition
from gateway.crypto.faults import DirectoryFault, KeyFault
from gateway.crypto.suites import SIGNATURE_SUITES
from gateway.domain.keys import KeyAlgorithm, KeyPurpose
from gateway.domain.organisations import OrgId
from tests.unit.crypto.bench import DAY, NOW, WUHUA, Bench, public_pem


def with_key(edition: Edition, **changes: object) -> Edition:
    """Change the only key of an edition."""
    return replace(edition, keys=(replace(edition.keys[0], **changes),))  # type: ignore[arg-type]


def test_revocation_is_the_next_edition(bench: Bench) -> None:
    """A running node takes the revocation on reload; everything else stays as it was."""
    key, other = bench.key(WUHUA), bench.key(WUHUA, KeyPurpose.SEAL)
    directory = bench.directory()
    made = revoke_key(
        bench.path, bench.authority, key.key_id, at=NOW - DAY / 2, reason="lost", now=NOW
    )
    assert (made.version, made.issued_at) == (2, NOW)
    assert directory.reload()
    revoked = directory.key(key.key_id)
    assert revoked == replace(key, revoked_at=NOW - DAY / 2, revocation_reason="lost")
    assert directory.key(other.key_id) == other
    assert read_edition(bench.path, bench.authority) == made


def test_revocation_may_move_back_but_never_forward(bench: Bench) -> None:
    """A key found to be lost earlier is revoked earlier; nobody revives it meanwhile."""
    key = bench.key(WUHUA)
    bench.publish()
    revoke_key(bench.path, bench.authority, key.key_id, at=NOW, reason="lost", now=NOW)
    for at in (NOW, NOW + DAY):
        with pytest.raises(DirectoryFault, match="revoked already"):
            revoke_key(bench.path, bench.authority, key.key_id, at=at, reason="", now=NOW)
    earlier = revoke_key(
        bench.path, bench.authority, key.key_id, at=NOW - DAY, reason="lost", now=NOW
    )
    assert earlier.version == 3
    assert earlier.keys[0].revoked_at == NOW - DAY


def test_unknown_key_cannot_be_revoked(bench: Bench) -> None:
    """A mistyped identifier changes nothing."""
    bench.publish()
    before = bench.path.read_bytes()
    with pytest.raises(DirectoryFault, match="no key"):
        revoke_key(bench.path, bench.authority, "0" * 64, at=NOW, reason="", now=NOW)
    assert bench.path.read_bytes() == before


def test_only_the_authority_goes_on(bench: Bench) -> None:
    """Another key neither reads the edition as its own nor revokes in it."""
    key = bench.key(WUHUA)
    bench.publish()
    other = SIGNATURE_SUITES[KeyAlgorithm.ED25519].generate()
    with pytest.raises(DirectoryFault, match="another key"):
        revoke_key(bench.path, other, key.key_id, at=NOW, reason="", now=NOW)
    with pytest.raises(DirectoryFault, match="cannot be read"):
        read_edition(bench.folder / "gone", bench.authority)


def test_sealing_key_signs_no_directory(bench: Bench) -> None:
    """The authority's key is an Ed25519 key."""
    with pytest.raises(KeyFault, match="cannot sign"):
        sign_directory(bench.edition(), X25519PrivateKey.generate())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda e: replace(e, version=0), "version is below 1"),
        (lambda e: replace(e, organisations=e.organisations * 2), "one organisation twice"),
        (lambda e: replace(e, keys=e.keys * 2), "one key twice"),
        (lambda e: with_key(e, owner=OrgId.parse("53/edu")), "does not list"),
        (lambda e: with_key(e, key_id="0" * 64), "wrong identifier"),
        (lambda e: with_key(e, public_key=b"x"), "wrong identifier"),
        (lambda e: with_key(e, purpose=KeyPurpose.SEAL), "could serve SEAL"),
        (
            lambda e: with_key(e, algorithm=KeyAlgorithm.HPKE_X25519_AES256GCM),
            "could serve SIGN",
        ),
        (lambda e: with_key(e, not_after=NOW - 2 * DAY), "ends before"),
    ],
)
def test_contradiction_is_not_signed(
    bench: Bench, spoil: Callable[[Edition], Edition], told: str
) -> None:
    """An edition that every node would refuse never leaves the authority."""
    bench.key(WUHUA)
    with pytest.raises(DirectoryFault, match=told):
        sign_directory(spoil(bench.edition()), bench.authority)


def test_key_of_a_wrong_kind_is_not_signed(bench: Bench) -> None:
    """A sealing key listed for signing under its right identifier is still refused."""
    seal = bench.key(WUHUA, KeyPurpose.SEAL)
    bench.change(seal, replace(seal, purpose=KeyPurpose.SIGN, algorithm=KeyAlgorithm.ED25519))
    with pytest.raises(DirectoryFault, match="could serve SIGN"):
        bench.publish()


def test_signed_directory_loads(bench: Bench) -> None:
    """What the authority signs a node takes."""
    bench.publish(version=7)
    assert SignedDirectory(bench.path, public_pem(bench.authority)).version == 7
