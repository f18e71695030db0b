"""Parameters of the client commands: enum values by short name, days, free text, the child.

Free text and identity may hold personal data, which does not belong in the history of a shell:
`@FILE` and `@-` (standard input) are taken wherever free text is.
"""

import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from google.protobuf.descriptor import EnumDescriptor

from gateway.v1.absence_pb2 import AbsenceDay, AbsenceKind

if TYPE_CHECKING:  # generic in its types only
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

F = TypeVar("F", bound=Callable[..., Any])


class EnumChoice(click.ParamType[int]):
    """A value of an enum of the contract, by its name without prefix, in any case."""

    name = "choice"

    def __init__(self, enum: "_EnumTypeWrapper[Any]") -> None:
        descriptor: EnumDescriptor = enum.DESCRIPTOR
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", descriptor.name).upper()
        self.numbers = {
            value.name.removeprefix(f"{snake}_"): value.number
            for value in descriptor.values
            if value.number
        }

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the names, for the help."""
        return "[" + "|".join(self.numbers) + "]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number.

        Raises:
            click.BadParameter: no such value.
        """
        if isinstance(value, int):
            return value
        number = self.numbers.get(str(value).upper().replace("-", "_"))
        if number is None:
            self.fail(f"{value!r} is none of {', '.join(self.numbers)}.", param, ctx)
        return number


class Day(click.ParamType[str]):
    """A day in Asia/Shanghai, `YYYY-MM-DD`."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the day as text.

        Raises:
            click.BadParameter: no such day.
        """
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            self.fail(f"{value!r} is no day written YYYY-MM-DD.", param, ctx)


class MarkedDay(click.ParamType[AbsenceDay]):
    """A day of absence with its mark, `YYYY-MM-DD[:KIND]`; unexcused when none is given."""

    name = "YYYY-MM-DD[:KIND]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> AbsenceDay:
        """Return the day with its mark.

        Raises:
            click.BadParameter: no such day or mark.
        """
        if isinstance(value, AbsenceDay):
            return value
        day, _, kind = str(value).partition(":")
        mark = EnumChoice(AbsenceKind).convert(kind or "UNEXCUSED", param, ctx)
        return AbsenceDay(date=Day().convert(day, param, ctx), kind=AbsenceKind.ValueType(mark))


class FreeText(click.ParamType[str]):
    """Text, or `@FILE`, or `@-` for standard input."""

    name = "text|@file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text.

        Raises:
            click.BadParameter: the file cannot be read.
        """
        text = str(value)
        return read_text(text[1:]).strip() if text.startswith("@") else text


def read_text(source: str) -> str:
    """Read a UTF-8 file, or standard input for `-`.

    Raises:
        click.BadParameter: it cannot be read, or is not UTF-8.
    """
    try:
        if source == "-":
            return sys.stdin.buffer.read().decode("utf-8")
        return Path(source).read_text("utf-8")
    except OSError as error:
        raise click.BadParameter(f"Cannot read {source}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{source} is not written in UTF-8.") from None


def version_option(function: F) -> F:
    """Add `--version`, the version that the caller has seen."""
    return click.option(
        "--version",
        type=click.IntRange(min=1),
        metavar="N",
        help="Version you have seen; else the present one is read first.",
    )(function)


def limit_option(function: F) -> F:
    """Add `--limit`, the number of items to show."""
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=50,
        metavar="N",
        show_default=True,
        help="Most to show; 0 shows all.",
    )(function)
