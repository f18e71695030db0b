"""The timeline: what a line says, and how it is shown in a terminal or as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.status import Status
from rich.text import Text

from gateway.cli.demonstration.lines import Line, Said, articles
from gateway.cli.reading import SHANGHAI
from gateway.cli.words import Language, post

_TERM_CELLS = 62
_INDENT = " " * 14
_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


class Timeline:
    """Shows lines as they come, from any thread."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.language: Language = language
        self.as_json = as_json
        self.names: Mapping[str, str] = {}
        self.steps = 0
        self._console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._status: Status | None = None
        self._lock = RLock()

    def add(self, line: Line) -> None:
        """Show one line."""
        with self._lock:
            if line.kind not in {"scene", "arrival"}:
                self.steps += 1
            if self.as_json:
                self.record(self._as_json(line))
                return
            for text in self._texts(line):
                self._console.print(text)

    def record(self, record: Mapping[str, Any]) -> None:
        """Write one JSON object on a line of its own."""
        with self._lock:
            click.echo(json.dumps(record, ensure_ascii=False))

    def say(self, said: Said, style: str = "") -> None:
        """Say something beside the lines; scripts do not get it."""
        if not self.as_json:
            with self._lock:
                self._console.print(Text(said.within(self.language), style))

    def summary(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Show the closing summary, column under column; scripts get a record instead."""
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        with self._lock:
            self._console.print()
            for row in rows:
                cells = map(set_cell_size, row, widths)
                self._console.print(Text("  ".join(cells).rstrip()))
            self._console.print()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Show, in a terminal, that work goes on; `doing` says at what."""
        if self.as_json or not self._console.is_terminal:
            yield
            return
        with self._console.status("") as self._status:
            yield
        self._status = None

    def doing(self, said: Said) -> None:
        """Say what is being waited for."""
        if self._status is not None:
            self._status.update(Text(said.within(self.language)))

    def name(self, organisation: str) -> str:
        """Return the Chinese name of an organisation, or its code when there is none."""
        return self.names.get(organisation, organisation)

    def _texts(self, line: Line) -> Iterator[Text]:
        if line.kind == "scene":
            yield Text()
            yield Text(f"{line.term.zh} {line.term.en}", "bold").append(
                f"  {line.what.within(self.language)}", "dim"
            )
            return
        if line.kind == "arrival":
            yield self._arrival(line)
            return
        mark, style = _MARKS[line.verified]
        time = f"{line.at.astimezone(SHANGHAI):%H:%M:%S}"
        title = set_cell_size(f"{line.term.zh} {line.term.en}", _TERM_CELLS)
        taken = "" if line.milliseconds is None else f"{line.milliseconds:6} ms"
        first = Text.assemble(f"{self.steps:3} ", (time, "dim"), "  ", (title, "bold"))
        yield first.append(f"{mark}", style).append(taken, "cyan")
        yield Text(_INDENT + self._who(line))
        if said := self._what(line):
            yield Text(_INDENT + said, "yellow" if line.kind == "refusal" else "")

    def _who(self, line: Line) -> str:
        who = f"{self.name(line.organisation)} {line.organisation}"
        if line.actor_post:
            who += f" · {post(line.actor_post, 'zh')} {line.actor_post}"
        if line.seen_by:
            who += " → " + ", ".join(map(self.name, line.seen_by))
        return who

    def _what(self, line: Line) -> str:
        parts = (line.what.within(self.language), articles(line.legal_basis, self.language))
        return " · ".join(filter(None, parts))

    def _arrival(self, line: Line) -> Text:
        mark, style = _MARKS[line.verified]
        text = Text(f"{_INDENT}{line.what.within(self.language)} ", "dim")
        text.append(f"{line.term.zh} {line.term.en} · {self.name(line.organisation)} ", "dim")
        return text.append(mark, style)

    def _as_json(self, line: Line) -> dict[str, Any]:
        return {
            "kind": line.kind,
            "step": self.steps if line.kind not in {"scene", "arrival"} else None,
            "term": line.term.as_json(),
            "what": line.what.as_json(),
            "at": line.at.isoformat(),
            "organisation": line.organisation,
            "name": self.names.get(line.organisation, ""),
            "actor_post": line.actor_post,
            "legal_basis": list(line.legal_basis),
            "verified": line.verified,
            "seen_by": list(line.seen_by),
            "milliseconds": line.milliseconds,
            "event_id": line.event_id,
        }
