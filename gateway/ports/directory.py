"""Who takes part: organisations, posts and public keys, as the authority signed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.domain.entitlements import Entitlement
from gateway.domain.keys import KeyPurpose, PublicKey
from gateway.domain.organisations import Organisation, OrgId


class Directory(Protocol):
    """Answers from one verified version of the directory."""

    @property
    def version(self) -> int:
        """Version of the document, rising from 1."""
        ...

    def organisation(self, org: OrgId) -> Organisation | None:
        """Return the organisation, or None when it takes no part."""
        ...

    def organisations(self) -> Sequence[Organisation]:
        """Return every organisation, ordered by code."""
        ...

    def key(self, key_id: str) -> PublicKey | None:
        """Return the key with this identifier, valid or not, or None."""
        ...

    def keys_of(self, org: OrgId) -> Sequence[PublicKey]:
        """Return every key of the organisation, newest first."""
        ...

    def current_key(self, org: OrgId, purpose: KeyPurpose, at: datetime) -> PublicKey | None:
        """Return the newest key of that purpose that is valid and unrevoked at that moment."""
        ...

    def entitlements(self) -> Sequence[Entitlement]:
        """Return who may follow whose facts, ended entitlements too, in the document's order."""
        ...
