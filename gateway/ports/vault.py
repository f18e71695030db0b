"""The identity vault: the one place where names and numbers are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class VaultPart:
    """A private part. `kind` is the number of the wire's PartKind; `content` its bytes."""

    kind: int
    subject_id: str
    salt: bytes
    content: bytes

    def __repr__(self) -> str:
        """Show nothing: a repr ends up in logs and test output."""
        return "VaultPart(...)"


class Vault(Protocol):
    """Put, reveal for a purpose, find by blind index.

    `ref` is the identifier of the event the parts belong to, or of the subject or letter itself.
    """

    def put(self, org: OrgId, ref: str, parts: Sequence[VaultPart]) -> None:
        """Keep the parts under `ref`; a part of the same kind and subject is replaced."""
        ...

    def reveal(self, org: OrgId, ref: str, purpose: str) -> Sequence[VaultPart]:
        """Return the parts kept under `ref`. `purpose` says why; an empty one is a mistake."""
        ...

    def index(self, org: OrgId, subject_id: str, identifier: str) -> None:
        """Make the subject findable by an identifier; only a keyed digest of it is stored."""
        ...

    def fingerprint(self, org: OrgId, content: bytes) -> bytes:
        """Return a keyed digest (32 bytes) of content that may hold identity.

        A bare hash of an identity number can be counted through; this one needs the node's key.
        """
        ...

    def find(self, org: OrgId, identifier: str) -> str | None:
        """Return the token of the subject with that identifier, or None."""
        ...
