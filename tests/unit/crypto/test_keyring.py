"""Private keys on disk."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from gateway.crypto.faults import KeyFault
from gateway.crypto.files import write_private
from gateway.crypto.keyring import Keyring, load_key
from gateway.domain.keys import KeyAlgorithm, KeyPurpose
from tests.unit.crypto.bench import WUHUA, ZHENXIONG, Bench, pem


def test_keys_load_with_one_purpose_each(bench: Bench) -> None:
    """The kind of a key says what it does, and it does nothing else."""
    signing, sealing = bench.key(WUHUA), bench.key(WUHUA, KeyPurpose.SEAL)
    keyring = bench.keyring()
    sign, seal = keyring.key(WUHUA, signing.key_id), keyring.key(WUHUA, sealing.key_id)
    assert sign is not None
    assert seal is not None
    assert (sign.algorithm, sign.open_sealed) == (KeyAlgorithm.ED25519, None)
    assert (seal.algorithm, seal.sign) == (KeyAlgorithm.HPKE_X25519_AES256GCM, None)
    assert keyring.owners == {WUHUA}


def test_key_belongs_to_its_owner_alone(bench: Bench) -> None:
    """Another organisation at home on the same node cannot use the key."""
    key = bench.key(WUHUA)
    bench.key(ZHENXIONG)
    assert bench.keyring().key(ZHENXIONG, key.key_id) is None


def test_one_key_for_two_organisations_is_refused(bench: Bench) -> None:
    """A key configured twice is a slip that must not start."""
    bench.key(WUHUA)
    bench.uris[ZHENXIONG] = bench.uris[WUHUA]
    with pytest.raises(KeyFault, match="both"):
        bench.keyring()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A key file that anybody else may touch does not load, and the advice says what to do."""
    path = tmp_path / "key.pem"
    write_private(path, pem(Ed25519PrivateKey.generate()))
    path.chmod(mode)
    with pytest.raises(KeyFault, match=rf"mode {mode:04o}.*chmod 600"):
        load_key(f"file:{path}")
    path.chmod(0o400)
    assert load_key(f"file:{path}").sign


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"secret words",
        pem(Ed25519PrivateKey.generate())[:60],
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")
        ),
    ],
    ids=["empty", "words", "cut", "encrypted"],
)
def test_file_without_plain_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no unencrypted PEM key is refused without quoting it."""
    path = tmp_path / "key.pem"
    write_private(path, content)
    with pytest.raises(KeyFault, match="no unencrypted private key") as caught:
        load_key(f"file:{path}")
    assert "secret" not in str(caught.value)


def test_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A P-256 key is for certificates, not for this ring."""
    path = tmp_path / "key.pem"
    write_private(path, pem(generate_private_key(SECP256R1())))
    with pytest.raises(KeyFault, match="no kind"):
        load_key(f"file:{path}")


@pytest.mark.parametrize("uri", ["pkcs11:token=x", "/etc/key.pem", "file:", ""])
def test_unknown_scheme_is_refused(uri: str) -> None:
    """A URI of a scheme that is not in the table is refused; the answer lists the table."""
    with pytest.raises(KeyFault, match="file:"):
        load_key(uri)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(KeyFault, match=r"gone\.pem cannot be read"):
        Keyring.load({WUHUA: [f"file:{tmp_path / 'gone.pem'}"]})


def test_held_key_shows_no_secret(bench: Bench) -> None:
    """The printed form of a key holds its identifier only."""
    key = bench.key(WUHUA)
    shown = repr(bench.keyring().key(WUHUA, key.key_id))
    assert key.key_id in shown
    assert "lambda" not in shown
