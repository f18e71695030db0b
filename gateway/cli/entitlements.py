"""`gateway entitlements`: who may follow whose facts."""

import click

from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import limit_option
from gateway.v1.directory_pb2 import ListEntitlementsRequest, ListEntitlementsResponse


@click.group(cls=ClientGroup)
def entitlements() -> None:
    """Who may follow the facts of others, by the directory. The authority enters them.

    Example:
      gateway entitlements show
    """


@entitlements.command("show")
@click.option("--organisation", default="", help="Only those of this organisation.")
@limit_option
@click.pass_obj
def show(desk: Desk, organisation: str, limit: int) -> None:
    """List entitlements, ended ones too.

    Example:
      gateway entitlements show --organisation 53/sup
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListEntitlementsRequest(organisation=organisation, page_size=size, page_token=token),
            ListEntitlementsResponse,
        ),
        lambda page: page.entitlements,
        ("organisation", "division", "types", "not_before", "not_after", "purpose"),
        limit,
    )
