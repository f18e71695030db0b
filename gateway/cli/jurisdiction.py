"""`gateway jurisdiction`: who is responsible for bringing a child back (art. 7, 8), tried out."""

import click

from gateway.cli.client_command import ClientGroup, Desk
from gateway.cli.parameters import EnumChoice
from gateway.v1.case_pb2 import WhereaboutsKind
from gateway.v1.jurisdiction_pb2 import EvaluateRequest, EvaluateResponse, JurisdictionFacts


@click.group(cls=ClientGroup)
def jurisdiction() -> None:
    """Who is responsible, by the table J1-J17; `gateway case determine` records it.

    Example:
      gateway jurisdiction evaluate CASE_ID
    """


@jurisdiction.command("evaluate")
@click.argument("case_id", required=False)
@click.option("--enrolment", default="", help="County of enrolment, 6 digits.")
@click.option("--hukou", default="", help="County of the hukou, or province outside Yunnan.")
@click.option("--whereabouts", type=EnumChoice(WhereaboutsKind), default=0, help="Where.")
@click.option("--location", default="", help="County, or province outside Yunnan, of it.")
@click.option("--foreign-national", is_flag=True, help="Foreign national or stateless.")
@click.pass_obj
def evaluate(
    desk: Desk,
    case_id: str | None,
    enrolment: str,
    hukou: str,
    whereabouts: WhereaboutsKind.ValueType,
    location: str,
    foreign_national: bool,
) -> None:
    r"""Apply the table to a case or to facts, explain it, and change nothing.

    Example:
      gateway jurisdiction evaluate --enrolment 530102 --hukou 530627 \
        --whereabouts IN_HUKOU_COUNTY --location 530627
    """
    given = any((enrolment, hukou, whereabouts, location, foreign_national))
    if (case_id is None) != given:
        raise click.UsageError("Name a case, or give facts; not both.")
    if case_id is not None:
        desk.show(EvaluateRequest(case_id=case_id), EvaluateResponse)
        return
    facts = JurisdictionFacts(
        enrolment_county=enrolment,
        hukou_county=hukou,
        whereabouts_kind=whereabouts,
        location=location,
        foreign_national=foreign_national,
    )
    desk.show(EvaluateRequest(facts=facts), EvaluateResponse)
