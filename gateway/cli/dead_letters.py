"""`gateway dead-letters`: what of your organisation's mail did not take effect."""

import click

from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import EnumChoice, limit_option
from gateway.v1 import delivery_pb2 as v1

COLUMNS = (
    "dead_letter_id",
    "kind",
    "reason",
    "peer",
    "message_id",
    "event_id",
    "arose_at",
    "redrives",
    "redrivable",
)


@click.group("dead-letters", cls=ClientGroup)
def dead_letters() -> None:
    """Mail that did not take effect: list it, take it up again, give it up.

    Example:
      gateway dead-letters list --lang zh
    """


@dead_letters.command("list")
@click.option("--kind", type=EnumChoice(v1.DeadLetterKind), default=0, help="Only of this kind.")
@click.option(
    "--state", type=EnumChoice(v1.DeadLetterState), default=0, help="In this state; else OPEN."
)
@limit_option
@click.pass_obj
def list_dead_letters(
    desk: Desk,
    kind: v1.DeadLetterKind.ValueType,
    state: v1.DeadLetterState.ValueType,
    limit: int,
) -> None:
    """List dead letters, longest waiting first: codes and tokens, never content.

    Example:
      gateway dead-letters list --kind PARKED --json
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListDeadLettersRequest(page_size=size, page_token=token, kind=kind, state=state),
            v1.ListDeadLettersResponse,
        ),
        lambda page: page.dead_letters,
        COLUMNS,
        limit,
    )


@dead_letters.command("redrive")
@click.argument("dead_letter_id")
@acts("OPERATOR")
@click.pass_obj
def redrive(desk: Desk, dead_letter_id: str) -> None:
    """Take a dead letter up again along the way it first went; it takes effect at most once.

    Example:
      gateway dead-letters redrive DEAD_LETTER_ID
    """
    request = v1.RedriveDeadLetterRequest(
        request_id=desk.request_id, actor_post=desk.actor_post, dead_letter_id=dead_letter_id
    )
    desk.show(request, v1.RedriveDeadLetterResponse)


@dead_letters.command("discard")
@click.argument("dead_letter_id")
@click.option("--reason", type=EnumChoice(v1.DiscardReason), required=True, help="Why.")
@acts("OPERATOR")
@click.pass_obj
def discard(desk: Desk, dead_letter_id: str, reason: v1.DiscardReason.ValueType) -> None:
    """Give a dead letter up. A parked event is then refused to its sender, and its case goes on.

    Example:
      gateway dead-letters discard DEAD_LETTER_ID --reason OUTDATED
    """
    request = v1.DiscardDeadLetterRequest(
        request_id=desk.request_id,
        actor_post=desk.actor_post,
        dead_letter_id=dead_letter_id,
        reason=reason,
    )
    desk.show(request, v1.DiscardDeadLetterResponse)
