"""The claim of one process on an SQLite file: a second one would number mail and act beside it."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.store.engine import sqlite_file
from gateway.store.faults import UnsafeStore

_OWNER_ONLY: Final = 0o600


class StoreClaim:
    """Enter it to hold the store alone until it is left, or the process ends however it does.

    PostgreSQL arranges its processes by itself.
    """

    def __init__(self, url: str) -> None:
        self._file = sqlite_file(url)
        self._descriptor: int | None = None

    @property
    def path(self) -> Path | None:
        """The lock file beside the store."""
        return self._file and self._file.with_name(f".{self._file.name}.lock")

    def __enter__(self) -> Self:
        """Take the claim. Raises UnsafeStore when another process has it."""
        path = self.path
        if path is None:
            return self
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UnsafeStore(
                f"Another process works on the store {self._file}. Two nodes on one store would act "
                "for the same organisations; stop the other one first."
            ) from None
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go. The file stays: removed, it could be locked twice under two names."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
