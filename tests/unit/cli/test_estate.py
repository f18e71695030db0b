"""A development estate on disk, and the command that makes one."""

import stat
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.bus.permissions import permissions_of
from gateway.cli.connection import secure_channel
from gateway.cli.estate import LaidOut, lay_out
from gateway.cli.estate_plan import (
    PLATFORM,
    POLICE,
    EstatePlan,
    NodePlan,
    plan_agency,
    plan_county,
    superior_bureaus,
)
from gateway.cli.options import CallOptions
from gateway.config import NodeConfig, load_config
from gateway.crypto.directory import SignedDirectory
from gateway.data.divisions import load_divisions
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from tests.unit.cli.conftest import Run

NOW = datetime.now(UTC)
TODAY = NOW.date()
PLAN = EstatePlan(
    (
        NodePlan("wuhua", plan_county("530102", TODAY, school="3153000123")),
        NodePlan("zhenxiong", plan_county("530627", TODAY, school="3153000456")),
        NodePlan(
            "platform",
            (plan_agency(PLATFORM, "assistance_platform", {"url": "sqlite:///platform.db"}),),
        ),
    ),
    superior_bureaus(["530102", "530627"]),
)


def contents(root: Path) -> dict[Path, bytes]:
    """Every file with its bytes."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def configs(made: LaidOut) -> dict[str, NodeConfig]:
    """Read every node's configuration."""
    return {name: load_config(path, {}) for name, path in made.nodes.items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the estate goes."""
    return tmp_path / "dev"


@pytest.fixture
def made(root: Path) -> LaidOut:
    """A fresh estate."""
    return lay_out(root, PLAN, NOW)


def test_county_is_planned_from_the_division_table() -> None:
    """A county has its bureau, a school, and its first two townships in force."""
    homes = [home.organisation for home in plan_county("530627", TODAY, school="3153000456")]
    assert [(str(one.id), one.name) for one in homes] == [
        ("530627/edu", "镇雄县教育体育局"),
        ("530627/sch/3153000456", "镇雄县第一中学"),
        ("530627001/twn", "乌峰街道办事处"),
        ("530627002/twn", "南台街道办事处"),
    ]
    bureau, school = homes[:2]
    assert bureau.letter_mark == "镇教函"
    assert bureau.superior == OrgId.parse("5306/edu")
    assert (school.superior, school.township) == (bureau.id, "530627001")
    for one in homes:
        load_divisions().require_current(one.id.division, TODAY)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("530630", Reason.RETIRED_DIVISION),
        ("539999", Reason.UNKNOWN_DIVISION),
        ("5306", Reason.UNKNOWN_DIVISION),
    ],
)
def test_only_a_present_county_is_planned(code: str, reason: Reason) -> None:
    """A retired code, an unknown one and a prefecture are refused."""
    with pytest.raises(Refusal) as caught:
        plan_county(code, TODAY)
    assert caught.value.reason is reason


def test_superiors_are_listed_once() -> None:
    """Counties of one prefecture share its bureau; the province comes last."""
    bureaus = superior_bureaus(["530627", "530681", "530102"])
    assert [(str(one.id), one.name) for one in bureaus] == [
        ("5301/edu", "昆明市教育体育局"),
        ("5306/edu", "昭通市教育体育局"),
        ("53/edu", "云南省教育厅"),
    ]


def test_nodes_have_their_settings(made: LaidOut) -> None:
    """Each node hosts what was planned and finds every file that its settings name."""
    for node, config in zip(PLAN.nodes, configs(made).values(), strict=True):
        assert config.node.name == node.name
        assert config.node.listen == made.addresses[node.name]
        homes = [(home.organisation, home.adapter) for home in config.organisations]
        assert homes == [(str(home.organisation.id), home.adapter) for home in node.homes]
        named = [config.tls.ca, config.tls.certificate, config.tls.key, config.bus.nkey_seed]
        named += [config.directory.file, config.directory.authority, config.store.vault_key]
        assert all(path.is_file() for path in named)


def test_first_node_starts_the_broker(made: LaidOut) -> None:
    """One node starts the broker, with a user for each; all dial its one address."""
    first, *rest = configs(made).values()
    assert first.bus.bundled is not None
    assert [node.name for node in first.bus.bundled.nodes] == ["wuhua", "zhenxiong", "platform"]
    assert not [config for config in rest if config.bus.bundled]
    url = f"tls://127.0.0.1:{made.broker.port}"
    assert {config.bus.url for config in (first, *rest)} == {url}
    assert first.bus.bundled.port == made.broker.port
    assert made.broker.users[2].permissions == permissions_of("platform", [PLATFORM])


def test_broker_may_be_somebody_elses(root: Path) -> None:
    """An estate can leave the broker to whoever runs it."""
    made = lay_out(root, replace(PLAN, bundled=False), NOW)
    assert not [config for config in configs(made).values() if config.bus.bundled]
    assert made.broker.certificate.is_file()
    assert len(made.broker.users) == 3


def test_superiors_are_in_the_directory(root: Path, made: LaidOut) -> None:
    """Organisations elsewhere are listed, without node and keys."""
    directory = SignedDirectory(root / "directory.bin", (root / "authority.pub.pem").read_bytes())
    for code in ("5301/edu", "5306/edu", "53/edu"):
        entry = directory.organisation(OrgId.parse(code))
        assert entry is not None
        assert entry.node == ""
        assert not directory.keys_of(entry.id)


def test_profiles_lead_to_the_node(made: LaidOut) -> None:
    """With an organisation's profile a client can open a channel to its node."""
    assert set(made.profiles) == {
        str(home.organisation.id) for node in PLAN.nodes for home in node.homes
    }
    for profile in made.profiles.values():
        secure_channel(CallOptions(profile=profile)).close()
    target = tomllib.loads(made.profiles["530627/edu"].read_text())["target"]
    assert target == made.addresses["zhenxiong"]


def test_second_run_changes_nothing(root: Path, made: LaidOut) -> None:
    """Keys, ports and everything else stay as they were first made."""
    before = contents(root)
    assert lay_out(root, PLAN, NOW) == made
    assert contents(root) == before


def test_force_keeps_what_stores_need(root: Path, made: LaidOut) -> None:
    """Made anew are keys and certificates; ports and the vaults' keys stay."""
    before = contents(root)
    assert lay_out(root, PLAN, NOW, force=True).addresses == made.addresses
    after = contents(root)
    for path, changes in (("nodes/wuhua/vault.key", False), ("nodes/wuhua/server.key", True)):
        assert (before[root / path] != after[root / path]) is changes


def test_estate_can_be_moved(root: Path, made: LaidOut, tmp_path: Path) -> None:
    """Nothing in the estate names where it lies."""
    root.rename(tmp_path / "elsewhere")
    config = load_config(tmp_path / "elsewhere/nodes/platform/node.toml", {})
    assert config.tls.ca.is_file()
    assert str(root) not in config.organisations[0].settings["url"]


def test_secrets_are_closed(root: Path, made: LaidOut) -> None:
    """The files added here that hold secrets are their owner's alone."""
    for node in made.nodes.values():
        for path in (node, node.with_name("vault.key")):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_certs_dev(run: Run, root: Path) -> None:
    """The command makes an estate with agencies, and says how to go on."""
    result = run(
        *("certs", "dev", "--dir", str(root), "--county", "530102", "--county", "530627"),
        *("--node", "wuhua=530102", "--agencies", "--base-port", "41000"),
    )
    assert result.exit_code == 0, result.output
    names = {"wuhua": 41001, "530627": 41002, "psb": 41003, "platform": 41004}
    for name, port in names.items():
        path = root / "nodes" / name / "node.toml"
        assert f"gateway serve --config {path}" in result.stdout
        assert load_config(path, {}).node.port == port
    assert (root / "nodes/psb/register.db").is_file()
    assert (root / "nodes/platform/platform.db").is_file()
    police = load_config(root / "nodes/psb/node.toml", {}).organisations[0]
    assert (police.organisation, police.adapter) == (str(POLICE), "public_security")


def test_certs_dev_joins_counties(run: Run, root: Path) -> None:
    """One name for two counties puts both on one node."""
    result = run(
        *("certs", "dev", "--dir", str(root), "--county", "530102", "--county", "530627"),
        *("--node", "both=530102", "--node", "both=530627"),
    )
    assert result.exit_code == 0, result.output
    assert len(load_config(root / "nodes/both/node.toml", {}).organisations) == 8


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (("--county", "530630"), 1, "530681"),
        (("--county", "530102", "--node", "x=530627"), 2, "NAME=CODE"),
        (("--county", "530102", "--node", "../x=530102"), 1, "name of a node"),
        ((), 2, "--county"),
    ],
)
def test_certs_dev_refuses(
    args: tuple[str, ...], code: int, text: str, run: Run, root: Path
) -> None:
    """A mistake is told, and nothing is written."""
    result = run("certs", "dev", "--dir", str(root), *args)
    assert result.exit_code == code
    assert text in result.stderr
    assert not root.exists()
