"""`gateway config`: what is wrong, what is in force, where to begin."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from gateway.cli.config_checks import check
from gateway.cli.config_example import example_toml
from gateway.cli.estate import LaidOut, lay_out
from gateway.cli.estate_plan import (
    POLICE,
    EstatePlan,
    NodePlan,
    plan_agency,
    plan_county,
    superior_bureaus,
)
from gateway.config import load_config
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from tests.unit.cli.conftest import Run

NOW = datetime.now(UTC)
PASSWORD = "postgresql+psycopg://gateway:hunter2@db/gateway"


@pytest.fixture
def estate(tmp_path: Path) -> LaidOut:
    """A county that starts the broker, and an agency."""
    agency = plan_agency(POLICE, "public_security", {"url": "sqlite:///register.db"})
    plan = EstatePlan(
        (NodePlan("wuhua", plan_county("530102", NOW.date())), NodePlan("psb", (agency,))),
        superior_bureaus(["530102"]),
    )
    return lay_out(tmp_path / "dev", plan, NOW)


@pytest.fixture
def node(estate: LaidOut) -> Path:
    """The county's configuration."""
    return estate.nodes["wuhua"]


def checked(run: Run, path: Path) -> tuple[Result, dict[str, str]]:
    """Run the check; return its result and what is wrong, by subject."""
    result = run("config", "check", str(path), "--json")
    answer = json.loads(result.stdout)
    wrong = {f["subject"]: f["text"] for f in answer["findings"] if not f["good"]}
    assert answer["good"] is (not wrong)
    assert result.exit_code == (1 if wrong else 0)
    return result, wrong


def test_good_estate(run: Run, estate: LaidOut) -> None:
    """What the development set-up writes is good, and the check makes no store."""
    for path in estate.nodes.values():
        result = run("config", "check", str(path))
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines()[-1] == "good"
        assert "not there yet" in result.stdout
        assert not list((path.parent / "state").iterdir())


def test_every_fault_is_found(run: Run, node: Path) -> None:
    """Every file that is missing, open, foreign or of another kind is named in one run."""
    home = node.parent
    (home / "server.key").chmod(0o644)
    (home / "vault.key").chmod(0o640)
    (home / "nkey.seed").chmod(0o604)
    (home / "server.crt").write_bytes((home.parents[1] / "broker/server.crt").read_bytes())
    (home / "keys/530102_edu.sign.pem").unlink()
    seal, sign = (home / f"keys/530102001_twn.{kind}.pem" for kind in ("seal", "sign"))
    seal.write_bytes(sign.read_bytes())
    _, wrong = checked(run, node)
    assert set(wrong) == {
        "tls.key",
        "store.vault_key",
        "bus.nkey_seed",
        "530102/edu sign",
        "530102/edu sign, current",
        "530102001/twn seal",
        "530102001/twn seal, current",
    }
    assert all("chmod 600" in wrong[name] for name in ("tls.key", "store.vault_key"))
    assert "is a key to sign" in wrong["530102001/twn seal"]


def test_foreign_certificate(run: Run, node: Path) -> None:
    """A key that is not that of the certificate is found."""
    other = node.parents[2] / "broker/server.crt"
    (node.parent / "server.crt").write_bytes(other.read_bytes())
    _, wrong = checked(run, node)
    assert set(wrong) == {"tls.key"}


def test_tampered_directory(run: Run, node: Path) -> None:
    """A directory that its authority did not sign is found; nothing in it is then believed."""
    directory = node.parents[2] / "directory.bin"
    whole = directory.read_bytes()
    directory.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    _, wrong = checked(run, node)
    assert set(wrong) == {"directory"}


def test_organisation_of_another_node(run: Run, node: Path) -> None:
    """An organisation that the directory has elsewhere, or not at all, is found."""
    text = node.read_text("utf-8")
    node.write_text(text.replace('name = "wuhua"', 'name = "other"'), "utf-8")
    _, wrong = checked(run, node)
    assert "at home on wuhua" in wrong["530102/edu"]
    node.write_text(text.replace('"530102002/twn"', '"530102003/twn"'), "utf-8")
    _, wrong = checked(run, node)
    assert "does not list it" in wrong["530102003/twn"]


def test_expired_material(node: Path) -> None:
    """Certificates and keys that have run out are found."""
    config = load_config(node, {})
    late = NOW + timedelta(days=800)
    wrong = {finding.subject for finding in check(config, late) if not finding.good}
    assert {"tls.ca", "tls.certificate", "bus.ca", "530102/edu sign, current"} <= wrong


def test_unknown_adapter(run: Run, estate: LaidOut) -> None:
    """An adapter that is not installed is found, and those that are are named."""
    path = estate.nodes["psb"]
    path.write_text(path.read_text("utf-8").replace('"public_security"', '"police"'), "utf-8")
    _, wrong = checked(run, path)
    assert "public_security" in wrong["53/psb adapter"]


def test_store_of_another_schema(run: Run, node: Path) -> None:
    """A store that needs migrating is found; a migrated one is good."""
    engine = open_engine(load_config(node, {}).store.url)
    _, wrong = checked(run, node)
    assert "gateway db migrate" in wrong["store.url"]
    migrate(engine)
    engine.dispose()
    _, wrong = checked(run, node)
    assert not wrong


def test_database_that_does_not_answer(
    run: Run, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that cannot be reached is found, without its password."""
    url = "postgresql+psycopg://gateway:hunter2@127.0.0.1:1/gateway"
    monkeypatch.setenv("GATEWAY__STORE__URL", url)
    result, wrong = checked(run, node)
    assert "does not answer" in wrong["store.url"]
    assert "hunter2" not in result.output


def test_unreadable_settings(run: Run, node: Path) -> None:
    """Settings with mistakes are wrong usage; every mistake is a line."""
    text = node.read_text("utf-8").replace("listen", "lisen", 1).replace("[tls]", "[tsl]")
    node.write_text(text, "utf-8")
    result = run("config", "check", str(node))
    assert result.exit_code == 2
    assert {"node.lisen", "tls", "tsl"} <= {line.split()[0] for line in result.stderr.splitlines()}


def test_show_hides_secrets(run: Run, estate: LaidOut, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force is shown, environment included; passwords are not."""
    monkeypatch.setenv("GATEWAY__STORE__URL", PASSWORD)
    for form in ((), ("--json",)):
        result = run("config", "show", str(estate.nodes["psb"]), *form)
        assert result.exit_code == 0
        assert "gateway:***@db/gateway" in result.stdout
        assert "register.db" not in result.stdout
        assert "hunter2" not in result.stdout


def test_example_can_be_read(run: Run, tmp_path: Path) -> None:
    """The example is a complete file, and with every option switched on it is one still."""
    result = run("config", "example")
    assert result.exit_code == 0
    path = tmp_path / "node.toml"
    path.write_text(result.stdout, "utf-8")
    assert load_config(path, {}).node.name == "wuhua"
    lines = [re.sub(r"^#(?=\S)", "", line) for line in example_toml().splitlines()]
    nkey = f'nkey = "U{"A" * 55}"'
    path.write_text(
        "\n".join(line for line in lines if not line.startswith("domain ="))  # not of a bundled one
        .replace('nkey = "UABC..."', nkey)
        .replace('name = "zhenxiong"', 'name = "wuhua"')
        .replace('organisations = ["530627/edu"]', 'organisations = ["530102/edu"]'),
        "utf-8",
    )
    config = load_config(path, {})
    assert config.bus.bundled is not None
    assert config.policy.absence_cumulative_days == 30
    assert config.organisations[0].adapter == "public_security"


def test_broker_user(run: Run, node: Path, estate: LaidOut) -> None:
    """A node prints itself as the broker knows it."""
    result = run("config", "broker-user", str(node))
    user = json.loads(result.stdout)
    known = estate.broker.users[0]
    assert user["nkey"] == known.public_nkey
    assert tuple(user["permissions"]["publish"]["allow"]) == known.permissions.publish
    assert tuple(user["permissions"]["subscribe"]["allow"]) == known.permissions.subscribe
