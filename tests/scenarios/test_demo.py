"""`gateway demo`, run as a user runs it: its exit code, its lines, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.cli.demonstration.cast import Cast
from gateway.data.calendars import load_working_calendar
from gateway.domain.working_days import shanghai_date

Record = dict[str, Any]
PATIENCE = 200.0
"""Seconds for one demonstration on a busy machine; it takes a tenth."""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory for an estate, whose processes must have ended with the test."""
    directory = tmp_path / "estate"
    yield directory
    assert not alive(directory), "the demonstration left processes behind"


def demo(*arguments: str | Path) -> "subprocess.Popen[str]":
    """Start the command; both streams come back as text."""
    command = [sys.executable, "-m", "gateway.cli", "demo", "--json", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def records(text: str) -> list[Record]:
    """Read one JSON object a line."""
    return [json.loads(line) for line in text.splitlines()]


def pids(directory: Path) -> Record:
    """Wait for the process identifiers that the command writes down, and return them."""
    path = directory / "processes.json"
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, "the demonstration did not start"
        time.sleep(0.02)
    written: Record = json.loads(path.read_text("utf-8"))
    return written


def alive(directory: Path) -> list[str]:
    """Return the command lines of running processes that name the directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if str(directory) in line:
            found.append(line)
    return found


def test_the_whole_story_holds(place: Path) -> None:
    """All three cases end as they must, every signature holds, and nothing keeps running."""
    with demo("--dir", place, "--keep") as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    *lines, summary = records(output)
    assert_lines_hold(lines)
    assert_outcome(summary)
    assert summary["steps"] == max(line["step"] or 0 for line in lines)
    written = pids(place)
    for pid in (written["broker"], *written["nodes"].values()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert_nothing_disclosed(place, output + errors)


def assert_lines_hold(lines: list[Record]) -> None:
    """Every event is verified, and the subscriber got what the former holder must follow."""
    assert {line["kind"] for line in lines} == {
        *("scene", "fact", "act", "state", "refusal", "arrival")
    }
    signed = [line for line in lines if line["kind"] in {"fact", "arrival"}]
    assert all(line["verified"] is True and line["event_id"] for line in signed)
    arrived = [line for line in lines if line["kind"] == "arrival"]
    assert {line["seen_by"][0] for line in arrived} == {"530102/edu"}
    from_afar = {
        line["term"]["en"] for line in arrived if line["organisation"].startswith("530627")
    }
    assert from_afar >= {
        *("letter registered", "lines accepted", "lines returned", "letter noted"),
        *("retrieval body confirmed", "retrieval order issued", "retrieval order acknowledged"),
        *("step recorded", "child back at school", "retrieval order fulfilled"),
        *("placement decided", "placement started"),
    }


def assert_outcome(summary: Record) -> None:
    """The summary has the states in which the three cases and letters must end."""
    assert summary["ok"] is True
    assert [(case["row"], case["holder"], case["state"]["zh"]) for case in summary["cases"]] == [
        ("J3", "530627/edu", "复学观察"),
        ("J2", "530102/edu", "已明确责任"),
        ("J3", "530102/edu", "劝返责任待定"),
    ]
    assert [letter["state"]["en"] for letter in summary["letters"]] == [
        *("accepted", "noted", "returned")
    ]
    matters = [entry["matter"] for entry in summary["platform_entries"]]
    assert sorted(set(matters)) == sorted(
        ["缺课登记", "劝返主体确认", "劝返指令", "四步法步骤", "复学登记"]
    )
    assert len(matters) == 7  # three absences, and one of each other matter
    assert summary["refusals"] == ["NOT_HOLDER"]


def assert_nothing_disclosed(place: Path, shown: str) -> None:
    """No name or number of a child stands on the screen, in a log, or in the broker's files."""
    from datetime import UTC, datetime  # noqa: PLC0415

    cast = Cast.of(place, shanghai_date(datetime.now(UTC)), load_working_calendar())
    files = [*(place / "logs").iterdir(), *(place / "broker").rglob("*")]
    kept = b"".join(path.read_bytes() for path in files if path.is_file())
    for child in cast.children:
        for secret in (child.name, child.id_number, child.guardian_phone.replace("-", "")):
            assert secret not in shown
            assert secret.encode() not in kept


def test_a_node_that_dies_is_named(place: Path) -> None:
    """When a node is killed midway the command fails, names it, and keeps its log."""
    with demo("--dir", place) as process:
        assert process.stdout is not None
        line = ""
        while '"kind": "fact"' not in line:
            line = process.stdout.readline()
            assert line, "the demonstration ended before its first step"
        os.kill(pids(place)["nodes"]["wuhua"], signal.SIGKILL)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    summary = records(output)[-1]
    assert summary["ok"] is False
    assert "wuhua ended with code -9" in summary["message"]
    assert (Path(summary["logs"]) / "wuhua.log").stat().st_size > 0


def test_ctrl_c_stops_everything(place: Path) -> None:
    """An interrupted demonstration stops what it started, and says so."""
    with demo("--dir", place) as process:
        pids(place)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    assert records(output)[-1]["message"] == "It was interrupted."


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    """The command works in an empty directory only, since it removes it afterwards."""
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    result = CliRunner().invoke(main, ["demo", "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "not empty" in result.output
    assert (tmp_path / "thesis.txt").exists()
