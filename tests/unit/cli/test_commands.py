"""Every command explains itself by an example, and every example works."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from gateway.cli import OFFICE, main
from gateway.v1.case_pb2 import DropoutCase, GetCaseResponse
from gateway.v1.delivery_pb2 import ReconcileLanesResponse
from gateway.v1.event_pb2 import VerifyEventResponse
from gateway.v1.letter_pb2 import (
    LINE_STATE_OPEN,
    GetLetterResponse,
    Letter,
    LetterLine,
)
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway, contract_methods

CHILD = {"name": "测试甲", "id_number": "530102201503070012", "guardian": {"name": "测试乙"}}

# An agency's own system calls these; no officer does.
FOR_SYSTEMS = {"PushFacts"}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every client command and group with its path."""
    for name, lazy in OFFICE.items():
        command = lazy.load()
        yield name, command
        if isinstance(command, click.Group):
            for inner, one in command.commands.items():
                yield f"{name} {inner}", one


COMMANDS = dict(commands())


def examples(command: click.Command) -> list[str]:
    """Return the command lines of a command's example."""
    _, _, text = (command.help or "").partition("Example:\n")
    joined = re.sub(r"\\\n\s*", "", text)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def examples_of_all() -> list[str]:
    """Return the command lines of every example."""
    return [line for command in COMMANDS.values() for line in examples(command)]


@pytest.fixture
def prepared(fake: FakeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    """Prepare the files that examples name, and objects with a version."""
    monkeypatch.chdir(tmp_path)
    Path("child.json").write_text(json.dumps(CHILD), "utf-8")
    Path("absences.jsonl").write_text(json.dumps({"subject": {"subject_id": "token"}}), "utf-8")
    Path("event.json").write_text(json.dumps({"envelope": {"payload": "AAAA"}}), "utf-8")
    lines = [LetterLine(line_no=1, state=LINE_STATE_OPEN)]
    fake.answers["GetCaseRequest"] = GetCaseResponse(case=DropoutCase(version=7))
    fake.answers["GetLetterRequest"] = GetLetterResponse(letter=Letter(version=4, lines=lines))
    fake.answers["VerifyEventRequest"] = VerifyEventResponse(verified=True)
    fake.answers["ReconcileLanesRequest"] = ReconcileLanesResponse(balanced=True)
    return fake


@pytest.mark.parametrize("path", COMMANDS)
def test_help_shows_an_example(path: str, run: Run) -> None:
    """The help of every command holds an example of that very command, line by line."""
    result = run(*path.split(), "--help")
    assert result.exit_code == 0
    shown = examples(COMMANDS[path])
    assert shown
    assert all(line.startswith(f"gateway {path}") for line in shown)
    assert shown[0].split("\\")[0][:60] in result.stdout


@pytest.mark.parametrize("line", examples_of_all())
def test_example_works(line: str, run: Run, prepared: FakeGateway) -> None:
    """Every example, typed as it stands, sends a request that the contract takes."""
    words = shlex.split(line.partition(" > ")[0])
    result = run(*words[1:])
    assert result.exit_code == 0, result.output
    assert prepared.asked


def test_every_method_has_a_command(run: Run, prepared: FakeGateway) -> None:
    """An officer reaches every method of the contract; what only systems call is listed."""
    for line in examples_of_all():
        run(*shlex.split(line.partition(" > ")[0])[1:])
    inputs = {method.input_type.name: method.name for method in contract_methods()}
    assert {inputs[name] for name in prepared.names()} == set(inputs.values()) - FOR_SYSTEMS


@pytest.mark.parametrize("line", examples_of_all())
def test_every_call_has_a_deadline(line: str, run: Run, prepared: FakeGateway) -> None:
    """No call waits for ever."""
    run(*shlex.split(line.partition(" > ")[0])[1:], "--timeout", "30")
    assert all(0 < seconds <= 660 for seconds in prepared.deadlines)


def test_list_of_commands_loads_nothing() -> None:
    """`gateway --help` lists every command without loading gRPC, protobuf, rich or the store."""
    code = (
        "import sys; from click.testing import CliRunner; from gateway.cli import main;"
        "result = CliRunner().invoke(main, ['--help']); print(result.output);"
        "heavy = {'grpc', 'google.protobuf', 'rich', 'sqlalchemy', 'pydantic', 'nats'};"
        "sys.exit(result.exit_code or len(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = re.findall(r"^  ([a-z][a-z-]*)  +\S", done.stdout, re.MULTILINE)
    assert set(listed) == set(main.list_commands(click.Context(main)))


def test_a_command_loads_no_other_room() -> None:
    """A client command is a client: it loads no room of the server but the domain."""
    code = (
        "import sys; import gateway.cli.case, gateway.cli.absence, gateway.cli.events;"
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in sys.modules"
        " if name.startswith('gateway.')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"gateway.cli", "gateway.domain", "gateway.v1"}


def test_names_of_lazy_commands() -> None:
    """The name of every command is that of its module and of the command inside."""
    for name, lazy in main.lazy.items():
        written = name.replace("-", "_")
        assert lazy.place == f"gateway.cli.{written}:{written}"
        if find_spec(f"gateway.cli.{written}"):
            assert lazy.load().name == name


def test_unknown_command_names_the_nearest(run: Run) -> None:
    """A mistyped command is wrong usage, and the nearest name is given."""
    result = run("leter", "list")
    assert result.exit_code == 2
    assert "letter" in result.stderr
