"""Where a command's answer appears: tables on a terminal, plain columns in a pipe, or JSON.

JSON is proto JSON with the field names of the contract: an answer of one field is printed as that
field, a list as an array, a stream as one object a line. A refusal is `{"error": {...}}`.
"""

import json
from collections.abc import Sequence
from typing import Any

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table

from gateway.cli.reading import clean, lines_of, table_rows
from gateway.cli.refusals import UNREACHABLE, Trouble
from gateway.cli.words import Language, heading, is_known, phrase, word

ENDLESS = 10_000
"""Columns of a pipe: nothing is cut or wrapped there."""


class Screen:
    """Shows answers and refusals in one language and form."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.language = language
        self.as_json = as_json

    def answer(self, response: Message) -> None:
        """Show the answer to one call."""
        shown = only_field(response)
        if self.as_json:
            self._json(as_dict(shown))
            return
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for title, text in lines_of(shown, self.language):
            table.add_row(title, text)
        self._print(table)

    def items(self, items: Sequence[Message], columns: tuple[str, ...], *, more: bool) -> None:
        """Show a list as a table of some of its fields; `more` says that it was cut off."""
        if self.as_json:
            self._json([as_dict(item) for item in items])
        elif items:
            name = items[0].DESCRIPTOR.name
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
            for column in columns:
                table.add_column(heading(column, self.language, name), overflow="fold")
            for row in table_rows(items, columns, self.language):
                table.add_row(*row)
            self._print(table)
        else:
            click.echo(phrase("nothing", self.language))
        if more:
            self.note("more")

    def item(self, item: Message, columns: Sequence[tuple[str, int]]) -> None:
        """Show one item of a stream at once: JSON line, or columns of (text, width)."""
        if self.as_json:
            self.json_line(as_dict(item))
            return
        cells = [set_cell_size(text, max(width, cell_len(text))) for text, width in columns]
        click.echo("  ".join(cells).rstrip())

    def json_line(self, record: dict[str, Any]) -> None:
        """Write one JSON object on a line of its own."""
        click.echo(json.dumps(record, ensure_ascii=False))

    def note(self, key: str, *facts: object) -> None:
        """Say something beside the answer, on standard error."""
        click.echo(phrase(key, self.language).format(*facts), err=True)

    def trouble(self, trouble: Trouble, request_id: str = "") -> None:
        """Show a refusal or failure; `request_id` when repeating with it is safe and of use."""
        if self.as_json:
            extra = {"request_id": request_id} if request_id else {}
            self.json_line({"error": trouble.as_json() | extra})
            return
        for line in self.trouble_lines(trouble):
            click.echo(line, err=True)
        if request_id and trouble.exit_code == UNREACHABLE:
            self.note("repeat", request_id)

    def trouble_lines(self, trouble: Trouble) -> list[str]:
        """Return a refusal as lines: reason, sentence, advice, fields, facts."""
        kind = "unreachable" if trouble.exit_code == UNREACHABLE else "refused"
        code = f"ERROR_REASON_{trouble.reason}"
        meaning = f" ({word(code, self.language)})" if is_known(code) else ""
        lines = [
            f"{phrase(kind, self.language)}: {trouble.reason}{meaning}",
            f"  {trouble.message}",
        ]
        if trouble.advice:
            lines.append(f"  {phrase('advice', self.language)}: {trouble.advice}")
        lines += [
            f"  {phrase('field', self.language)}: {name} {text}".rstrip()
            for name, text in trouble.violations
        ]
        lines += [f"  {name}: {value}" for name, value in sorted(trouble.metadata.items())]
        if trouble.retry_seconds is not None:
            lines.append(f"  {phrase('retry', self.language)}: {trouble.retry_seconds:g}")
        return [clean(line) for line in lines]

    def _json(self, value: object) -> None:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def _print(self, table: Table) -> None:
        console = Console(markup=False, highlight=False, emoji=False)
        if console.is_terminal:
            console.print(table)
            return
        console.width = ENDLESS
        with console.capture() as plain:
            console.print(table)
        click.echo("\n".join(line.rstrip() for line in plain.get().splitlines()))


def only_field(response: Message) -> Message:
    """Return the one message inside an answer that has a single field, else the answer."""
    fields = response.DESCRIPTOR.fields
    if len(fields) == 1 and fields[0].message_type and not fields[0].is_repeated:
        inner: Message = getattr(response, fields[0].name)
        return inner
    return response


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as proto JSON with every field of the contract that has no presence."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
