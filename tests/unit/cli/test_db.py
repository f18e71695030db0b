"""`gateway db`: where a store stands, and bringing it up to date."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.estate import lay_out
from gateway.cli.estate_plan import EstatePlan, NodePlan, plan_county
from gateway.config import load_config
from gateway.store import migrate
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.migrate import require_current
from tests.unit.cli.conftest import Run

NOW = datetime.now(UTC)
VERSIONS = Path(migrate.__file__).parent / "migrations/versions"
KNOWN = tuple(sorted(path.name[:4] for path in VERSIONS.glob("0*.py")))


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The configuration of a node whose store was never made."""
    plan = EstatePlan((NodePlan("wuhua", plan_county("530102", NOW.date())),))
    return lay_out(tmp_path / "dev", plan, NOW).nodes["wuhua"]


def test_status_makes_nothing(run: Run, node: Path) -> None:
    """Asking for the status of a store that is not there says so and makes none."""
    result = run("db", "status", "--config", str(node))
    assert result.exit_code == 1
    assert "gateway db migrate" in result.stderr
    path = sqlite_file(load_config(node, {}).store.url)
    assert path is not None
    assert not path.exists()


def test_migrate_then_status(run: Run, node: Path) -> None:
    """Migrating makes the store; a second time does nothing; then it is current."""
    first = run("db", "migrate", "--config", str(node))
    assert (first.exit_code, first.stdout) == (
        0,
        "".join(f"Ran {revision}.\n" for revision in KNOWN),
    )
    require_current(open_engine(load_config(node, {}).store.url))
    second = run("db", "migrate", "--config", str(node))
    assert "up to date" in second.stdout
    status = run("db", "status", "--config", str(node), "--json")
    assert status.exit_code == 0
    assert json.loads(status.stdout) == {
        "current": KNOWN[-1],
        "needed": KNOWN[-1],
        "pending": [],
        "up_to_date": True,
    }


def test_status_of_an_empty_store(run: Run, node: Path) -> None:
    """A store without tables has everything pending: exit code 1."""
    open_engine(load_config(node, {}).store.url).connect().close()
    result = run("db", "status", "--config", str(node))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].split() == ["-", KNOWN[-1], *", ".join(KNOWN).split()]


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_database_that_does_not_answer(
    command: str, run: Run, node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that cannot be reached is a sentence without its password."""
    url = "postgresql+psycopg://gateway:hunter2@127.0.0.1:1/gateway"
    monkeypatch.setenv("GATEWAY__STORE__URL", url)
    result = run("db", command, "--config", str(node))
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
    assert "hunter2" not in result.output
