"""The acts on a case: submit, confirm, refute, whereabouts, determine, return (art. 7, 8)."""

import click

from gateway.cli.client_command import ClientCommand, Desk, acts
from gateway.cli.parameters import Day, EnumChoice, FreeText, version_option
from gateway.v1 import case_pb2 as v1
from gateway.v1.jurisdiction_pb2 import DetermineRequest, DetermineResponse


@click.command("submit", cls=ClientCommand)
@click.argument("absence_id")
@click.option("--to", "recipients", multiple=True, required=True, help="Bureau, township; repeat.")
@click.option("--verified/--unverified", default=False, help="Verified on the platform (核证).")
@click.option("--whereabouts", type=EnumChoice(v1.WhereaboutsKind), help="As far as known.")
@click.option("--division", default="", help="County (6) or province (2 digits) of it.")
@click.option("--basis", default="", help="How it is known, without personal data.")
@click.option("--remark", type=FreeText(), default="", help="Remark, @FILE or @-.")
@acts("PRINCIPAL")
@click.pass_obj
def submit(
    desk: Desk,
    absence_id: str,
    recipients: tuple[str, ...],
    verified: bool,
    whereabouts: v1.WhereaboutsKind.ValueType | None,
    division: str,
    basis: str,
    remark: str,
) -> None:
    """Submit a suspected dropout to education bureau and township (art. 7).

    Repeated with the recipient that was missing, it adds it.

    Example:
      gateway case submit ABSENCE_ID --to 530102/edu --to 530102001/twn --verified
    """
    known = None
    if whereabouts is not None:
        known = v1.Whereabouts(kind=whereabouts, division=division, basis=basis)
    elif division or basis:
        raise click.UsageError("--division and --basis need --whereabouts.")
    desk.show(
        v1.SubmitSuspectedDropoutRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            absence_id=absence_id,
            recipients=recipients,
            verified_on_platform=verified,
            whereabouts=known,
            remark=remark,
        ),
        v1.SubmitSuspectedDropoutResponse,
    )


@click.command("confirm", cls=ClientCommand)
@click.argument("case_id")
@click.option("--criteria", required=True, help="In words without personal data.")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def confirm(desk: Desk, case_id: str, criteria: str, version: int | None) -> None:
    """Confirm the dropout; your bureau becomes the first holder of the case.

    Example:
      gateway case confirm CASE_ID --criteria 家访联系后仍未到校
    """
    desk.show(
        v1.ConfirmDropoutRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            criteria=criteria,
        ),
        v1.ConfirmDropoutResponse,
    )


@click.command("refute", cls=ClientCommand)
@click.argument("case_id")
@click.option("--reason", required=True, help="In words without personal data.")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def refute(desk: Desk, case_id: str, reason: str, version: int | None) -> None:
    """End a suspicion that proved wrong.

    Example:
      gateway case refute CASE_ID --reason 已在外校就读
    """
    desk.show(
        v1.RefuteDropoutRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            reason=reason,
        ),
        v1.RefuteDropoutResponse,
    )


@click.command("whereabouts", cls=ClientCommand)
@click.argument("case_id")
@click.option("--kind", type=EnumChoice(v1.WhereaboutsKind), required=True, help="Where.")
@click.option("--division", default="", help="County (6) or province (2 digits).")
@click.option("--basis", default="", help="How it is known, without personal data.")
@acts("CASE_OFFICER")
@click.pass_obj
def whereabouts(
    desk: Desk, case_id: str, kind: v1.WhereaboutsKind.ValueType, division: str, basis: str
) -> None:
    """Record where the child is (去向, art. 7).

    Example:
      gateway case whereabouts CASE_ID --kind IN_HUKOU_COUNTY --basis 电话核实
    """
    desk.show(
        v1.RecordWhereaboutsRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            whereabouts=v1.Whereabouts(kind=kind, division=division, basis=basis),
        ),
        v1.RecordWhereaboutsResponse,
    )


@click.command("determine", cls=ClientCommand)
@click.argument("case_id")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def determine(desk: Desk, case_id: str, version: int | None) -> None:
    """Determine who is responsible, and record it (art. 8). Only the holder may.

    Example:
      gateway case determine CASE_ID
    """
    desk.show(
        DetermineRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
        ),
        DetermineResponse,
    )


@click.command("return", cls=ClientCommand)
@click.argument("case_id")
@click.option("--first-day", type=Day(), required=True, help="First day attended.")
@acts("REGISTRAR")
@click.pass_obj
def record_return(desk: Desk, case_id: str, first_day: str) -> None:
    """Confirm, as the receiving school, that the child is back (复学).

    Example:
      gateway case return CASE_ID --first-day 2026-12-07
    """
    desk.show(
        v1.RecordReturnRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            first_day_attended=first_day,
        ),
        v1.RecordReturnResponse,
    )
