"""Seals content to one organisation and opens what was sealed to those at home here."""

import hashlib
from typing import Final

from gateway.crypto.keyring import Keyring
from gateway.crypto.suites import SEAL_SUITES
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose, PublicKey
from gateway.domain.organisations import OrgId

_DOMAIN: Final = b"dropout-gateway/v1/message\0"


def info_of(header: bytes) -> bytes:
    """Return the HPKE `info` that binds a seal to the header it travels under.

    Single-shot HPKE has no associated data, so the header goes in here (RFC 9180 section 8.1): a
    fixed prefix, then its SHA-256. Sealed bytes under any other header do not open.
    """
    return _DOMAIN + hashlib.sha256(header).digest()


class KeyringSealer:
    """Implements `gateway.ports.sealing.Sealer`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, key: PublicKey, header: bytes, content: bytes) -> bytes:
        """Return the ciphertext of `content` for the owner of `key`, bound to `header`.

        Raises:
            Refusal: KEY_WRONG_PURPOSE, nothing can be sealed to this key.
        """
        suite = SEAL_SUITES.get(key.algorithm) if key.purpose is KeyPurpose.SEAL else None
        sealed = suite.seal(key.public_key, info_of(header), content) if suite else None
        if sealed is None:
            raise Refusal(
                Reason.KEY_WRONG_PURPOSE,
                f"Nothing can be sealed to this key of {key.owner}.",
                "Choose the organisation's current key for sealing from the directory.",
                key_id=key.key_id,
            )
        return sealed

    def open(self, org: OrgId, key_id: str, header: bytes, sealed: bytes) -> bytes:
        """Return the content.

        Raises:
            Refusal: SEAL_BROKEN, the organisation has no such key here, or key, header and bytes
                do not belong together.
        """
        held = self._keyring.key(org, key_id)
        if held is None or held.open_sealed is None:
            raise _broken(f"{org} holds no key here that could open this seal.")
        content = held.open_sealed(sealed, info_of(header))
        if content is None:
            raise _broken("The seal does not open: key, header and bytes do not belong together.")
        return content


def _broken(message: str) -> Refusal:
    return Refusal(
        Reason.SEAL_BROKEN,
        message,
        "Seal the content again to the receiver's current key and send it under a new number.",
    )
