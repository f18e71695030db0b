"""`gateway doctor`: what ails a node, in a line each, and nothing is changed by looking."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from gateway.bootstrap.health import DIRECTORY_VERSION, LATEST_MOMENT
from gateway.cli.estate import lay_out
from gateway.cli.estate_plan import EstatePlan, NodePlan, plan_county
from gateway.config import load_config
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.ports.condition import Code
from gateway.store import tables
from gateway.store.dead_letters import SqlDeadLetters
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.migrate import migrate
from tests.unit.cli.conftest import Run

NOW = datetime.now(UTC)
HOME = "530102/edu"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """The configuration of a node whose store is there and empty."""
    plan = EstatePlan((NodePlan("wuhua", plan_county("530102", NOW.date())),))
    path = lay_out(tmp_path / "dev", plan, NOW).nodes["wuhua"]
    engine = engine_of(path)
    migrate(engine)
    engine.dispose()
    return path


def engine_of(node: Path) -> Engine:
    """Open the node's store."""
    return open_engine(load_config(node, {}).store.url)


def store_of(node: Path) -> Path:
    """Return the node's database file."""
    path = sqlite_file(load_config(node, {}).store.url)
    assert path is not None
    return path


def keep(node: Path, **bookmarks: str) -> None:
    """Have the node remember something."""
    engine = engine_of(node)
    home = min(one.organisation for one in load_config(node, {}).organisations)
    with engine.begin() as connection:
        for name, value in bookmarks.items():
            row = {"org": home, "name": name.replace("_", " "), "value": value}
            connection.execute(insert(tables.bookmarks).values(row))
    engine.dispose()


def examined(run: Run, node: Path, *more: str) -> tuple[dict[str, Any], set[str]]:
    """Run the doctor; return what it says of each code, and which fail."""
    result = run("doctor", "--config", str(node), "--json", *more)
    answer = json.loads(result.stdout)
    found = {finding["code"]: finding for finding in answer["findings"]}
    failing = {code for code, finding in found.items() if finding["state"] == "FAIL"}
    assert answer["good"] is (not failing)
    assert result.exit_code == (1 if failing else 0)
    return found, failing


def test_a_node_in_order_that_does_not_run(run: Run, node: Path) -> None:
    """Nothing fails: a node that was stopped is told, and no more."""
    found, failing = examined(run, node)
    assert not failing
    assert set(found) - {Code.DISK_FILLS} == {Code.GOOD, Code.NOT_ASKED, Code.NODE_AWAY}


def test_looking_changes_nothing(run: Run, node: Path) -> None:
    """No file is made, none is touched."""

    def files() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_mtime_ns, path.stat().st_size)
            for path in node.parents[2].rglob("*")
        }

    before = files()
    examined(run, node)
    assert files() == before


def test_a_store_that_is_not_there(run: Run, node: Path) -> None:
    """It is said, and none is made."""
    store_of(node).unlink()
    found, failing = examined(run, node)
    assert not failing
    assert Code.STORE_ABSENT in found
    assert not store_of(node).exists()


def test_a_store_open_to_others(run: Run, node: Path) -> None:
    """With the command that mends it."""
    store_of(node).chmod(0o644)
    found, failing = examined(run, node)
    assert not failing
    assert found[Code.OPEN_TO_OTHERS]["advice"] == f"Run: chmod 600 {store_of(node)}"


def test_a_wrong_setting_names_its_place(run: Run, node: Path) -> None:
    """What `gateway config check` finds, the doctor finds too."""
    (node.parent / "vault.key").chmod(0o644)
    found, failing = examined(run, node)
    assert failing == {Code.SETTING_WRONG}
    assert found[Code.SETTING_WRONG]["facts"]["setting"] == "store.vault_key"


def test_a_directory_older_than_the_node_has_seen(run: Run, node: Path) -> None:
    """Rolled back: revoked keys would count again."""
    keep(node, directory_version="7")
    assert DIRECTORY_VERSION == "directory version"
    found, failing = examined(run, node)
    assert failing == {Code.DIRECTORY_ROLLED_BACK}
    assert found[Code.DIRECTORY_ROLLED_BACK]["facts"] == {"version": "1", "seen": "7"}


def test_a_clock_behind_the_store(run: Run, node: Path) -> None:
    """The store knows a moment an hour ahead."""
    keep(node, latest_moment=(NOW + timedelta(hours=1)).isoformat())
    assert LATEST_MOMENT == "latest moment"
    _, failing = examined(run, node)
    assert failing == {Code.CLOCK_BEHIND}


def test_dead_letters_wait_for_somebody(run: Run, node: Path) -> None:
    """How many, and since when; never what stands in them."""
    engine = engine_of(node)
    letter = DeadLetter("1", DeadLetterKind.UNAUTHENTIC, Reason.KEY_UNKNOWN, "digest", NOW)
    with engine.begin() as connection:
        SqlDeadLetters(connection).add(OrgId.parse(HOME), letter)
    engine.dispose()
    found, failing = examined(run, node)
    assert failing == {Code.DEAD_LETTERS}
    assert found[Code.DEAD_LETTERS]["facts"] == {"count": "1", "since": f"{NOW:%F}"}


def test_a_damaged_store(run: Run, node: Path) -> None:
    """Half of it is gone: damaged, with what to do; the rest is looked at all the same."""
    store = store_of(node)
    os.truncate(store, store.stat().st_size // 2)
    found, failing = examined(run, node)
    assert Code.STORE_DAMAGED in failing
    assert "restore the newest backup" in found[Code.STORE_DAMAGED]["advice"]
    assert Code.NODE_AWAY in found


def test_another_schema(run: Run, node: Path) -> None:
    """A store that was never migrated names the command."""
    store_of(node).write_bytes(b"")
    _, failing = examined(run, node)
    assert failing == {Code.STORE_OUTDATED}


def test_a_table_in_the_language_asked_for(run: Run, node: Path) -> None:
    """Headings, parts, sentences and advice; codes stay as they are."""
    keep(node, directory_version="7")
    english = run("doctor", "--config", str(node)).stdout
    chinese = run("doctor", "--config", str(node), "--lang", "zh").stdout
    assert "this node has gone by version 7" in english
    assert "本节点已使用过第 7 版" in chinese
    assert "处理办法" in chinese.splitlines()[0]
    for text in (english, chinese):
        assert Code.DIRECTORY_ROLLED_BACK in text
        assert "FAIL" in text
