"""What the commands that run or tend a node share: `--config`, reading it, plain tables."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.lazy_group import keep_examples
from gateway.cli.screen import ENDLESS
from gateway.config import ConfigFault, NodeConfig, load_config

F = TypeVar("F", bound=Callable[..., Any])

REFUSED = 1
WRONG_USAGE = 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def config_option(function: F) -> F:
    """Add `--config FILE`, also taken from GATEWAY_CONFIG."""
    return click.option(
        "--config",
        "config_file",
        type=_FILE,
        required=True,
        envvar="GATEWAY_CONFIG",
        show_envvar=True,
        help="The node's configuration.",
    )(function)


config_argument = click.argument("config_file", metavar="FILE", type=_FILE)
"""FILE as an argument, for commands that are about the file itself."""


def read_config(path: Path) -> NodeConfig:
    """Read a node's settings; whatever is wrong is shown and ends the command."""
    try:
        return load_config(path)
    except ConfigFault as fault:
        give_up(fault.problems, WRONG_USAGE)


def give_up(problems: Iterable[object], code: int = REFUSED) -> NoReturn:
    """Show what is wrong, a line each, and end the command."""
    for problem in problems:
        click.echo(str(problem), err=True)
    sys.exit(code)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show a table on a terminal, plain columns in a pipe."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = ENDLESS
    with console.capture() as plain:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in plain.get().splitlines()))


class NodeCommand(click.Command):
    """A command that tends a node."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = keep_examples(self.help)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first line of the help, uncut."""
        return (self.help or "").partition("\n")[0]


class NodeGroup(click.Group):
    """A group of such commands."""

    command_class = NodeCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = keep_examples(self.help)
