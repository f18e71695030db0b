"""Whom a command calls, and as whom."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.cli import main
from gateway.cli.connection import method_path
from gateway.v1.case_pb2 import DropoutCase, GetCaseRequest
from tests.unit.cli.fake_gateway import FakeGateway


def certificate(
    name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a certificate for localhost, or an authority when nobody issues it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    return made, key


def pem(made: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]) -> tuple[bytes, bytes]:
    """Return certificate and key as PEM."""
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    encoding = serialization.Encoding.PEM
    return made[0].public_bytes(encoding), made[1].private_bytes(encoding, form, plain)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[FakeGateway]:
    """A gateway with mutual TLS; `certs/` holds ca, cert, key, and foreign ones."""
    folder = tmp_path / "certs"
    folder.mkdir()
    authority, foreign = certificate("authority"), certificate("foreign authority")
    for prefix, issuer in (("", authority), ("foreign-", foreign)):
        cert, key = pem(certificate("client", issuer))
        for name, content in (("ca", pem(issuer)[0]), ("cert", cert), ("key", key)):
            (folder / f"{prefix}{name}.pem").write_bytes(content)
    server, server_key = pem(certificate("server", authority))
    credentials = grpc.ssl_server_credentials(
        [(server_key, server)], root_certificates=pem(authority)[0], require_client_auth=True
    )
    gateway = FakeGateway(credentials)
    profile = f'target = "{gateway.target}"\nca = "ca.pem"\ncert = "cert.pem"\nkey = "key.pem"\n'
    (folder / "profile.toml").write_text(profile)
    yield gateway
    gateway.stop()


def run(*args: object, **env: str) -> Result:
    """Run a command line over its own connection."""
    return CliRunner().invoke(main, [str(one) for one in args], env=env, catch_exceptions=False)


def test_profile_over_mutual_tls(secure: FakeGateway, tmp_path: Path) -> None:
    """A profile is enough, its paths are relative to it, and TLS is mutual."""
    profile = tmp_path / "certs/profile.toml"
    assert run("--profile", profile, "todo").exit_code == 0
    assert run("todo", "--profile", profile).exit_code == 0
    assert run("todo", GATEWAY_PROFILE=str(profile)).exit_code == 0
    assert len(secure.asked) == 3


def test_options_over_mutual_tls(secure: FakeGateway, tmp_path: Path) -> None:
    """The four options do the same, on the command line or in the environment."""
    files = {name: str(tmp_path / f"certs/{name}.pem") for name in ("ca", "cert", "key")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    assert run("--target", secure.target, *options, "todo").exit_code == 0
    twins = {f"GATEWAY_{name.upper()}": path for name, path in files.items()}
    assert run("todo", GATEWAY_TARGET=secure.target, **twins).exit_code == 0
    assert len(secure.asked) == 2


@pytest.mark.parametrize("wrong", ["ca", "cert"])
def test_foreign_certificates_get_no_answer(
    wrong: str, secure: FakeGateway, tmp_path: Path
) -> None:
    """Neither a foreign server nor a foreign client is talked to; exit code 3."""
    folder = tmp_path / "certs"
    options = ["--profile", folder / "profile.toml", f"--{wrong}", folder / f"foreign-{wrong}.pem"]
    if wrong == "cert":
        options += ["--key", folder / "foreign-key.pem"]
    result = run("todo", *options, "--timeout", "5", "--json")
    assert result.exit_code == 3, result.output
    assert json.loads(result.stdout)["error"]["reason"] in {"UNREACHABLE", "DEADLINE_EXCEEDED"}
    assert not secure.asked


def test_named_profile_beats_the_environment(secure: FakeGateway, tmp_path: Path) -> None:
    """A profile on the command line is not mixed with single values of the environment."""
    profile = tmp_path / "certs/profile.toml"
    stray = {"GATEWAY_TARGET": "localhost:1", "GATEWAY_KEY": str(tmp_path / "none.pem")}
    assert run("--profile", profile, "todo", **stray).exit_code == 0
    assert run("todo", "--profile", profile, **stray).exit_code == 0


def test_nobody_listens(secure: FakeGateway, tmp_path: Path) -> None:
    """A gateway that is not there is exit code 3 with advice, no traceback."""
    secure.stop()
    result = run("todo", "--profile", tmp_path / "certs/profile.toml", "--timeout", "5")
    assert result.exit_code == 3
    assert "What to do:" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "Cannot read"),
        ("target =", "is no TOML"),
        ('target = "x:1"\npassword = "x"', "not password"),
        ("target = 1", "not target"),
        ('target = "x:1"', "Missing --ca, --cert, --key"),
        ('target = "x:1"\nca = "a"\ncert = "b"\nkey = "c"', "Cannot read"),
    ],
)
def test_unusable_profile(content: str | None, says: str, tmp_path: Path) -> None:
    """A profile that cannot be used is wrong usage, and says why."""
    profile = tmp_path / "profile.toml"
    if content is not None:
        profile.write_text(content)
    result = run("todo", "--profile", profile)
    assert result.exit_code == 2
    assert says in result.stderr.replace("\n", " ")


def test_without_any_connection() -> None:
    """Without target and certificates the options are named."""
    result = run("todo")
    assert result.exit_code == 2
    assert "--profile" in result.stderr


def test_method_follows_from_the_request() -> None:
    """Every RPC has a request of its own, so the request says what is called."""
    assert method_path(GetCaseRequest) == "/gateway.v1.CaseService/GetCase"
    with pytest.raises(LookupError):
        method_path(DropoutCase)
