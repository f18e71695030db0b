"""`gateway placement`: placing a child that comes back (复学安置, art. 9 and 10)."""

import click

from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import Day, EnumChoice, version_option
from gateway.v1 import placement_pb2 as v1


@click.group(cls=ClientGroup)
def placement() -> None:
    """Placement: ask a school, decide, start.

    Example:
      gateway placement show PLACEMENT_ID
    """


@placement.command("propose")
@click.argument("case_id")
@click.option("--school", required=True, help="School of your county.")
@acts("CASE_OFFICER")
@click.pass_obj
def propose(desk: Desk, case_id: str, school: str) -> None:
    """Ask a school to take the child; the school then confirms the return.

    Example:
      gateway placement propose CASE_ID --school 530627/sch/3153000456
    """
    desk.show(
        v1.ProposePlacementRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            school=school,
        ),
        v1.ProposePlacementResponse,
    )


@placement.command("decide")
@click.argument("case_id")
@click.option("--kind", type=EnumChoice(v1.PlacementKind), required=True, help="Form of education.")
@click.option("--plan-id", default="", help="Individual plan 一人一方案.")
@version_option
@acts("CASE_OFFICER")
@click.pass_obj
def decide(
    desk: Desk,
    case_id: str,
    kind: v1.PlacementKind.ValueType,
    plan_id: str,
    version: int | None,
) -> None:
    """Decide the placement of a returned child. Only the holder may.

    Example:
      gateway placement decide CASE_ID --kind REGULAR_CLASS
    """
    desk.show(
        v1.DecidePlacementRequest(
            version=version or desk.case_version(case_id),
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            case_id=case_id,
            kind=kind,
            plan_id=plan_id,
        ),
        v1.DecidePlacementResponse,
    )


@placement.command("start")
@click.argument("placement_id")
@click.option("--date", "start_date", type=Day(), required=True, help="First day.")
@acts("PRINCIPAL")
@click.pass_obj
def start(desk: Desk, placement_id: str, start_date: str) -> None:
    """Say, as the receiving school, that the placement has begun.

    Example:
      gateway placement start PLACEMENT_ID --date 2026-12-08
    """
    desk.show(
        v1.StartPlacementRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            placement_id=placement_id,
            start_date=start_date,
        ),
        v1.StartPlacementResponse,
    )


@placement.command("show")
@click.argument("placement_id")
@click.pass_obj
def show(desk: Desk, placement_id: str) -> None:
    """Show one placement.

    Example:
      gateway placement show PLACEMENT_ID --json
    """
    desk.show(v1.GetPlacementRequest(placement_id=placement_id), v1.GetPlacementResponse)
