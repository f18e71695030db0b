"""`gateway backup`, `restore` and `recovery`: what an operator types and reads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.estate import lay_out
from gateway.cli.estate_plan import EstatePlan, NodePlan, plan_county
from gateway.v1 import recovery_pb2 as v1
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway

NOW = datetime.now(UTC)


@pytest.fixture
def node(tmp_path: Path, run: Run) -> Path:
    """The configuration of a node with a store."""
    plan = EstatePlan((NodePlan("wuhua", plan_county("530102", NOW.date())),))
    config = lay_out(tmp_path / "dev", plan, NOW).nodes["wuhua"]
    assert run("db", "migrate", "--config", str(config)).exit_code == 0
    return config


def test_there_and_back(run: Run, node: Path, tmp_path: Path) -> None:
    """A backup is made and restored; both say what they did, and that it holds personal data."""
    target = str(tmp_path / "backups/monday")
    made = run("backup", "--config", str(node), target)
    assert made.exit_code == 0, made.output
    assert "SHA-256" in made.stdout
    assert "personal data" in made.stdout
    again = run("backup", "--config", str(node), target)
    assert again.exit_code == 1
    assert "there already" in again.stderr
    kept = run("restore", "--config", str(node), target)
    assert kept.exit_code == 1
    assert "--replace" in kept.stderr
    done = run("restore", "--config", str(node), target, "--replace")
    assert done.exit_code == 0, done.output
    assert "Restored the store of wuhua" in done.stdout
    assert "gateway recovery show" in done.stdout


def test_no_backup_of_no_store(run: Run, node: Path, tmp_path: Path) -> None:
    """What is no backup is refused in a sentence."""
    (tmp_path / "empty").mkdir()
    refused = run("restore", "--config", str(node), str(tmp_path / "empty"), "--replace")
    assert refused.exit_code == 1
    assert "is no backup" in refused.stderr


def test_waiving_names_the_recovery_that_was_shown(run: Run, fake: FakeGateway) -> None:
    """The decision is about the recovery that runs, for the post and reason given."""
    shown = v1.GetRecoveryResponse(recovery=v1.Recovery(recovery_id="r-1"))
    fake.answers["GetRecoveryRequest"] = shown
    result = run(
        *[
            "recovery",
            "waive",
            "530681/edu",
            "53/rrb",
            "--reason",
            "NODE_GONE",
            "--post",
            "APPROVER",
        ]
    )
    assert result.exit_code == 0, result.output
    request = fake.asked[-1]
    assert isinstance(request, v1.WaivePeerRequest)
    assert (request.recovery_id, request.actor_post) == ("r-1", "APPROVER")
    assert list(request.organisations) == ["530681/edu", "53/rrb"]
    assert request.reason == v1.WAIVER_REASON_NODE_GONE
