"""The file that holds the vault's key."""

from pathlib import Path

import pytest

from gateway.store.vault_key import VaultKeyFault, read_vault_key, vault_key_text

KEY = bytes(range(32))


def written(path: Path, content: str, mode: int = 0o600) -> Path:
    """Write a key file."""
    path.write_text(content)
    path.chmod(mode)
    return path


def test_round_trip(tmp_path: Path) -> None:
    """What was written for a key is read as that key."""
    assert read_vault_key(written(tmp_path / "k", vault_key_text(KEY))) == KEY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_open_to_others(tmp_path: Path, mode: int) -> None:
    """A key that others may read or write is refused with the command that mends it."""
    path = written(tmp_path / "k", vault_key_text(KEY), mode)
    with pytest.raises(VaultKeyFault, match=f"chmod 600 {path}"):
        read_vault_key(path)


@pytest.mark.parametrize("content", ["", "0f0f", "x" * 64, "0f" * 33, "0f" * 500], ids=len)
def test_wrong_content(tmp_path: Path, content: str) -> None:
    """Anything but 64 hex digits is refused, and not quoted."""
    with pytest.raises(VaultKeyFault, match="64 hex digits") as caught:
        read_vault_key(written(tmp_path / "k", content))
    assert not content or content not in str(caught.value)


def test_missing(tmp_path: Path) -> None:
    """A missing file is refused with the command that makes one."""
    with pytest.raises(VaultKeyFault, match="openssl rand -hex 32"):
        read_vault_key(tmp_path / "k")


def test_key_has_32_bytes() -> None:
    """A shorter secret is not made into a key."""
    with pytest.raises(ValueError, match="32 bytes"):
        vault_key_text(KEY[:31])
