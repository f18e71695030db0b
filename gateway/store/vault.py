"""The identity vault in SQL: parts under a reference, and a keyed index that tells nothing."""

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from gateway.domain.organisations import OrgId
from gateway.ports.vault import VaultPart
from gateway.store import tables

_v, _x = tables.vault_parts, tables.vault_index


class SqlVault:
    """Implements gateway.ports.vault.Vault. `key` is the node's secret for the blind index.

    Identity numbers can be counted through, so a bare hash would disclose them; the index holds
    HMAC-SHA-256 under a key that is not in the database.
    """

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key

    def _blind(self, org: OrgId, identifier: str) -> str:
        text = f"{org}\0{identifier}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def put(self, org: OrgId, ref: str, parts: Sequence[VaultPart]) -> None:
        """See Vault.put."""
        for part in parts:
            key = {
                "org": str(org),
                "ref": ref,
                "kind": part.kind,
                "subject_id": part.subject_id,
            }
            self._connection.execute(
                delete(_v).where(*(_v.c[name] == value for name, value in key.items()))
            )
            self._connection.execute(insert(_v).values(**key, salt=part.salt, content=part.content))

    def reveal(self, org: OrgId, ref: str, purpose: str) -> Sequence[VaultPart]:
        """See Vault.reveal. Raises ValueError without a purpose."""
        if not purpose:
            raise ValueError("identity is revealed for a purpose only")
        rows = self._connection.execute(
            select(_v.c.kind, _v.c.subject_id, _v.c.salt, _v.c.content)
            .where(_v.c.org == str(org), _v.c.ref == ref)
            .order_by(_v.c.subject_id, _v.c.kind)
        )
        return [VaultPart(*row) for row in rows]

    def index(self, org: OrgId, subject_id: str, identifier: str) -> None:
        """See Vault.index."""
        blind = self._blind(org, identifier)
        self._connection.execute(delete(_x).where(_x.c.org == str(org), _x.c.blind == blind))
        self._connection.execute(
            insert(_x).values(org=str(org), blind=blind, subject_id=subject_id)
        )

    def fingerprint(self, org: OrgId, content: bytes) -> bytes:
        """See Vault.fingerprint."""
        return hmac.new(self._key, f"{org}\0".encode() + content, hashlib.sha256).digest()

    def find(self, org: OrgId, identifier: str) -> str | None:
        """See Vault.find."""
        return self._connection.execute(
            select(_x.c.subject_id).where(
                _x.c.org == str(org), _x.c.blind == self._blind(org, identifier)
            )
        ).scalar()
