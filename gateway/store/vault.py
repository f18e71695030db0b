"""The identity vault in SQL: parts under a reference, and a keyed index that tells nothing."""

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import select

from gateway.domain.organisations import OrgId
from gateway.ports.vault import VaultPart
from gateway.store import tables
from gateway.store.statements import Cursor, Statement, given, placing

_v, _x = tables.vault_parts.c, tables.vault_index.c

_PUT = placing(tables.vault_parts)
_REVEAL = Statement(
    select(_v.kind, _v.subject_id, _v.salt, _v.content)
    .where(*given(_v.org, _v.ref))
    .order_by(_v.subject_id, _v.kind)
)
_INDEX = placing(tables.vault_index)
_FIND = Statement(select(_x.subject_id).where(*given(_x.org, _x.blind)))


class SqlVault:
    """Implements gateway.ports.vault.Vault. `key` is the node's secret for the blind index.

    Identity numbers can be counted through, so a bare hash would disclose them; the index holds
    HMAC-SHA-256 under a key that is not in the database.
    """

    def __init__(self, cursor: Cursor, key: bytes) -> None:
        self._cursor = cursor
        self._key = key

    def _blind(self, org: OrgId, identifier: str) -> str:
        text = f"{org}\0{identifier}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def put(self, org: OrgId, ref: str, parts: Sequence[VaultPart]) -> None:
        """See Vault.put."""
        self._cursor.change_each(
            _PUT,
            [
                {
                    "org": str(org),
                    "ref": ref,
                    "kind": part.kind,
                    "subject_id": part.subject_id,
                    "salt": part.salt,
                    "content": part.content,
                }
                for part in parts
            ],
        )

    def reveal(self, org: OrgId, ref: str, purpose: str) -> Sequence[VaultPart]:
        """See Vault.reveal. Raises ValueError without a purpose."""
        if not purpose:
            raise ValueError("identity is revealed for a purpose only")
        rows = self._cursor.rows(_REVEAL, org=str(org), ref=ref)
        return [VaultPart(*row) for row in rows]

    def index(self, org: OrgId, subject_id: str, identifier: str) -> None:
        """See Vault.index."""
        blind = self._blind(org, identifier)
        self._cursor.change(_INDEX, org=str(org), blind=blind, subject_id=subject_id)

    def fingerprint(self, org: OrgId, content: bytes) -> bytes:
        """See Vault.fingerprint."""
        return hmac.new(self._key, f"{org}\0".encode() + content, hashlib.sha256).digest()

    def find(self, org: OrgId, identifier: str) -> str | None:
        """See Vault.find."""
        row = self._cursor.row(_FIND, org=str(org), blind=self._blind(org, identifier))
        return str(row[0]) if row else None
