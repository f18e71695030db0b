"""`gateway order`: retrieval orders 劝返指令 and the four steps 四步法 (art. 8)."""

import click

from gateway.cli import order_township
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import EnumChoice, FreeText, limit_option, version_option
from gateway.v1 import retrieval_pb2 as v1

COLUMNS = (
    "order_id",
    "order_no",
    "state",
    "case_id",
    "issuer",
    "township",
    "next_step",
    "platform_entry_no",
    "issued_at",
)


@click.group(cls=ClientGroup)
def order() -> None:
    """Retrieval orders: confirm the body, issue; acknowledge, assign, record steps.

    Example:
      gateway order list --state ISSUED
    """


@order.command("confirm-body")
@click.argument("case_id")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def confirm_body(desk: Desk, case_id: str, version: int | None) -> None:
    """Confirm your county as retrieval body 劝返主体. Only the holder may.

    Example:
      gateway order confirm-body CASE_ID
    """
    desk.show(
        v1.ConfirmBodyRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
        ),
        v1.ConfirmBodyResponse,
    )


@order.command("issue")
@click.argument("case_id")
@click.option("--township", required=True, help="Township of your own county.")
@click.option("--instruction", type=FreeText(), default="", help="Text, @FILE or @-.")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def issue(desk: Desk, case_id: str, township: str, instruction: str, version: int | None) -> None:
    """Issue a retrieval order to a township of your own county.

    Example:
      gateway order issue CASE_ID --township 530627001/twn
    """
    desk.show(
        v1.IssueOrderRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            township=township,
            instruction=instruction,
        ),
        v1.IssueOrderResponse,
    )


@order.command("show")
@click.argument("order_id")
@click.pass_obj
def show(desk: Desk, order_id: str) -> None:
    """Show one order with its steps.

    Example:
      gateway order show ORDER_ID
    """
    desk.show(v1.GetOrderRequest(order_id=order_id), v1.GetOrderResponse)


@order.command("list")
@click.option("--state", type=EnumChoice(v1.OrderState), default=0, help="Only in this state.")
@limit_option
@click.pass_obj
def list_orders(desk: Desk, state: v1.OrderState.ValueType, limit: int) -> None:
    """List orders issued or received, newest first.

    Example:
      gateway order list --lang zh
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListOrdersRequest(page_size=size, page_token=token, state=state),
            v1.ListOrdersResponse,
        ),
        lambda page: page.orders,
        COLUMNS,
        limit,
    )


for _act in (order_township.acknowledge, order_township.assign, order_township.step):
    order.add_command(_act)
