"""`gateway recovery`: how an organisation comes back from a store that lost its memory."""

import click

from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import EnumChoice, limit_option
from gateway.v1 import recovery_pb2 as v1

COLUMNS = ("event_id", "type", "case_id", "returned_by", "taken_at", "rebuilt", "checked_at")


@click.group(cls=ClientGroup)
def recovery() -> None:
    """Recovery after a restored backup: who is waited for, what came back.

    Example:
      gateway recovery show
    """


@recovery.command("show")
@click.pass_obj
def show(desk: Desk) -> None:
    """Show the latest recovery of your organisation: since when, and which peers it waits for.

    Example:
      gateway recovery show --lang zh
    """
    desk.show(v1.GetRecoveryRequest(), v1.GetRecoveryResponse)


@recovery.command("waive")
@click.argument("organisations", nargs=-1, required=True)
@click.option("--reason", type=EnumChoice(v1.WaiverReason), required=True, help="Why not to wait.")
@click.option("--recovery", "recovery_id", default="", help="The recovery; else the one that runs.")
@acts("OPERATOR")
@click.pass_obj
def waive(
    desk: Desk,
    organisations: tuple[str, ...],
    reason: v1.WaiverReason.ValueType,
    recovery_id: str,
) -> None:
    """Decide not to wait for peers. It takes two posts: the operator, and one that decides.

    What a waived peer alone knows is given up. If it was granted a case that the backup still
    holds, both will act on it: be sure that it can never answer.

    Example:
      gateway recovery waive 530681/edu --reason NODE_GONE --post OPERATOR
      gateway recovery waive 530681/edu --reason NODE_GONE --post APPROVER
    """
    shown = desk.call(v1.GetRecoveryRequest(), v1.GetRecoveryResponse)
    desk.show(
        v1.WaivePeerRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            recovery_id=recovery_id or shown.recovery.recovery_id,
            organisations=organisations,
            reason=reason,
        ),
        v1.WaivePeerResponse,
    )


@recovery.command("facts")
@click.option("--all", "with_checked", is_flag=True, help="Those checked already, too.")
@limit_option
@click.pass_obj
def facts(desk: Desk, limit: int, *, with_checked: bool) -> None:
    """List own facts that came back, latest first; an officer compares each with the records.

    Example:
      gateway recovery facts
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListRecoveredFactsRequest(
                page_size=size, page_token=token, with_checked=with_checked
            ),
            v1.ListRecoveredFactsResponse,
        ),
        lambda page: page.facts,
        COLUMNS,
        limit,
    )


@recovery.command("check")
@click.argument("event_id")
@acts("CASE_OFFICER")
@click.pass_obj
def check(desk: Desk, event_id: str) -> None:
    """Note that you compared a fact that came back with the records; it leaves the work list.

    Example:
      gateway recovery check EVENT_ID
    """
    desk.show(
        v1.CheckRecoveredFactRequest(
            request_id=desk.request_id, actor_post=desk.actor_post, event_id=event_id
        ),
        v1.CheckRecoveredFactResponse,
    )
