"""`gateway agency`: what was asked of an agency's system, and how it was answered."""

import click

from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import EnumChoice, limit_option
from gateway.v1.agency_pb2 import ExchangeState, ListExchangesRequest, ListExchangesResponse


@click.group(cls=ClientGroup)
def agency() -> None:
    """Exchanges with an agency's own system.

    Example:
      gateway agency exchanges
    """


@agency.command("exchanges")
@click.option("--state", type=EnumChoice(ExchangeState), default=0, help="Only in this state.")
@limit_option
@click.pass_obj
def exchanges(desk: Desk, state: ExchangeState.ValueType, limit: int) -> None:
    """List what was asked of the agency and how it was answered, newest first.

    Example:
      gateway agency exchanges --state WAITING
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListExchangesRequest(page_size=size, page_token=token, state=state),
            ListExchangesResponse,
        ),
        lambda page: page.exchanges,
        ("exchange_id", "kind", "state", "asked_by", "asked_at", "attempts", "last_trouble"),
        limit,
    )
