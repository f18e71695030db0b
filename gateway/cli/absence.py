"""`gateway absence`: reports of three and more school days without a valid reason (art. 4, 7)."""

import click

from gateway.cli.absence_batch import report_batch
from gateway.cli.child import child_of, identity_options
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.parameters import EnumChoice, FreeText, MarkedDay, limit_option
from gateway.v1.absence_pb2 import (
    AbsenceDay,
    AbsenceState,
    DropoutReason,
    GetAbsenceRequest,
    GetAbsenceResponse,
    ListAbsencesRequest,
    ListAbsencesResponse,
    ReportAbsenceRequest,
    ReportAbsenceResponse,
)
from gateway.v1.subject_pb2 import SubjectReference

COLUMNS = (
    "absence_id",
    "state",
    "school",
    "class_name",
    "counted_days",
    "reason",
    "platform_entry_no",
    "recorded_at",
)


@click.group(cls=ClientGroup)
def absence() -> None:
    """Report and read absences of three school days and more (art. 7).

    Example:
      gateway absence list --state REPORTED
    """


@absence.command("report")
@click.option("--subject", metavar="TOKEN", help="Token of a child that is known already.")
@identity_options
@click.option("--day", "days", type=MarkedDay(), multiple=True, help="One day; repeat it.")
@click.option("--class", "class_name", default="", help="Class in the school's own words.")
@click.option("--grade", type=click.IntRange(1, 9), metavar="N", help="Grade, 1-9.")
@click.option("--reason", type=EnumChoice(DropoutReason), default=0, help="As far as known.")
@click.option("--remark", type=FreeText(), default="", help="Remark, @FILE or @-.")
@click.option("--batch", metavar="FILE", help="JSON lines, one report each; - for standard input.")
@acts("HEAD_TEACHER")
@click.pass_obj
def report(
    desk: Desk,
    subject: str | None,
    file: str | None,
    name: str | None,
    id_number: str | None,
    enrolment_number: str | None,
    birth_date: str | None,
    days: tuple[AbsenceDay, ...],
    class_name: str,
    grade: int | None,
    reason: DropoutReason.ValueType,
    remark: str,
    batch: str | None,
) -> None:
    r"""Report one child, or a batch with an answer for each line.

    Say who the child is with --file rather than by options, so that no name or number stands in
    the history of the shell. A day's mark is UNEXCUSED unless it says otherwise. A line of a batch
    is a ReportAbsenceRequest in JSON; request_id and actor_post are filled in where missing.

    Example:
      gateway absence report --file child.json --class '七(3)班' --grade 7 \
        --day 2026-11-16 --day 2026-11-17:SICK_LEAVE --day 2026-11-18 --day 2026-11-19
      gateway absence report --batch absences.jsonl --json
    """
    child = child_of(file, name, id_number, enrolment_number, birth_date)
    if batch is not None:
        if subject or child or days:
            raise click.UsageError("A batch names its children and days itself.")
        report_batch(desk, batch)
        return
    if (subject is None) == (child is None):
        raise click.UsageError("Name the child by --subject, or by --file or identity options.")
    if not days:
        raise click.UsageError("Name the days of absence, each with --day.")
    identity, guardian = child or (None, None)
    reference = (
        SubjectReference(identity=identity)
        if subject is None
        else SubjectReference(subject_id=subject)
    )
    desk.show(
        ReportAbsenceRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subject=reference,
            guardian=guardian,
            class_name=class_name,
            grade=grade or 0,
            days=days,
            reason=reason,
            remark=remark,
        ),
        ReportAbsenceResponse,
    )


@absence.command("show")
@click.argument("absence_id")
@click.pass_obj
def show(desk: Desk, absence_id: str) -> None:
    """Show one report.

    Example:
      gateway absence show 01990000-0000-7000-8000-000000000001
    """
    desk.show(GetAbsenceRequest(absence_id=absence_id), GetAbsenceResponse)


@absence.command("list")
@click.option("--state", type=EnumChoice(AbsenceState), default=0, help="Only in this state.")
@limit_option
@click.pass_obj
def list_absences(desk: Desk, state: AbsenceState.ValueType, limit: int) -> None:
    """List the reports made or received, newest first.

    Example:
      gateway absence list --state UNDER_FOLLOW_UP --limit 20
    """
    desk.show_list(
        lambda size, token: desk.call(
            ListAbsencesRequest(page_size=size, page_token=token, state=state),
            ListAbsencesResponse,
        ),
        lambda page: page.absences,
        COLUMNS,
        limit,
    )
