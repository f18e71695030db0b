"""The start counter beside the store: a small file outside the database and outside its backups.

The store holds the same count. A store that was put back to an older state has a lower one than the
file, and so is found out whoever put it back, and by whatever means.
"""

import json
import os
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from gateway.store.engine import sqlite_file
from gateway.store.faults import UnsafeStore

_OWNER_ONLY: Final = 0o600


class StartCounter:
    """The file with the count."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, url: str, state: Path | None, node: str) -> "StartCounter | None":
        """Return the counter of a node's store; None where there is nowhere to keep it.

        It lies in the directory `state`, or else beside an SQLite file.
        """
        file = sqlite_file(url)
        if state is not None:
            name = file.name if file is not None else f"{node}.{make_url(url).database}"
            return cls(state / f"{name}.starts")
        return cls(file.with_name(f"{file.name}.starts")) if file is not None else None

    def read(self) -> int | None:
        """Return the count, None when there is no file.

        Raises:
            UnsafeStore: the file is there and cannot be read or understood.
        """
        try:
            count = json.loads(self.path.read_text("ascii"))["starts"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            count = None
        if not isinstance(count, int):
            raise UnsafeStore(
                f"The start counter {self.path} cannot be read. Put the right file back, or remove "
                "it: then the store recovers from its peers."
            )
        return count

    def write(self, count: int) -> None:
        """Write the count so that it is on disk, whole, when this returns. It never goes back.

        Raises:
            OSError: the file cannot be written.
        """
        if (self.read() or 0) >= count:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.new")
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"starts": count}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        sync(self.path.parent)


def sync(path: Path) -> None:
    """Have the content of a file, or the names in a directory, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
