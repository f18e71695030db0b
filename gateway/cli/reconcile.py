"""`gateway reconcile`: whether every lane of your organisation adds up."""

import click

from gateway.cli.client_command import ClientCommand, Desk
from gateway.cli.refusals import REFUSED
from gateway.v1.delivery_pb2 import ReconcileLanesRequest, ReconcileLanesResponse

COLUMNS = (
    "peer",
    "incarnation",
    "numbered",
    "receipted",
    "rejected",
    "in_flight",
    "dead",
    "received",
    "answered",
    "balanced",
)


@click.command("reconcile", cls=ClientCommand)
@click.pass_obj
def reconcile(desk: Desk) -> None:
    """Count the lanes with every peer: sent = receipted + rejected + in flight + dead.

    Exit code 1 if one does not add up.

    Example:
      gateway reconcile --lang zh
    """
    answer = desk.call(ReconcileLanesRequest(), ReconcileLanesResponse)
    desk.screen.items(answer.lanes, COLUMNS, more=False)
    desk.screen.note("balanced" if answer.balanced else "unbalanced")
    if not answer.balanced:
        click.get_current_context().exit(REFUSED)
