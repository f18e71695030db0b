"""A hot standby answers every question and keeps nothing: no node works on it, and each says why."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.estate import lay_out
from gateway.cli.estate_plan import EstatePlan, NodePlan, plan_county
from gateway.domain.organisations import OrgId
from gateway.ports.condition import Code
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from tests.integration.postgresql.conftest import Opened
from tests.postgresql import PostgresqlServer, running_postgresql

REASON = "PostgreSQL is a standby here; its primary is needed."
NOW = datetime.now(UTC)


@pytest.fixture
def standby(victim: PostgresqlServer) -> Iterator[PostgresqlServer]:
    """A standby with a copy of a migrated database, called `county`."""
    engine = open_engine(victim.new_database("county"))
    migrate(engine)
    engine.dispose()
    with running_postgresql(victim) as server:
        yield server


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The configuration of a node."""
    plan = EstatePlan((NodePlan("wuhua", plan_county("530102", NOW.date())),))
    return lay_out(tmp_path / "dev", plan, NOW).nodes["wuhua"]


def gateway(command: str, node: Path, url: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the gateway on the node, with its store at the URL."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", command, "--config", node, *more],
        env={**os.environ, "GATEWAY__STORE__URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


async def test_a_standby_is_refused(standby: PostgresqlServer, node: Path, opened: Opened) -> None:
    """`gateway serve` does not start on it, `gateway doctor` names it; promoted, it is taken."""
    url = standby.url.format(database="county")
    served = gateway("serve", node, url)
    assert (served.returncode, served.stderr.splitlines()[-1]) == (1, f"gateway serve: {REASON}")
    looked = gateway("doctor", node, url, "--json")
    found = {one["code"]: one for one in json.loads(looked.stdout)["findings"]}
    assert looked.returncode == 1
    assert found[Code.STORE_UNSAFE]["state"] == "FAIL"
    assert REASON in json.dumps(found[Code.STORE_UNSAFE])
    with standby.connect() as link:
        link.execute("SELECT pg_promote()")
    store = await opened(url)
    org = OrgId.parse("530102/edu")
    assert await store.write(lambda work: work.counters.next(org, "acts")) == 1
