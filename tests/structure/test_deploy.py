"""The examples under deploy/ are what the gateway, the broker and systemd really take."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.bus.broker_check import BROKER_STATE, STATE_SERVICE
from gateway.bus.node_keys import user_seed
from gateway.bus.permissions import permissions_of
from gateway.bus.server import server_program
from gateway.bus.streams import HEADER_ROOM_BYTES, MAX_ITEM_BYTES
from gateway.cli import main
from gateway.config import load_config
from gateway.crypto.certificates import Validity, issue_broker, make_ca
from gateway.domain.organisations import OrgId

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NODES = sorted(DEPLOY.glob("*-node.toml"))
USERS = DEPLOY / "nats-users.conf"
SERVER = DEPLOY / "nats-server.conf"
UNIT = DEPLOY / "gateway.service"


def users() -> list[dict[str, object]]:
    """Return the users of the example, which but for its comments is one JSON list."""
    lines = [line for line in USERS.read_text().splitlines() if not line.startswith("#")]
    found: list[dict[str, object]] = json.loads("\n".join(lines).removeprefix("users = "))
    return found


@pytest.mark.parametrize("path", NODES, ids=lambda path: path.name)
def test_node_examples_are_read(path: Path) -> None:
    """Each example is read without a fault, and its key files go by their organisation."""
    config = load_config(path, {})
    assert config.bus.bundled is None
    assert config.store.url.startswith("sqlite:////var/lib/dropout-gateway/")
    for home in config.organisations:
        stem = home.organisation.replace("/", "_")
        assert home.sign == (f"file:{DEPLOY}/keys/{stem}.sign.pem",)
        assert home.seal == (f"file:{DEPLOY}/keys/{stem}.seal.pem",)


def test_both_kinds_of_node_are_shown() -> None:
    """There is an example of a county's node and of an agency's."""
    assert [path.name for path in NODES] == ["agency-node.toml", "county-node.toml"]


def test_commented_options_are_known(tmp_path: Path) -> None:
    """What the county's example shows behind a comment mark is taken as well."""
    text = (DEPLOY / "county-node.toml").read_text("utf-8")
    options = list(re.finditer(r"^# (\w+) = .+$", text, re.MULTILINE))
    assert options
    for option in options:
        before, after = text[: option.start()], text[option.end() :]
        # It takes the place of the line of that name above it, if there is one.
        section = before.rindex("\n[")
        kept = re.sub(rf"^{option[1]} = .*\n", "", before[section:], flags=re.MULTILINE)
        changed = tmp_path / "node.toml"
        changed.write_text(before[:section] + kept + option[0].removeprefix("# ") + after, "utf-8")
        load_config(changed, {})


def test_users_are_those_of_the_nodes() -> None:
    """Each node of the examples has exactly the permissions that it needs."""
    found = [user["permissions"] for user in users()]
    for path in NODES:
        config = load_config(path, {})
        homes = [OrgId.parse(home.organisation) for home in config.organisations]
        allowed = permissions_of(config.node.name, homes)
        assert {
            "publish": {"allow": list(allowed.publish)},
            "subscribe": {"allow": list(allowed.subscribe)},
        } in found
    assert len(found) == len(NODES)


@pytest.mark.parametrize("name", ["nats-server.conf", "nats-cluster.conf", "nats-leaf.conf"])
def test_broker_examples_are_valid(tmp_path: Path, name: str) -> None:
    """The server itself finds no fault with its examples, certificates and seed in place."""
    now = datetime.now(UTC)
    validity = Validity(now, now.replace(year=now.year + 1))
    issued = issue_broker(make_ca(validity), validity)
    (tmp_path / "server.crt").write_bytes(issued.certificate)
    (tmp_path / "server.key").write_bytes(issued.key)
    (tmp_path / "ca.pem").write_bytes(issued.certificate)
    (tmp_path / "nats-leaf-seed.conf").write_text(f'nkey: "{user_seed(bytes(32))}"\n')
    for path in DEPLOY.glob("nats-*.conf"):
        text = path.read_text("utf-8").replace("/etc/nats/", f"{tmp_path}/")
        (tmp_path / path.name).write_text(text, "utf-8")
    run = subprocess.run(
        [server_program(), "-t", "-c", tmp_path / name], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_every_broker_takes_the_largest_item() -> None:
    """A leaf passes on what the broker behind it would take."""
    for path in (SERVER, DEPLOY / "nats-leaf.conf"):
        limit = f"max_payload: {MAX_ITEM_BYTES + HEADER_ROOM_BYTES}\n"
        assert limit in path.read_text("utf-8")


def test_nodes_may_ask_how_the_servers_stand() -> None:
    """The example's accounts pass on the very question that a node asks before it sends."""
    text = SERVER.read_text("utf-8")
    assert text.count(f'"{STATE_SERVICE}"') == 2
    assert f'to: "{BROKER_STATE}"' in text
    assert "domain: gateway\n" in text


def test_broker_example_keeps_its_promises() -> None:
    """It acknowledges after the disk, and shows its monitor to nobody else."""
    text = SERVER.read_text("utf-8")
    assert "sync_interval: always" in text
    assert "http: 127.0.0.1:" in text


def test_unit_is_clean(tmp_path: Path) -> None:
    """Systemd finds nothing to say against the unit."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here, so the unit is not verified: apt-get install systemd")
    # Only the program's place is another here.
    program = shutil.which("true")
    text = UNIT.read_text("utf-8").replace("/opt/dropout-gateway/bin/gateway", str(program))
    unit = tmp_path / UNIT.name
    unit.write_text(text, "utf-8")
    run = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_unit_runs_real_commands() -> None:
    """The commands of the unit exist with the options it gives them."""
    commands = re.findall(
        r"^Exec\w+=/opt/dropout-gateway/bin/gateway (.+)$", UNIT.read_text(), re.MULTILINE
    )
    assert len(commands) == 2
    for command in commands:
        words = command.split()
        names = [word for word in words if not word.startswith(("/", "--"))]
        result = CliRunner().invoke(main, [*names, "--help"])
        assert result.exit_code == 0
        assert all(word in result.stdout for word in words if word.startswith("--"))


def test_unit_waits_for_the_drain() -> None:
    """Systemd kills later than the longest drain that the examples set."""
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert found
    assert all(load_config(path, {}).node.drain_seconds < int(found[1]) for path in NODES)
