"""Changing an organisation's signing key in a province: the new one is listed, the old one ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.crypto.authority import read_edition, sign_directory
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.files import write_private, write_public
from gateway.crypto.keyring import Keyring, load_key, read_private_key
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.suites import SIGNATURE_SUITES, key_id_of, public_bytes
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.organisations import OrgId
from tests.world.province import Province

Ending = Callable[[PublicKey, Province], PublicKey]


def expired(key: PublicKey, province: Province) -> PublicKey:
    """End a key as its time is over."""
    return replace(key, not_after=province.clock.now())


def revoked(key: PublicKey, province: Province) -> PublicKey:
    """End a key as it may be in other hands."""
    return replace(key, revoked_at=province.clock.now(), revocation_reason="lost")


def end_key(province: Province, org: OrgId, ending: Ending) -> None:
    """End every signing key of the organisation in the directory of all nodes."""
    _publish(province, lambda key: ending(key, province) if _signs(key, org) else key)


def rotate(province: Province, org: OrgId, ending: Ending) -> None:
    """Give the organisation a new signing key and, at the same moment, end those it had."""
    made = SIGNATURE_SUITES[KeyAlgorithm.ED25519].generate()
    public = public_bytes(made)
    path = province.directory / f"{key_id_of(public)}.pem"
    write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    province.clock.advance(seconds=1)
    now = province.clock.now()
    listed = PublicKey(
        key_id=key_id_of(public),
        owner=org,
        purpose=KeyPurpose.SIGN,
        algorithm=KeyAlgorithm.ED25519,
        public_key=public,
        not_before=now,
        not_after=now + timedelta(days=700),
    )
    _publish(province, lambda key: ending(key, province) if _signs(key, org) else key, listed)
    signer = province.node_of[org].tools.signer
    assert isinstance(signer, DirectorySigner)
    keyring: Keyring = signer._keyring
    keyring._keys[org][listed.key_id] = load_key(f"file:{path}")


@contextmanager
def without_keys(province: Province, at: OrgId, of: OrgId) -> Iterator[None]:
    """Let the directory at one organisation's node lack the keys of another."""
    directory = province.node_of[at].tools.directory
    assert isinstance(directory, SignedDirectory)
    whole = directory._now
    known = {name: key for name, key in whole.keys.items() if key.owner != of}
    directory._now = replace(whole, keys=known)
    yield
    directory._now = whole


def republish(province: Province) -> None:
    """Publish an edition in which nothing but its version is new."""
    _publish(province, lambda key: key)


def _signs(key: PublicKey, org: OrgId) -> bool:
    return key.owner == org and key.purpose is KeyPurpose.SIGN


def _publish(
    province: Province, change: Callable[[PublicKey], PublicKey], *added: PublicKey
) -> None:
    path = province.directory / "directory.bin"
    authority = read_private_key(province.directory / "authority.key.pem")
    edition = read_edition(path, authority)
    keys = (*map(change, edition.keys), *added)
    following = replace(edition, version=edition.version + 1, keys=keys)
    write_public(path, sign_directory(following, authority))
    for node in province.nodes.values():
        directory = node.tools.directory
        assert isinstance(directory, SignedDirectory)
        assert directory.reload()
