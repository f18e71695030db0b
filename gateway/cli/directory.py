"""`gateway directory`: organisations, their posts and their public keys."""

import click

from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import limit_option
from gateway.v1.directory_pb2 import (
    GetOrganisationRequest,
    GetOrganisationResponse,
    ListKeysRequest,
    ListKeysResponse,
    ListOrganisationsRequest,
    ListOrganisationsResponse,
)


@click.group(cls=ClientGroup)
def directory() -> None:
    """Who takes part: organisations, posts, keys.

    Example:
      gateway directory list --role edu
    """


@directory.command("list")
@click.option("--division", default="", help="Only in this division and below.")
@click.option("--role", default="", help="Only with this role, for example edu.")
@limit_option
@click.pass_obj
def list_organisations(desk: Desk, division: str, role: str, limit: int) -> None:
    """List organisations by code.

    Example:
      gateway directory list --division 5306 --role edu
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListOrganisationsRequest(
                page_size=size, page_token=token, division=division, role=role
            ),
            ListOrganisationsResponse,
        ),
        lambda page: page.organisations,
        ("organisation", "name", "superior", "node", "posts"),
        limit,
    )


@directory.command("show")
@click.argument("organisation")
@click.pass_obj
def show(desk: Desk, organisation: str) -> None:
    """Show one organisation with its posts.

    Example:
      gateway directory show 530627/edu
    """
    desk.show(GetOrganisationRequest(organisation=organisation), GetOrganisationResponse)


@directory.command("keys")
@click.argument("organisation")
@limit_option
@click.pass_obj
def keys(desk: Desk, organisation: str, limit: int) -> None:
    """List the public keys of an organisation, revoked ones too.

    Example:
      gateway directory keys 530627/edu
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListKeysRequest(organisation=organisation, page_size=size, page_token=token),
            ListKeysResponse,
        ),
        lambda page: page.keys,
        ("key_id", "purpose", "algorithm", "not_before", "not_after", "revoked_at"),
        limit,
    )
