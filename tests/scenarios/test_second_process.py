"""Two processes on one SQLite store: the second is refused, whatever became of the first."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.estate import lay_out
from gateway.cli.estate_plan import EstatePlan, NodePlan, plan_county
from gateway.config import load_config

NOW = datetime.now(UTC)
REASON = "gateway serve: Another process works on the store {store}."

pytestmark = pytest.mark.sqlite_alone  # processes share a database of PostgreSQL


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The configuration of a node with a broker of its own."""
    plan = EstatePlan((NodePlan("wuhua", plan_county("530102", NOW.date())),))
    return lay_out(tmp_path / "dev", plan, NOW).nodes["wuhua"]


@contextmanager
def serving(node: Path) -> "Iterator[subprocess.Popen[str]]":
    """A process that serves; ended with the block."""
    process = start(node)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("gateway: listening on")
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def start(node: Path) -> "subprocess.Popen[str]":
    """Start `gateway serve`."""
    return subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "serve", "--config", node],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_second_process_is_refused(node: Path) -> None:
    """It ends before it has touched the store, and says what works there; the first goes on. A
    process that was killed has let go: the next one serves.
    """
    store = load_config(node, {}).store.url.removeprefix("sqlite:///")
    with serving(node) as first:
        second = start(node)
        _, said = second.communicate(timeout=60)
        assert second.returncode == 1
        assert said.splitlines()[-1].startswith(REASON.format(store=store))
        assert first.poll() is None
        first.kill()
        first.wait(30)
        with serving(node):
            pass
