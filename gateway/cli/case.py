"""`gateway case`: dropout cases as your organisation sees them."""

import click

from gateway.cli import case_acts
from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import EnumChoice, limit_option
from gateway.v1 import case_pb2 as v1

COLUMNS = (
    "case_id",
    "state",
    "holder",
    "may_act",
    "enrolment_county",
    "hukou_county",
    "whereabouts",
    "jurisdiction_row",
    "opened_at",
)
TIMELINE = (
    "occurred_at",
    "source",
    "actor_post",
    "type",
    "summary",
    "legal_basis",
    "epoch",
    "signature_verified",
)


@click.group(cls=ClientGroup)
def case() -> None:
    """Dropout cases: submit, confirm, find out who is responsible, record the return.

    Example:
      gateway case list --held
    """


@case.command("show")
@click.argument("case_id")
@click.pass_obj
def show(desk: Desk, case_id: str) -> None:
    """Show one case.

    Example:
      gateway case show CASE_ID --lang zh
    """
    desk.show(v1.GetCaseRequest(case_id=case_id), v1.GetCaseResponse)


@case.command("list")
@click.option("--state", type=EnumChoice(v1.CaseState), default=0, help="Only in this state.")
@click.option("--held", is_flag=True, help="Only those your organisation holds.")
@limit_option
@click.pass_obj
def list_cases(desk: Desk, state: v1.CaseState.ValueType, held: bool, limit: int) -> None:
    """List the cases to which your organisation is a party, newest first.

    Example:
      gateway case list --state IN_RETRIEVAL --held
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListCasesRequest(page_size=size, page_token=token, state=state, held=held),
            v1.ListCasesResponse,
        ),
        lambda page: page.cases,
        COLUMNS,
        limit,
    )


@case.command("timeline")
@click.argument("case_id")
@limit_option
@click.pass_obj
def timeline(desk: Desk, case_id: str, limit: int) -> None:
    """Show the case file: who did what, when, on which article, and whether it verifies.

    Example:
      gateway case timeline CASE_ID --limit 0 --lang zh
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.GetTimelineRequest(case_id=case_id, page_size=size, page_token=token),
            v1.GetTimelineResponse,
        ),
        lambda page: page.entries,
        TIMELINE,
        limit,
    )


for _act in (
    case_acts.submit,
    case_acts.confirm,
    case_acts.refute,
    case_acts.whereabouts,
    case_acts.determine,
    case_acts.record_return,
):
    case.add_command(_act)
