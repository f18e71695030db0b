"""`gateway todo`: what an organisation must do next, and since when."""

import click

from gateway.cli.client_command import ClientCommand, Desk
from gateway.cli.parameters import limit_option
from gateway.v1.case_pb2 import ListTodoRequest, ListTodoResponse


@click.command("todo", cls=ClientCommand)
@limit_option
@click.pass_obj
def todo(desk: Desk, limit: int) -> None:
    """Show what your organisation must do next, longest waiting first, with the command for it.

    Example:
      gateway todo --lang zh
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListTodoRequest(page_size=size, page_token=token), ListTodoResponse
        ),
        lambda page: page.items,
        ("since", "duty", "label", "case_id", "basis", "command"),
        limit,
    )
