"""The whole development set-up."""

import stat
from pathlib import Path

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.crypto.authority import revoke_key
from gateway.crypto.certificates import Validity
from gateway.crypto.development import Estate, EstateNode, file_stem, make_development
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.keyring import Keyring, read_private_key
from gateway.crypto.sealer import KeyringSealer
from gateway.crypto.signer import DirectorySigner
from gateway.crypto.verifier import DirectoryVerifier
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import Organisation, OrgId
from gateway.domain.payload_types import EVENT
from tests.unit.crypto.bench import DAY, NOW, WUHUA, ZHENXIONG, StoppedClock

SCHOOL = OrgId.parse("530102/sch/3153000123")
PROVINCE = Organisation(OrgId.parse("53/edu"), "云南省教育厅")
WUHUA_NODE = EstateNode(
    "wuhua",
    (
        Organisation(
            WUHUA, "五华区教育体育局", PROVINCE.id, letter_mark="五教函", posts=("APPROVER",)
        ),
        Organisation(SCHOOL, "五华区第一小学", WUHUA, township="530102001"),
    ),
)
ZHENXIONG_NODE = EstateNode("zhenxiong", (Organisation(ZHENXIONG, "镇雄县教育体育局"),))
ESTATE = Estate((WUHUA_NODE, ZHENXIONG_NODE), (PROVINCE,))


def directory_in(root: Path) -> SignedDirectory:
    """Load the directory as a node would."""
    return SignedDirectory(root / "directory.bin", (root / "authority.pub.pem").read_bytes())


def keyring_in(root: Path, node: EstateNode) -> Keyring:
    """Load a node's keys as its configuration would name them."""
    folder = root / "nodes" / node.name / "keys"
    return Keyring.load(
        {
            org.id: [f"file:{folder / file_stem(org.id)}.{kind}.pem" for kind in ("sign", "seal")]
            for org in node.organisations
        }
    )


def contents(root: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A fresh set-up."""
    make_development(tmp_path / "dev", ESTATE, NOW)
    return tmp_path / "dev"


def test_layout(root: Path) -> None:
    """Exactly the documented files are there."""
    assert set(contents(root)) == {
        *("ca.pem", "ca.key.pem", "authority.pub.pem", "authority.key.pem", "directory.bin"),
        *(f"broker/server.{end}" for end in ("crt", "key")),
        *(
            f"nodes/{node}/{name}"
            for node in ("wuhua", "zhenxiong")
            for name in ("server.crt", "server.key", "nkey.seed", "nkey.pub")
        ),
        *(
            f"nodes/{node}/keys/{org}.{kind}.pem"
            for node, org in (
                ("wuhua", "530102_edu"),
                ("wuhua", "530102_sch_3153000123"),
                ("zhenxiong", "530627_edu"),
            )
            for kind in ("sign", "seal")
        ),
        *(
            f"clients/{org}.{end}"
            for org in ("530102_edu", "530102_sch_3153000123", "530627_edu")
            for end in ("crt", "key")
        ),
    }


def test_secrets_are_closed_to_others(root: Path) -> None:
    """Directories are 0700; whatever holds a secret is 0600."""
    public = {".crt", ".pub", ".bin"}
    for path in (root, *root.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            assert mode == 0o700, path
        elif path.suffix not in public and path.name not in {"ca.pem", "authority.pub.pem"}:
            assert mode == 0o600, path


def test_a_node_can_sign_seal_and_verify(root: Path) -> None:
    """With these files one node signs and seals, and the other verifies and opens."""
    directory = directory_in(root)
    signer = DirectorySigner(keyring_in(root, WUHUA_NODE), directory, StoppedClock())
    envelope = signer.sign(WUHUA, EVENT, b"fact")
    outcome = DirectoryVerifier(directory).verify(envelope, EVENT, NOW)
    assert (outcome.refusal, outcome.signer) == (None, WUHUA)
    key = directory.current_key(ZHENXIONG, KeyPurpose.SEAL, NOW)
    assert key is not None
    receiver = KeyringSealer(keyring_in(root, ZHENXIONG_NODE))
    sealed = KeyringSealer(keyring_in(root, WUHUA_NODE)).seal(key, b"header", b"content")
    assert receiver.open(ZHENXIONG, key.key_id, b"header", sealed) == b"content"


def test_directory_lists_the_estate(root: Path) -> None:
    """Organisations carry the node they live on; those elsewhere have no keys."""
    directory = directory_in(root)
    nodes = {str(org.id): org.node for org in directory.organisations()}
    assert nodes == {
        "53/edu": "",
        "530102/edu": "wuhua",
        "530102/sch/3153000123": "wuhua",
        "530627/edu": "zhenxiong",
    }
    assert not directory.keys_of(PROVINCE.id)
    wuhua = directory.organisation(WUHUA)
    assert wuhua is not None
    assert (wuhua.letter_mark, wuhua.posts, wuhua.superior) == (
        "五教函",
        ("APPROVER",),
        PROVINCE.id,
    )


def test_certificates_fit_their_keys(root: Path) -> None:
    """Each certificate on disk has its own private key beside it."""
    for path in root.rglob("*.crt"):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        private = load_pem_private_key(path.with_suffix(".key").read_bytes(), None)
        assert certificate.public_key() == private.public_key(), path


def test_broker_users_are_user_nkeys(root: Path) -> None:
    """Seed and public key of a node belong together and are a user's."""
    home = root / "nodes" / "wuhua"
    seed = (home / "nkey.seed").read_bytes()
    public = (home / "nkey.pub").read_bytes()
    assert seed.startswith(b"SU")
    assert public.startswith(b"U")
    assert nkeys.from_seed(seed).public_key == public


def test_second_run_changes_nothing(root: Path) -> None:
    """Existing material is kept byte for byte, later too."""
    before = contents(root)
    make_development(root, ESTATE, NOW + DAY)
    assert contents(root) == before


def test_force_starts_anew(root: Path) -> None:
    """With force no secret of before is left."""
    before = contents(root)
    make_development(root, ESTATE, NOW, force=True)
    after = contents(root)
    assert after.keys() == before.keys()
    assert not {name for name in after if after[name] == before[name]}
    assert directory_in(root).version == 1


def test_growing_estate_gets_the_next_edition(tmp_path: Path) -> None:
    """New organisations get keys; old ones keep theirs, revocations and all."""
    make_development(tmp_path, Estate((WUHUA_NODE,)), NOW)
    directory = directory_in(tmp_path)
    key = directory.keys_of(WUHUA)[0]
    authority = read_private_key(tmp_path / "authority.key.pem")
    path = tmp_path / "directory.bin"
    revoke_key(path, authority, key.key_id, at=NOW, reason="lost", now=NOW)
    make_development(tmp_path, Estate((ZHENXIONG_NODE,)), NOW)
    assert directory.reload()
    assert directory.version == 3
    assert len(directory.keys_of(ZHENXIONG)) == 2
    revoked = directory.key(key.key_id)
    assert revoked is not None
    assert revoked.revoked_at == NOW


def test_validity_can_be_set(tmp_path: Path) -> None:
    """Keys and certificates hold for the span that is asked for."""
    span = Validity(NOW - 5 * DAY, NOW + 5 * DAY)
    make_development(tmp_path, Estate((ZHENXIONG_NODE,)), NOW, validity=span)
    certificate = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    assert certificate.not_valid_after_utc == span.not_after
    keys = directory_in(tmp_path).keys_of(ZHENXIONG)
    assert {(key.not_before, key.not_after) for key in keys} == {(span.not_before, span.not_after)}


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "x" * 33])
def test_node_name_fits_a_path(name: str) -> None:
    """A name that could lead out of the directory is refused."""
    with pytest.raises(ValueError, match="name of a node"):
        EstateNode(name, ())
