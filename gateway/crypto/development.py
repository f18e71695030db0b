"""Makes everything a development set-up needs: certificates, keys, directory, broker users.

    <dir>/  ca.pem  ca.key.pem  authority.pub.pem  authority.key.pem  directory.bin
            broker/          server.crt  server.key
            nodes/<name>/    server.crt  server.key  nkey.seed  nkey.pub
                             keys/<org>.sign.pem  keys/<org>.seal.pem
            clients/         <org>.crt  <org>.key

`<org>` is an organisation's code with `_` for `/`. Files with private keys are 0600, directories
0700. Everything lies on one disk here, so this is no way to run a province.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import nkeys
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.crypto import certificates
from gateway.crypto.authority import read_edition, sign_directory
from gateway.crypto.certificates import Issued, Validity
from gateway.crypto.directory import AUTHORITY_ALGORITHM
from gateway.crypto.edition import Edition
from gateway.crypto.files import private_directory, write_private, write_public
from gateway.crypto.keyring import read_private_key
from gateway.crypto.suites import SEAL_SUITES, SIGNATURE_SUITES, key_id_of, public_bytes
from gateway.domain.keys import KeyAlgorithm, KeyPurpose, PublicKey
from gateway.domain.organisations import Organisation, OrgId

_BACKDATED: Final = timedelta(days=1)
_LIFETIME: Final = timedelta(days=730)
_NKEY_SEED_BYTES: Final = 32
_NODE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_KEYS: Final = (
    (KeyPurpose.SIGN, KeyAlgorithm.ED25519, SIGNATURE_SUITES[KeyAlgorithm.ED25519].generate),
    (
        KeyPurpose.SEAL,
        KeyAlgorithm.HPKE_X25519_AES256GCM,
        SEAL_SUITES[KeyAlgorithm.HPKE_X25519_AES256GCM].generate,
    ),
)


@dataclass(frozen=True)
class EstateNode:
    """A node and the organisations it is home to; their `node` is filled in from here."""

    name: str
    organisations: tuple[Organisation, ...]

    def __post_init__(self) -> None:
        """Check the name, which becomes a directory, a URI path and a broker user.

        Raises:
            ValueError: it is not 1 to 32 of `a-z 0-9 -`.
        """
        if not _NODE_NAME.fullmatch(self.name):
            raise ValueError("the name of a node is 1 to 32 of a-z, 0-9 and hyphen")


@dataclass(frozen=True)
class Estate:
    """What to make.

    Attributes:
        nodes: the nodes, with names fit for a directory.
        elsewhere: organisations that are listed without keys, being at home on no node here.
    """

    nodes: tuple[EstateNode, ...]
    elsewhere: tuple[Organisation, ...] = ()


def file_stem(org: OrgId) -> str:
    """Return the organisation's code as part of a file name: `530102/edu` is `530102_edu`."""
    return str(org).replace("/", "_")


def make_development(
    directory: Path,
    estate: Estate,
    now: datetime,
    *,
    validity: Validity | None = None,
    force: bool = False,
) -> None:
    """Write what is missing of a development set-up.

    What exists is kept, with the directory's revocations; a larger estate gets what it lacks and
    a directory of the next version. A second call with the same estate changes no byte.

    Args:
        directory: where to; made when missing.
        estate: nodes and organisations.
        now: the present moment, aware.
        validity: of new keys and certificates; from a day ago for two years when None.
        force: make everything anew, with another authority, version 1 again.

    Raises:
        MaterialFault: what exists cannot be used.
    """
    span = validity or Validity(now - _BACKDATED, now - _BACKDATED + _LIFETIME)
    _Workshop(private_directory(directory), span, force).make(estate, now)


class _Workshop:
    """One run: where to, for how long, and whether to start anew."""

    def __init__(self, root: Path, span: Validity, force: bool) -> None:
        self._root = root
        self._span = span
        self._force = force

    def make(self, estate: Estate, now: datetime) -> None:
        ca = self._certificate(
            self._root / "ca.pem",
            self._root / "ca.key.pem",
            lambda: certificates.make_ca(self._span),
        )
        self._server(self._root / "broker", lambda: certificates.issue_broker(ca, self._span))
        keys: list[PublicKey] = []
        for node in estate.nodes:
            home = self._root / "nodes" / node.name
            self._node(ca, node.name, home)
            for org in node.organisations:
                keys += self._keys(org.id, home / "keys")
                self._client(ca, org.id)
        organisations = tuple(
            replace(org, node=node.name) for node in estate.nodes for org in node.organisations
        )
        self._directory((*organisations, *estate.elsewhere), tuple(keys), now)

    def _node(self, ca: Issued, name: str, home: Path) -> None:
        self._server(home, lambda: certificates.issue_node(ca, name, self._span))
        seed_file = home / "nkey.seed"
        if self._wanted(seed_file):
            seed = nkeys.encode_seed(os.urandom(_NKEY_SEED_BYTES), nkeys.PREFIX_BYTE_USER)
            write_private(seed_file, seed)
        user = nkeys.from_seed(seed_file.read_bytes())
        write_public(home / "nkey.pub", user.public_key)

    def _client(self, ca: Issued, org: OrgId) -> None:
        stem = private_directory(self._root / "clients") / file_stem(org)
        self._certificate(
            stem.with_name(f"{stem.name}.crt"),
            stem.with_name(f"{stem.name}.key"),
            lambda: certificates.issue_organisation(ca, org, self._span),
        )

    def _server(self, home: Path, issue: Callable[[], Issued]) -> None:
        private_directory(home)
        self._certificate(home / "server.crt", home / "server.key", issue)

    def _certificate(self, certificate: Path, key: Path, issue: Callable[[], Issued]) -> Issued:
        # The key is written first: a certificate on disk always has its key.
        if self._wanted(certificate):
            issued = issue()
            write_private(key, issued.key)
            write_public(certificate, issued.certificate)
        return Issued(certificate.read_bytes(), key.read_bytes())

    def _keys(self, org: OrgId, folder: Path) -> list[PublicKey]:
        private_directory(folder)
        keys: list[PublicKey] = []
        for purpose, algorithm, generate in _KEYS:
            path = folder / f"{file_stem(org)}.{purpose.lower()}.pem"
            if self._wanted(path):
                write_private(path, _private_pem(generate()))
            public = public_bytes(read_private_key(path))
            keys.append(
                PublicKey(
                    key_id=key_id_of(public),
                    owner=org,
                    purpose=purpose,
                    algorithm=algorithm,
                    public_key=public,
                    not_before=self._span.not_before,
                    not_after=self._span.not_after,
                )
            )
        return keys

    def _directory(
        self, organisations: tuple[Organisation, ...], keys: tuple[PublicKey, ...], now: datetime
    ) -> None:
        key_file = self._root / "authority.key.pem"
        path = self._root / "directory.bin"
        if self._wanted(key_file):
            write_private(key_file, _private_pem(SIGNATURE_SUITES[AUTHORITY_ALGORITHM].generate()))
        authority = read_private_key(key_file)
        public = authority.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        write_public(self._root / "authority.pub.pem", public)
        before = None if self._wanted(path) else read_edition(path, authority)
        # Whoever was listed once stays listed with its keys: old signatures are still judged.
        present = {org.id for org in organisations}
        former = before.organisations if before else ()
        organisations += tuple(org for org in former if org.id not in present)
        listed = before.keys if before else ()
        known = {key.key_id for key in listed}
        keys = (*listed, *(key for key in keys if key.key_id not in known))
        if before and (before.organisations, before.keys) == (organisations, keys):
            return
        version = before.version + 1 if before else 1
        entitlements = before.entitlements if before else ()
        edition = Edition(version, now, organisations, keys, entitlements)
        write_public(path, sign_directory(edition, authority))

    def _wanted(self, path: Path) -> bool:
        return self._force or not path.exists()


def _private_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
