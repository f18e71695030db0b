"""What a township does with a retrieval order: acknowledge, assign, record steps (art. 8)."""

import hashlib
from pathlib import Path

import click

from gateway.cli.client_command import ClientCommand, Desk, acts
from gateway.cli.parameters import Day, EnumChoice, FreeText
from gateway.v1 import retrieval_pb2 as v1


@click.command("acknowledge", cls=ClientCommand)
@click.argument("order_id")
@acts("TOWNSHIP_OFFICER")
@click.pass_obj
def acknowledge(desk: Desk, order_id: str) -> None:
    """Acknowledge an order as the township.

    Example:
      gateway order acknowledge ORDER_ID
    """
    desk.show(
        v1.AcknowledgeOrderRequest(
            request_id=desk.request_id, actor_post=desk.actor_post, order_id=order_id
        ),
        v1.AcknowledgeOrderResponse,
    )


@click.command("assign", cls=ClientCommand)
@click.argument("order_id")
@click.option("--officer", required=True, help="Post in charge 包保责任人.")
@click.option("--paired", default="", help="Paired post 结对包保.")
@acts("TOWNSHIP_OFFICER")
@click.pass_obj
def assign(desk: Desk, order_id: str, officer: str, paired: str) -> None:
    """Name the posts in charge of an order.

    Example:
      gateway order assign ORDER_ID --officer TOWNSHIP_OFFICER
    """
    desk.show(
        v1.AssignOfficerRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            order_id=order_id,
            officer_post=officer,
            paired_post=paired,
        ),
        v1.AssignOfficerResponse,
    )


@click.command("step", cls=ClientCommand)
@click.argument("order_id")
@click.option("--step", "kind", type=EnumChoice(v1.RetrievalStep), required=True, help="Step.")
@click.option("--outcome", type=EnumChoice(v1.StepOutcome), required=True, help="Outcome.")
@click.option("--date", "day", type=Day(), required=True, help="Day of the act.")
@click.option("--service", type=EnumChoice(v1.ServiceMethod), default=0, help="How it was served.")
@click.option("--document-no", default="", help="Number of the document, from step 2 on.")
@click.option("--legal-basis", default="", help="Needed for a penalty.")
@click.option("--respondent", type=EnumChoice(v1.Respondent), default=0, help="Else the guardian.")
@click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File you keep; only its SHA-256 is sent.",
)
@click.option("--report", type=FreeText(), default="", help="Text, @FILE or @-.")
@acts("TOWNSHIP_OFFICER")
@click.pass_obj
def step(
    desk: Desk,
    order_id: str,
    kind: v1.RetrievalStep.ValueType,
    outcome: v1.StepOutcome.ValueType,
    day: str,
    service: v1.ServiceMethod.ValueType,
    document_no: str,
    legal_basis: str,
    respondent: v1.Respondent.ValueType,
    evidence: Path | None,
    report: str,
) -> None:
    r"""Record a step of the four-step procedure, in its order.

    Example:
      gateway order step ORDER_ID --step EDUCATION --outcome EFFECTIVE \
        --date 2026-12-01 --service HOME_VISIT
    """
    record = v1.StepRecord(
        step=kind,
        outcome=outcome,
        date=day,
        service=service,
        document_no=document_no,
        legal_basis=legal_basis,
        respondent=respondent,
        evidence_hash=hashlib.sha256(evidence.read_bytes()).digest() if evidence else b"",
    )
    desk.show(
        v1.RecordStepRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            order_id=order_id,
            step=record,
            report=report,
        ),
        v1.RecordStepResponse,
    )
