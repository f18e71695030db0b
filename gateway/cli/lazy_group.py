"""A command group that knows its commands by name and loads each only when it is called.

So `gateway --help` needs neither gRPC nor the store, and one command never loads another.
"""

import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import click


def keep_examples(text: str | None) -> str | None:
    """Mark the examples of a help text, so that click keeps their lines as they are."""
    if not text:
        return text
    return inspect.cleandoc(text).replace("\nExample:", "\n\b\nExample:")


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is to be found.

    Attributes:
        place: `module:attribute` of the click command.
        summary: the line shown in the list of commands, in English.
    """

    place: str
    summary: str

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            ImportError: the module is missing or broken.
            AttributeError: the module has no such command.
        """
        # The gRPC core reads this once, on import; its own notes are no message to an officer.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        module, _, attribute = self.place.partition(":")
        return cast(click.Command, getattr(import_module(module), attribute))


class LazyGroup(click.Group):
    """A group of `Lazy` commands, listed in sections."""

    def __init__(
        self, *args: Any, sections: Mapping[str, Mapping[str, Lazy]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.help = keep_examples(self.help)
        self.sections = sections
        self.lazy = {name: lazy for section in sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the sections."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name, if there is one."""
        lazy = self.lazy.get(cmd_name)
        return lazy.load() if lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that does not exist is answered with the nearest ones.

        Raises:
            click.UsageError: no such command.
        """
        name = args[0]
        if name not in self.lazy and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=self.lazy, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections without importing anything."""
        for title, section in self.sections.items():
            rows: Iterable[tuple[str, str]] = [
                (name, lazy.summary) for name, lazy in section.items()
            ]
            with formatter.section(title):
                formatter.write_dl(list(rows))
