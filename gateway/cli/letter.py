"""`gateway letter`: official letters 函 between education bureaus, line by line."""

import click

from gateway.cli import letter_answers
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import EnumChoice, FreeText, limit_option, version_option
from gateway.v1 import letter_pb2 as v1
from gateway.v1.jurisdiction_pb2 import LetterKind

COLUMNS = (
    "letter_id",
    "letter_no",
    "kind",
    "state",
    "sender",
    "recipient",
    "sign_date",
    "reply_requested_by",
    "changed_at",
)


@click.group(cls=ClientGroup)
def letter() -> None:
    """Letters 函: draft, sign, dispatch; register, accept, return.

    Example:
      gateway letter list --received --state DELIVERED
    """


@letter.command("draft")
@click.argument("case_ids", nargs=-1, required=True)
@click.option("--kind", type=EnumChoice(LetterKind), required=True, help="Kind.")
@click.option("--to", "recipient", required=True, help="Main recipient 主送.")
@click.option("--copy-to", multiple=True, help="Copy 抄送; repeat.")
@click.option("--text", type=FreeText(), default="", help="Body, @FILE or @-.")
@click.option("--urgency", type=EnumChoice(v1.Urgency), default=0, help="Else ordinary.")
@acts("CASE_OFFICER")
@click.pass_obj
def draft(
    desk: Desk,
    case_ids: tuple[str, ...],
    kind: LetterKind.ValueType,
    recipient: str,
    copy_to: tuple[str, ...],
    text: str,
    urgency: v1.Urgency.ValueType,
) -> None:
    """Draft a letter about one or more cases, one line each.

    Example:
      gateway letter draft CASE_ID --kind HANDOVER --to 530627/edu
    """
    desk.show(
        v1.CreateDraftRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            kind=kind,
            recipient=recipient,
            case_ids=case_ids,
            copy_to=copy_to,
            text=text,
            urgency=urgency,
        ),
        v1.CreateDraftResponse,
    )


@letter.command("sign")
@click.argument("letter_id")
@version_option
@acts("APPROVER")
@click.pass_obj
def sign(desk: Desk, letter_id: str, version: int | None) -> None:
    """Sign a draft 签发: it gets its number and date, and can no longer be changed.

    Example:
      gateway letter sign LETTER_ID
    """
    desk.show(
        v1.SignLetterRequest(
            version=version or desk.letter_version(letter_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
        ),
        v1.SignLetterResponse,
    )


@letter.command("dispatch")
@click.argument("letter_id")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def dispatch(desk: Desk, letter_id: str, version: int | None) -> None:
    """Hand a signed letter over for delivery; it is safe from then on.

    Example:
      gateway letter dispatch LETTER_ID
    """
    desk.show(
        v1.DispatchLetterRequest(
            version=version or desk.letter_version(letter_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
        ),
        v1.DispatchLetterResponse,
    )


@letter.command("retract")
@click.argument("letter_id")
@click.option("--reason", required=True, help="In words without personal data.")
@acts("CASE_OFFICER")
@click.pass_obj
def retract(desk: Desk, letter_id: str, reason: str) -> None:
    """Take a letter back 撤回; open offers end at once.

    Example:
      gateway letter retract LETTER_ID --reason 学生已返校
    """
    desk.show(
        v1.RetractLetterRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            letter_id=letter_id,
            reason=reason,
        ),
        v1.RetractLetterResponse,
    )


@letter.command("show")
@click.argument("letter_id")
@click.pass_obj
def show(desk: Desk, letter_id: str) -> None:
    """Show one letter with its lines.

    Example:
      gateway letter show LETTER_ID --lang zh
    """
    desk.show(v1.GetLetterRequest(letter_id=letter_id), v1.GetLetterResponse)


@letter.command("list")
@click.option("--state", type=EnumChoice(v1.LetterState), default=0, help="Only in this state.")
@click.option("--received", is_flag=True, help="Only letters your organisation received.")
@limit_option
@click.pass_obj
def list_letters(desk: Desk, state: v1.LetterState.ValueType, received: bool, limit: int) -> None:
    """List letters sent or received, newest first.

    Example:
      gateway letter list --received
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListLettersRequest(page_size=size, page_token=token, state=state, received=received),
            v1.ListLettersResponse,
        ),
        lambda page: page.letters,
        COLUMNS,
        limit,
    )


for _answer in (
    letter_answers.register,
    letter_answers.accept,
    letter_answers.return_lines,
    letter_answers.note,
):
    letter.add_command(_answer)
