"""The signed directory as a node sees it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.crypto.directory import SignedDirectory
from gateway.crypto.envelope import pae
from gateway.crypto.faults import DirectoryFault
from gateway.crypto.files import write_public
from gateway.crypto.suites import key_id_of, public_bytes
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import DIRECTORY, EVENT
from gateway.ports.directory import Directory
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope
from tests.unit.crypto.bench import DAY, NOW, WUHUA, ZHENXIONG, Bench, public_pem


def signed_by(key: Ed25519PrivateKey, payload: bytes, kind: str = DIRECTORY) -> SignedEnvelope:
    """An envelope around any bytes."""
    signature = Signature(key_id=key_id_of(public_bytes(key)), value=key.sign(pae(kind, payload)))
    return SignedEnvelope(payload=payload, payload_type=kind, signatures=[signature])


def test_answers_from_the_document(bench: Bench) -> None:
    """Organisations and keys come back as the authority listed them."""
    old = bench.key(WUHUA, begin=NOW - 9 * DAY)
    new = bench.key(WUHUA)
    seal = bench.key(WUHUA, KeyPurpose.SEAL, begin=NOW - 5 * DAY)
    directory: Directory = bench.directory()
    assert directory.version == 1
    assert [str(org.id) for org in directory.organisations()] == ["530102/edu", "530627/edu"]
    wuhua = directory.organisation(WUHUA)
    assert wuhua == bench.edition().organisations[1]
    assert directory.organisation(OrgId.parse("53/edu")) is None
    assert directory.key(seal.key_id) == seal
    assert directory.key("0" * 64) is None
    assert list(directory.keys_of(WUHUA)) == [new, seal, old]
    assert list(directory.keys_of(ZHENXIONG)) == []


def test_current_key_is_the_newest_good_one(bench: Bench) -> None:
    """Revoked, expired and future keys are passed over."""
    good = bench.key(WUHUA, begin=NOW - 9 * DAY)
    revoked = bench.key(WUHUA, begin=NOW - 3 * DAY)
    bench.key(WUHUA, begin=NOW - 2 * DAY, end=NOW - DAY)
    bench.key(WUHUA, begin=NOW + DAY, end=NOW + 2 * DAY)
    bench.revoke(revoked, NOW - DAY)
    directory = bench.directory()
    assert directory.current_key(WUHUA, KeyPurpose.SIGN, NOW) == good
    assert directory.current_key(WUHUA, KeyPurpose.SIGN, NOW - 2 * DAY - DAY / 2) is not None
    assert directory.current_key(WUHUA, KeyPurpose.SEAL, NOW) is None
    assert directory.current_key(ZHENXIONG, KeyPurpose.SIGN, NOW) is None


def test_newer_edition_is_taken(bench: Bench) -> None:
    """A reload takes a changed file of a higher version, once."""
    directory = bench.directory()
    assert not directory.reload()
    key = bench.key(ZHENXIONG)
    bench.publish(version=3)
    assert directory.reload()
    assert not directory.reload()
    assert directory.version == 3
    assert directory.key(key.key_id) == key


def test_same_edition_written_again_is_no_news(bench: Bench) -> None:
    """A file that was merely touched changes nothing."""
    directory = bench.directory()
    os.utime(bench.path, ns=(1, 1))
    assert not directory.reload()


def test_rollback_is_refused(bench: Bench) -> None:
    """An older edition, though genuinely signed, does not replace a newer one."""
    bench.publish(version=4)
    directory = SignedDirectory(bench.path, public_pem(bench.authority))
    bench.publish(version=3)
    for _ in range(2):
        with pytest.raises(DirectoryFault, match="version 3 is older than 4"):
            directory.reload()
    assert directory.version == 4


def test_rollback_across_a_restart_is_refused(bench: Bench) -> None:
    """A node that remembers a version starts with no older one."""
    bench.publish(version=4)
    pinned = public_pem(bench.authority)
    assert SignedDirectory(bench.path, pinned, at_least=4).version == 4
    with pytest.raises(DirectoryFault, match="older than 5"):
        SignedDirectory(bench.path, pinned, at_least=5)


def test_second_edition_of_one_version_is_refused(bench: Bench) -> None:
    """One version has one content."""
    directory = bench.directory()
    bench.key(WUHUA)
    bench.publish(version=1)
    with pytest.raises(DirectoryFault, match="two different versions 1"):
        directory.reload()
    assert list(directory.keys_of(WUHUA)) == []


def test_no_byte_can_be_changed(bench: Bench) -> None:
    """Whichever byte of the file is changed, it is refused and the last good edition stays."""
    bench.key(WUHUA)
    directory = bench.directory()
    bench.publish(version=2)
    data = bench.path.read_bytes()
    for place in range(len(data)):
        bench.path.write_bytes(data[:place] + bytes([data[place] ^ 0x01]) + data[place + 1 :])
        with pytest.raises(DirectoryFault):
            SignedDirectory(bench.path, public_pem(bench.authority))
    with pytest.raises(DirectoryFault):
        directory.reload()
    assert directory.version == 1
    bench.path.write_bytes(data)
    assert directory.reload()


def test_other_authority_is_refused(bench: Bench) -> None:
    """A directory that another key signed is not ours, nor is one that two keys signed."""
    bench.publish()
    other = Ed25519PrivateKey.generate()
    with pytest.raises(DirectoryFault, match="another key"):
        SignedDirectory(bench.path, public_pem(other))
    ours = SignedEnvelope.FromString(bench.path.read_bytes())
    ours.signatures.extend(signed_by(other, ours.payload).signatures)
    write_public(bench.path, ours.SerializeToString())
    with pytest.raises(DirectoryFault, match="another key"):
        SignedDirectory(bench.path, public_pem(bench.authority))


def test_nothing_is_parsed_before_the_signature(bench: Bench) -> None:
    """The complaint about unsigned nonsense is the signature; about signed nonsense, the form."""
    authority = Ed25519PrivateKey.generate()
    pinned = public_pem(authority)
    envelope = signed_by(authority, b"\xff nonsense")
    write_public(bench.path, envelope.SerializeToString())
    with pytest.raises(DirectoryFault, match="does not parse"):
        SignedDirectory(bench.path, pinned)
    envelope.signatures[0].value = bytes(64)
    write_public(bench.path, envelope.SerializeToString())
    with pytest.raises(DirectoryFault, match="does not match the bytes"):
        SignedDirectory(bench.path, pinned)
    write_public(bench.path, signed_by(authority, b"fact", EVENT).SerializeToString())
    with pytest.raises(DirectoryFault, match="other than a directory"):
        SignedDirectory(bench.path, pinned)


@pytest.mark.parametrize(
    "pinned",
    [b"", b"words", public_pem(generate_private_key(SECP256R1()))],
    ids=["empty", "words", "P-256"],
)
def test_unusable_pin_is_refused(bench: Bench, pinned: bytes) -> None:
    """Without a usable pinned key there is no directory."""
    bench.publish()
    with pytest.raises(DirectoryFault, match="authority's public key"):
        SignedDirectory(bench.path, pinned)


def test_missing_file_is_named(bench: Bench, tmp_path: Path) -> None:
    """A path that leads nowhere is a fault at start, and later leaves the edition in force."""
    directory = bench.directory()
    bench.path.unlink()
    with pytest.raises(DirectoryFault, match="cannot be read"):
        directory.reload()
    assert directory.version == 1
    with pytest.raises(DirectoryFault, match="cannot be read"):
        SignedDirectory(tmp_path / "gone", public_pem(bench.authority))


def test_keys_are_read_whole(bench: Bench) -> None:
    """Moments keep their microseconds and a revocation its reason."""
    key = bench.key(WUHUA, begin=NOW.replace(microsecond=123456))
    changed = replace(key, revoked_at=NOW, revocation_reason="遗失")
    bench.change(key, changed)
    assert bench.directory().key(key.key_id) == changed
