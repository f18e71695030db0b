"""Sealing content to one organisation, so that nobody between can read it."""

from typing import Protocol

from gateway.domain.keys import PublicKey
from gateway.domain.organisations import OrgId


class Sealer(Protocol):
    """Seals to a public key and opens with the private keys of organisations at home here."""

    def seal(self, key: PublicKey, header: bytes, content: bytes) -> bytes:
        """Return the ciphertext of `content` for the owner of `key`, bound to `header`.

        Raises Refusal(KEY_WRONG_PURPOSE) when the key does not serve sealing.
        """
        ...

    def open(self, org: OrgId, key_id: str, header: bytes, sealed: bytes) -> bytes:
        """Return the content. Raises Refusal(SEAL_BROKEN) when key, header or bytes do not fit."""
        ...
