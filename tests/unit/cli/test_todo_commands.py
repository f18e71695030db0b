"""The work list names commands that exist, with options that exist."""

import shlex

import click
import pytest

from gateway.cli import main
from gateway.domain.duties import TEXTS, Duty


@pytest.mark.parametrize("duty", Duty)
def test_the_command_of_a_duty_can_be_typed(duty: Duty) -> None:
    """Every word before the object is a command, every option one of its own, none is missing."""
    _, *words = shlex.split(TEXTS[duty].command.format("OBJECT"))
    command: click.Command = main
    context = click.Context(main, info_name="gateway")
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, info_name=name, parent=context)
    assert words[0] == "OBJECT"
    known = {option for parameter in command.params for option in parameter.opts}
    given = {word for word in words if word.startswith("--")}
    needed = {
        parameter.opts[0]
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.required
    }
    assert given <= known
    assert needed <= given
