"""`gateway subject`: children as tokens, their identity masked as the gateway sends it."""

import click

from gateway.cli.child import child_of, identity_options
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import Day, EnumChoice
from gateway.v1.subject_pb2 import (
    AssertEnrolmentRequest,
    AssertEnrolmentResponse,
    AssertHukouRequest,
    AssertHukouResponse,
    GetSubjectRequest,
    GetSubjectResponse,
    HukouFinding,
    RequestHukouRequest,
    RequestHukouResponse,
    ResolveSubjectRequest,
    ResolveSubjectResponse,
)


@click.group(cls=ClientGroup)
def subject() -> None:
    """Children: find the token, read the record, ask for the hukou.

    Example:
      gateway subject show TOKEN
    """


@subject.command("show")
@click.argument("subject_id")
@click.option("--purpose", default="", help="Why the full identity is needed. Logged.")
@acts("CASE_OFFICER", once=False)
@click.pass_obj
def show(desk: Desk, subject_id: str, purpose: str) -> None:
    """Show a child's record; identity is masked unless a purpose is given and allowed.

    Example:
      gateway subject show TOKEN --purpose 入户走访 --post CASE_OFFICER
    """
    post = desk.actor_post if purpose else ""
    desk.show(
        GetSubjectRequest(subject_id=subject_id, purpose=purpose, actor_post=post),
        GetSubjectResponse,
    )


@subject.command("resolve")
@identity_options
@acts("CASE_OFFICER")
@click.pass_obj
def resolve(
    desk: Desk,
    file: str | None,
    name: str | None,
    id_number: str | None,
    enrolment_number: str | None,
    birth_date: str | None,
) -> None:
    """Find a child by identifiers, or register it, and show its token.

    Prefer --file, so that no name or number stands in the history of the shell.

    Example:
      gateway subject resolve --file child.json
    """
    child = child_of(file, name, id_number, enrolment_number, birth_date)
    if child is None:
        raise click.UsageError("Give the identity by --file or by options.")
    identity, guardian = child
    desk.show(
        ResolveSubjectRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            identity=identity,
            guardian=guardian,
        ),
        ResolveSubjectResponse,
    )


@subject.command("request-hukou")
@click.argument("case_id")
@acts("CASE_OFFICER")
@click.pass_obj
def request_hukou(desk: Desk, case_id: str) -> None:
    """Ask public security for the household registration of a case's child (art. 5.9).

    Example:
      gateway subject request-hukou CASE_ID
    """
    desk.show(
        RequestHukouRequest(
            request_id=desk.request_id, actor_post=desk.actor_post, case_id=case_id
        ),
        RequestHukouResponse,
    )


@subject.command("assert-hukou")
@click.argument("subject_id")
@click.option(
    "--finding", type=EnumChoice(HukouFinding), default="FOUND", help="What public security found."
)
@click.option("--county", default="", help="County, 6 digits; required when found.")
@click.option("--township", default="", help="Township, 9 digits, if known.")
@click.option("--since", type=Day(), default=None, help="Since when, if known.")
@acts("CASE_OFFICER")
@click.pass_obj
def assert_hukou(
    desk: Desk, subject_id: str, finding: int, county: str, township: str, since: str | None
) -> None:
    """Record an answer of public security that came by another way (art. 5.9).

    Example:
      gateway subject assert-hukou TOKEN --county 530627
    """
    desk.show(
        AssertHukouRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subject_id=subject_id,
            finding=HukouFinding.ValueType(finding),
            county=county,
            township=township,
            since=since or "",
        ),
        AssertHukouResponse,
    )


@subject.command("assert-enrolment")
@click.argument("subject_id")
@click.option("--school", required=True, help="School, for example 530102/sch/3153010201.")
@click.option("--grade", type=click.IntRange(1, 9), default=None, help="Grade, if known.")
@click.option("--since", type=Day(), default=None, help="Since when, if known.")
@acts("CASE_OFFICER")
@click.pass_obj
def assert_enrolment(
    desk: Desk, subject_id: str, school: str, grade: int | None, since: str | None
) -> None:
    """Record where the child is enrolled (art. 7).

    Example:
      gateway subject assert-enrolment TOKEN --school 530102/sch/3153010201 --grade 7
    """
    desk.show(
        AssertEnrolmentRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subject_id=subject_id,
            school=school,
            grade=grade or 0,
            since=since or "",
        ),
        AssertEnrolmentResponse,
    )
