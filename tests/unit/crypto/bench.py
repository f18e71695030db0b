"""A work bench for the tests of this room: two counties, their keys, a signed directory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.crypto.authority import sign_directory
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.edition import Edition
from gateway.crypto.files import write_private, write_public
from gateway.crypto.keyring import Keyring
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.suites import (
    SEAL_SUITES,
    SIGNATURE_SUITES,
    SealSuite,
    SignatureSuite,
    key_id_of,
    public_bytes,
)
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.organisations import Organisation, OrgId

NOW: Final = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DAY: Final = timedelta(days=1)
WUHUA: Final = OrgId.parse("530102/edu")
ZHENXIONG: Final = OrgId.parse("530627/edu")

_MAKERS: dict[KeyPurpose, tuple[KeyAlgorithm, SignatureSuite | SealSuite]] = {
    KeyPurpose.SIGN: (KeyAlgorithm.ED25519, SIGNATURE_SUITES[KeyAlgorithm.ED25519]),
    KeyPurpose.SEAL: (
        KeyAlgorithm.HPKE_X25519_AES256GCM,
        SEAL_SUITES[KeyAlgorithm.HPKE_X25519_AES256GCM],
    ),
}


@dataclass(frozen=True)
class StoppedClock:
    """Always tells the same moment."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """Return that moment."""
        return self.moment


def pem(key: PrivateKeyTypes) -> bytes:
    """Return a private key as its file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PrivateKeyTypes) -> bytes:
    """Return the public half as it is pinned."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Bench:
    """Keys are made on demand; the directory lists what was made, unless changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "directory.bin"
        self.authority = _MAKERS[KeyPurpose.SIGN][1].generate()
        self.keys: dict[str, PublicKey] = {}
        self.uris: dict[OrgId, list[str]] = {}

    def key(
        self,
        org: OrgId,
        purpose: KeyPurpose = KeyPurpose.SIGN,
        begin: datetime = NOW - DAY,
        end: datetime = NOW + DAY,
    ) -> PublicKey:
        """Make a key, put its file on disk and its public half on the list."""
        algorithm, suite = _MAKERS[purpose]
        private = suite.generate()
        public = public_bytes(private)
        key = PublicKey(key_id_of(public), org, purpose, algorithm, public, begin, end)
        file = self.folder / f"{key.key_id}.pem"
        write_private(file, pem(private))
        self.keys[key.key_id] = key
        self.uris.setdefault(org, []).append(f"file:{file}")
        return key

    def change(self, key: PublicKey, changed: PublicKey) -> None:
        """List something else under the identifier of a key."""
        self.keys[key.key_id] = changed

    def revoke(self, key: PublicKey, at: datetime) -> None:
        """List the key as revoked."""
        self.change(key, replace(key, revoked_at=at, revocation_reason="lost"))

    def edition(self, version: int = 1, without: Iterable[PublicKey] = ()) -> Edition:
        """Return what the directory says now."""
        left_out = {key.key_id for key in without}
        keys = tuple(key for key in self.keys.values() if key.key_id not in left_out)
        organisations = (
            Organisation(ZHENXIONG, "镇雄县教育体育局", OrgId.parse("5306/edu")),
            Organisation(
                WUHUA,
                "五华区教育体育局",
                letter_mark="五教函",
                posts=("CASE_OFFICER", "APPROVER"),
                node="wuhua",
            ),
        )
        return Edition(version, NOW, organisations, keys)

    def publish(self, version: int = 1, without: Iterable[PublicKey] = ()) -> None:
        """Sign the directory and put it in its place."""
        write_public(self.path, sign_directory(self.edition(version, without), self.authority))

    def directory(self, without: Iterable[PublicKey] = ()) -> SignedDirectory:
        """Publish and load the directory."""
        self.publish(without=without)
        return SignedDirectory(self.path, public_pem(self.authority))

    def keyring(self) -> Keyring:
        """Load every private key made here."""
        return Keyring.load(self.uris)

    def signer(self, directory: SignedDirectory) -> DirectorySigner:
        """Return a signer for all of them."""
        return DirectorySigner(self.keyring(), directory, StoppedClock())
