"""The receiver's answers to a letter: register, accept, return, note."""

import click

from gateway.cli.client_command import ClientCommand, Desk, acts
from gateway.cli.parameters import EnumChoice, FreeText
from gateway.v1 import letter_pb2 as v1


@click.command("register", cls=ClientCommand)
@click.argument("letter_id")
@click.option("--registry-no", default="", help="Number in your own register.")
@acts("CASE_OFFICER")
@click.pass_obj
def register(desk: Desk, letter_id: str, registry_no: str) -> None:
    """Register a received letter 收文登记.

    Example:
      gateway letter register LETTER_ID --registry-no 收2026-118
    """
    desk.show(
        v1.RegisterLetterRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
            registry_no=registry_no,
        ),
        v1.RegisterLetterResponse,
    )


@click.command("accept", cls=ClientCommand)
@click.argument("letter_id")
@click.option("--line", "lines", type=click.IntRange(min=1), multiple=True, help="Else all open.")
@acts("CASE_OFFICER")
@click.pass_obj
def accept(desk: Desk, letter_id: str, lines: tuple[int, ...]) -> None:
    """Accept lines of a hand-over. You may act once the title has arrived.

    Example:
      gateway letter accept LETTER_ID --line 1 --line 3
    """
    desk.show(
        v1.AcceptLinesRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
            line_nos=lines,
        ),
        v1.AcceptLinesResponse,
    )


@click.command("return", cls=ClientCommand)
@click.argument("letter_id")
@click.option("--reason", type=EnumChoice(v1.ReturnReason), required=True, help="Why.")
@click.option("--county", default="", help="County the hukou moved to, 6 digits.")
@click.option("--line", "lines", type=click.IntRange(min=1), multiple=True, help="Else all open.")
@click.option("--explanation", type=FreeText(), default="", help="Text, @FILE or @-.")
@acts("CASE_OFFICER")
@click.pass_obj
def return_lines(
    desk: Desk,
    letter_id: str,
    reason: v1.ReturnReason.ValueType,
    county: str,
    lines: tuple[int, ...],
    explanation: str,
) -> None:
    """Send lines back with a reason 退回. Lines with another reason: call once more.

    Example:
      gateway letter return LETTER_ID --reason HUKOU_MOVED_OUT --county 532626
    """
    numbers = lines or open_lines(desk, letter_id)
    desk.show(
        v1.ReturnLinesRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
            lines=[
                v1.ReturnedLine(line_no=number, reason=reason, county=county) for number in numbers
            ],
            explanation=explanation,
        ),
        v1.ReturnLinesResponse,
    )


@click.command("note", cls=ClientCommand)
@click.argument("letter_id")
@acts("CASE_OFFICER")
@click.pass_obj
def note(desk: Desk, letter_id: str) -> None:
    """Take note of a notification 阅知.

    Example:
      gateway letter note LETTER_ID
    """
    desk.show(
        v1.NoteLetterRequest(
            request_id=desk.request_id, actor_post=desk.actor_post, letter_id=letter_id
        ),
        v1.NoteLetterResponse,
    )


def open_lines(desk: Desk, letter_id: str) -> tuple[int, ...]:
    """Read a letter and return the numbers of its open lines.

    Raises:
        click.UsageError: none is open.
        grpc.RpcError: the letter cannot be read.
    """
    letter = desk.call(v1.GetLetterRequest(letter_id=letter_id), v1.GetLetterResponse).letter
    numbers = tuple(line.line_no for line in letter.lines if line.state == v1.LINE_STATE_OPEN)
    if not numbers:
        raise click.UsageError("No line of this letter is open; name lines with --line.")
    return numbers
