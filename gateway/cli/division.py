"""`gateway division`: administrative divisions and what followed a retired code."""

import click

from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import Day, limit_option
from gateway.v1.division_pb2 import (
    ListDivisionsRequest,
    ListDivisionsResponse,
    ResolveDivisionRequest,
    ResolveDivisionResponse,
)


@click.group(cls=ClientGroup)
def division() -> None:
    """Division codes (GB/T 2260): what a code was, is, and what followed it.

    Example:
      gateway division show 530522
    """


@division.command("show")
@click.argument("code")
@click.option("--at", type=Day(), default=None, help="Day to judge by; else today.")
@click.pass_obj
def show(desk: Desk, code: str, at: str | None) -> None:
    """Show a division, those above it, and the successors of a retired code.

    Example:
      gateway division show 530522 --at 2014-06-01
    """
    desk.show(ResolveDivisionRequest(code=code, at=at or ""), ResolveDivisionResponse)


@division.command("list")
@click.argument("parent")
@limit_option
@click.pass_obj
def list_divisions(desk: Desk, parent: str, limit: int) -> None:
    """List the divisions directly below one.

    Example:
      gateway division list 5306
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListDivisionsRequest(parent=parent, page_size=size, page_token=token),
            ListDivisionsResponse,
        ),
        lambda page: page.divisions,
        ("code", "name", "level", "parent", "valid_from"),
        limit,
    )
