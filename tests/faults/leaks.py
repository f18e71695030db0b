"""I4: nothing of a child stands outside the identity vault, in whatever file a run has left."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from adapters.reference.people import Child
from gateway.store import tables

_SECRET_BY_DESIGN = {tables.vault_parts.name}
_BEGINNING = 4  # bytes
_STORES = ("*.sqlite", "*.sqlite-wal", "*.sqlite-shm")  # read as SQL; an agency's own is its own


def secrets_of(children: Iterable[Child]) -> list[bytes]:
    """Return the canaries: numbers, names and telephones, in the forms a file may hold them."""
    texts = {
        text
        for child in children
        for text in (
            child.id_number,
            child.enrolment_number,
            child.name,
            child.guardian_phone.replace("-", ""),
        )
    }
    return sorted(
        {form for text in texts for form in (text.encode(), text.encode("unicode_escape"))}
    )


class Canaries:
    """Many canaries, looked for in one pass: few beginnings are shared by all of them."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = frozenset(secrets)
        assert self._secrets, "there is no canary to look for"
        self._lengths = sorted({len(secret) for secret in self._secrets})
        beginnings = sorted({secret[:_BEGINNING] for secret in self._secrets})
        self._begins = re.compile(b"(?=" + b"|".join(map(re.escape, beginnings)) + b")")

    def stand_in(self, data: bytes) -> bool:
        """Say whether any of them stands in the data."""
        return any(
            data[begun.start() : begun.start() + length] in self._secrets
            for begun in self._begins.finditer(data)
            for length in self._lengths
        )


def leaks(directory: Path, children: Sequence[Child], stores: Sequence[Engine]) -> list[str]:
    """Return each place that holds a canary: files by name, and columns of the stores."""
    canaries = Canaries(secrets_of(children))
    found = [
        path.name
        for path in sorted(directory.rglob("*"))
        if path.is_file()
        and not any(path.match(pattern) for pattern in _STORES)
        and canaries.stand_in(path.read_bytes())
    ]
    for engine in stores:
        with engine.connect().execution_options(reading=True) as connection:
            for table in tables.metadata.sorted_tables:
                if table.name in _SECRET_BY_DESIGN:
                    continue
                for row in connection.execute(select(table)).mappings():
                    found += [
                        f"{table.name}.{name}"
                        for name, value in row.items()
                        if canaries.stand_in(_as_bytes(value))
                    ]
    return sorted(set(found))


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
