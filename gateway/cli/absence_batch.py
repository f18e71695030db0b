"""Reporting many absences over one stream, each answered for itself.

The file is read as a whole before anything is sent, so that a mistyped line sends nothing. Each
line's request_id follows from that of the invocation and the line itself: repeating the command
with the same `--request-id`, after mending some lines, records nothing twice.
"""

import uuid
from collections.abc import Iterator

import click

from gateway.cli.child import json_object, parsed
from gateway.cli.client_command import Desk
from gateway.cli.parameters import read_text
from gateway.cli.refusals import REFUSED, trouble_of_record
from gateway.cli.screen import as_dict
from gateway.cli.words import phrase
from gateway.v1.absence_pb2 import (
    ReportAbsenceRequest,
    ReportAbsencesRequest,
    ReportAbsencesResponse,
)

SECONDS_PER_RECORD = 0.05
"""Added to the deadline for every record of the stream."""
IN_A_MESSAGE = 100
"""Records that travel and are answered together; the contract takes no more."""


def report_batch(desk: Desk, source: str) -> None:
    """Send every line of a file (`-`: standard input) and show each answer as it comes.

    Exits with 1 when a record was refused.

    Raises:
        click.UsageError: a line is no report; nothing was sent.
        grpc.RpcError: the stream as a whole was refused or broke off.
    """
    numbered = dict(read_reports(desk, source))
    reports = list(numbered.values())
    lines = {report.request_id: number for number, report in numbered.items()}
    messages = desk.connection.converse(
        ReportAbsencesRequest,
        [
            ReportAbsencesRequest(reports=reports[start : start + IN_A_MESSAGE])
            for start in range(0, len(reports), IN_A_MESSAGE)
        ],
        ReportAbsencesResponse,
        desk.timeout + SECONDS_PER_RECORD * len(reports),
    )
    refused = answered = 0
    for answer in (answer for message in messages for answer in message.answers):
        answered += 1
        refused += answer.WhichOneof("result") == "refused"
        show_answer(desk, lines.get(answer.request_id, 0), answer)
    desk.screen.note("summary", answered - refused, refused)
    if refused:
        click.get_current_context().exit(REFUSED)


def read_reports(desk: Desk, source: str) -> Iterator[tuple[int, ReportAbsenceRequest]]:
    """Yield (line number, report) for every line that is not empty.

    Raises:
        click.UsageError: a line is no report, or repeats the request_id of another.
    """
    seen: dict[str, int] = {}
    base = uuid.UUID(desk.request_id)
    for number, line in enumerate(read_text(source).splitlines(), start=1):
        if not line.strip():
            continue
        place = f"Line {number}"
        report = parsed(json_object(line, place), ReportAbsenceRequest(), place)
        report.request_id = report.request_id or str(uuid.uuid5(base, line.strip()))
        report.actor_post = report.actor_post or desk.actor_post
        if report.request_id in seen:
            raise click.UsageError(f"{place} repeats line {seen[report.request_id]}.")
        seen[report.request_id] = number
        yield number, report


def show_answer(desk: Desk, number: int, answer: ReportAbsencesResponse) -> None:
    """Show what became of one line."""
    screen = desk.screen
    if screen.as_json:
        screen.json_line({"line": number} | as_dict(answer))
        return
    start = f"{phrase('line', screen.language)} {number}"
    if answer.WhichOneof("result") == "accepted":
        done = phrase("accepted", screen.language)
        click.echo(f"{start}: {done} {answer.accepted.absence.absence_id}")
    else:
        first, *others = screen.trouble_lines(trouble_of_record(answer.refused))
        click.echo("\n".join([f"{start}: {first}", *others]))
