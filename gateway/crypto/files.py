"""Writing key material so that no other user sees it and no reader sees half of it."""

import os
import tempfile
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644
_DIRECTORY: Final = 0o700


def private_directory(path: Path) -> Path:
    """Make the directory and those above it as needed, closed to other users; return it."""
    if not path.is_dir():
        private_directory(path.parent)
        path.mkdir(mode=_DIRECTORY, exist_ok=True)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Put the bytes in place in one step, readable by the owner alone from the first moment on."""
    _write(path, data, _PRIVATE)


def write_public(path: Path, data: bytes) -> None:
    """Put the bytes in place in one step, readable by all."""
    _write(path, data, _PUBLIC)


def _write(path: Path, data: bytes, mode: int) -> None:
    # mkstemp makes the file 0600; the wider mode comes only when the bytes may be seen.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(mode)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
