"""The private keys of the organisations at home on this node.

A key is named by a URI whose scheme says where it lives, so that it can move to a hardware module
by configuration alone: a new scheme is a new row in `SCHEMES`. `file:<path>` is a PEM file
(PKCS #8, RFC 5958) which nobody but its owner may read.
"""

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.crypto.faults import KeyFault
from gateway.crypto.suites import (
    SEAL_SUITES,
    SIGNATURE_SUITES,
    OpenSealed,
    SignBytes,
    key_id_of,
    public_bytes,
)
from gateway.domain.keys import KeyAlgorithm
from gateway.domain.organisations import OrgId

_MAX_KEY_FILE_BYTES: Final = 64 * 1024
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class HeldKey:
    """A private key in use. Exactly one of `sign` and `open_sealed` is there: one purpose each.

    `key_id` is the SHA-256 of its public key in lowercase hex, as in the directory.
    """

    key_id: str
    algorithm: KeyAlgorithm
    sign: SignBytes | None = field(default=None, repr=False)
    open_sealed: OpenSealed | None = field(default=None, repr=False)


class Keyring:
    """Keys by owner. Old sealing keys stay in it as long as mail sealed to them may arrive."""

    def __init__(self, keys: Mapping[OrgId, Iterable[HeldKey]]) -> None:
        self._keys = {org: {key.key_id: key for key in held} for org, held in keys.items()}

    @classmethod
    def load(cls, uris: Mapping[OrgId, Iterable[str]]) -> Self:
        """Load every key that is named.

        Args:
            uris: for each organisation at home the URIs of its keys, for example
                `file:/etc/gateway/keys/530627_edu.sign.pem`. What a key is for, its kind says.

        Raises:
            KeyFault: a key cannot be read, may be read by others, is of an unknown kind, or
                belongs to two organisations.
        """
        keys = {org: [load_key(uri) for uri in names] for org, names in uris.items()}
        owner: dict[str, OrgId] = {}
        for org, held in keys.items():
            for key in held:
                if owner.setdefault(key.key_id, org) != org:
                    raise KeyFault(
                        f"One key is configured for both {owner[key.key_id]} and {org}.",
                        "Give each organisation keys of its own.",
                    )
        return cls(keys)

    @property
    def owners(self) -> frozenset[OrgId]:
        """The organisations that have a key here."""
        return frozenset(org for org, held in self._keys.items() if held)

    def key(self, org: OrgId, key_id: str) -> HeldKey | None:
        """Return the organisation's key with this identifier, or None."""
        return self._keys.get(org, {}).get(key_id)


def load_key(uri: str) -> HeldKey:
    """Load the key that a URI names.

    Raises:
        KeyFault: see `Keyring.load`.
    """
    scheme, _, rest = uri.partition(":")
    load = SCHEMES.get(scheme)
    if load is None or not rest:
        raise KeyFault(
            f"The key URI has the unknown scheme {scheme!r}.",
            f"Write one of: {', '.join(f'{name}:...' for name in SCHEMES)}.",
        )
    return load(rest)


def read_private_key(path: Path) -> PrivateKeyTypes:
    """Read an unencrypted PKCS #8 PEM file that only its owner may read.

    Raises:
        KeyFault: the file is missing, open to others, or holds no private key.
    """
    try:
        # Checked and read through one descriptor, so that it is the same file both times.
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(_MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise KeyFault(
            f"The key file {path} cannot be read: {error.strerror}.",
            "Check the path and that the gateway's user owns the file.",
        ) from error
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OPEN_TO_OTHERS:
        raise KeyFault(
            f"The key file {path} is open to other users (mode {mode:04o}).",
            f"Run: chmod 600 {path} - and replace the key if others may have read it.",
        )
    try:
        return load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause is dropped on purpose: its text may quote the file.
        raise KeyFault(
            f"The file {path} holds no unencrypted private key in PEM form (PKCS #8).",
            "Make keys with: gateway certs dev, or openssl genpkey -algorithm ed25519.",
        ) from None


def _file_key(rest: str) -> HeldKey:
    path = Path(rest)
    private = read_private_key(path)
    key_id = key_id_of(public_bytes(private))
    for algorithm, signatures in SIGNATURE_SUITES.items():
        sign = signatures.signing(private)
        if sign is not None:
            return HeldKey(key_id, algorithm, sign=sign)
    for algorithm, seals in SEAL_SUITES.items():
        open_sealed = seals.opening(private)
        if open_sealed is not None:
            return HeldKey(key_id, algorithm, open_sealed=open_sealed)
    known = ", ".join([*SIGNATURE_SUITES, *SEAL_SUITES])
    raise KeyFault(
        f"The key in {path} is of no kind this gateway uses.", f"Use a key for one of: {known}."
    )


SCHEMES: Final[Mapping[str, Callable[[str], HeldKey]]] = MappingProxyType({"file": _file_key})
"""Where keys may live: scheme of the URI -> what loads a key from the rest of it."""
