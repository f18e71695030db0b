"""The node's secret for the vault's blind index: 32 bytes, kept in a file and never in a database."""

import os
import re
import stat
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32

_FORM: Final = re.compile(r"[0-9A-Fa-f]{64}")
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_READ_AT_MOST: Final = 200


class VaultKeyFault(Exception):
    """The key file cannot be used. The text says why and what to do, and quotes nothing."""


def vault_key_text(random_bytes: bytes) -> str:
    """Return the content of a new key file.

    Raises:
        ValueError: not 32 bytes.
    """
    if len(random_bytes) != KEY_BYTES:
        raise ValueError("The vault's key has 32 bytes.")
    return f"{random_bytes.hex()}\n"


def read_vault_key(path: Path) -> bytes:
    """Read the key: 64 hex digits in a file that only its owner may read.

    Raises:
        VaultKeyFault: the file is missing, open to others, or holds something else.
    """
    try:
        # Checked and read through one descriptor, so that it is the same file both times.
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_READ_AT_MOST).decode("ascii", "replace").strip()
    except OSError as error:
        raise VaultKeyFault(
            f"The vault key {path} cannot be read: {error.strerror}. Make one with: "
            f"(umask 077; openssl rand -hex 32 > {path})."
        ) from None
    if mode & _OPEN_TO_OTHERS:
        raise VaultKeyFault(
            f"The vault key {path} is open to other users (mode {mode:04o}). "
            f"Run: chmod 600 {path} - and if others may have read it, index anew under another key."
        )
    if not _FORM.fullmatch(text):
        raise VaultKeyFault(f"The vault key {path} is not 64 hex digits. Restore the right file.")
    return bytes.fromhex(text)
