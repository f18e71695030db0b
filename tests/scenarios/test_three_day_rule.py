"""Art. 4 and 7: three school days without a valid reason, and who gets to know of them."""

from datetime import date

import grpc
from sqlalchemy import select

from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.v1 import absence_pb2
from tests.world.estate import (
    PLATFORM,
    SHUIFU,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
)
from tests.world.inquiry import SICK_LEAVE, WEDNESDAY_TO_FRIDAY, absence_days
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

THURSDAY, FRIDAY, MONDAY = (date(2026, 11, day) for day in (19, 20, 23))


def has_report(world: RunningProvince, org: OrgId, absence_id: str) -> bool:
    """Whether the organisation has the report."""
    return world.look(org, lambda work: work.absences.get(org, absence_id)) is not None


def addressees(world: RunningProvince, event_id: str) -> set[str]:
    """To whom the event goes, as the outbox of the node in 五华区 has it."""
    deliveries = tables.deliveries
    with world.engine("wuhua").connect().execution_options(reading=True) as connection:
        rows = connection.execute(
            select(deliveries.c.receiver).where(deliveries.c.event_id == event_id)
        )
        return {row.receiver for row in rows}


def test_third_absent_day_reaches_bureau_and_township(world: RunningProvince, story: Story) -> None:
    """Scenario 1.

    Given a pupil absent on Wednesday, Thursday and Friday, 18 to 20 November, with no reason;
    when the school calls ReportAbsence;
    then the report counts three school days and goes to the bureau and the township of the
    school and to the assistance platform, to nobody of another county.
    """
    answer = story.reported()

    assert list(answer.absence.counted_days) == [str(day) for day in WEDNESDAY_TO_FRIDAY]
    for org in (WUHUA, WUHUA_TOWNSHIP):
        eventually(lambda org=org: has_report(world, org, story.absence_id), f"report at {org}")  # type: ignore[misc]
    assert addressees(world, answer.event_id) == {str(WUHUA), str(WUHUA_TOWNSHIP), str(PLATFORM)}
    for stranger in (ZHENXIONG, SHUIFU):
        assert not has_report(world, stranger, story.absence_id)


def test_weekend_and_sick_leave_do_not_count(world: RunningProvince, story: Story) -> None:
    """Scenario 2.

    Given a pupil absent on Thursday, Friday and Monday, two of these days on approved sick leave;
    when the school reports three days; then it is refused with the days counted and why the
    others were not; and when the sick note is withdrawn the report is taken with three school
    days, the weekend between them not counted.
    """
    saturday, sunday = date(2026, 11, 21), date(2026, 11, 22)
    with_note = story.report(
        [
            *absence_days((THURSDAY, FRIDAY), SICK_LEAVE),
            *absence_days((saturday, sunday, MONDAY)),
        ]
    )
    refused = world.refused(WUHUA_SCHOOL, "AbsenceService/ReportAbsence", with_note, "HEAD_TEACHER")

    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.BELOW_THRESHOLD,
    )
    assert refused.field == "days"
    assert refused.facts["threshold"] == "3"
    assert refused.facts["counted"] == "2026-11-23"
    assert dict(entry.split("=") for entry in refused.facts["not_counted"].split(",")) == {
        "2026-11-19": "EXCUSED",
        "2026-11-20": "EXCUSED",
        "2026-11-21": "NOT_A_SCHOOL_DAY",
        "2026-11-22": "NOT_A_SCHOOL_DAY",
    }

    withdrawn = story.report(absence_days((THURSDAY, FRIDAY, MONDAY)))
    answer: absence_pb2.ReportAbsenceResponse = world.act(
        WUHUA_SCHOOL, "AbsenceService/ReportAbsence", withdrawn, "HEAD_TEACHER"
    )
    assert list(answer.absence.counted_days) == ["2026-11-19", "2026-11-20", "2026-11-23"]


def test_both_bureau_and_township_must_have_the_submission(
    world: RunningProvince, story: Story
) -> None:
    """Scenario 3.

    Given a verified suspected dropout; when the principal submits it to the bureau only, then the
    case stays SUSPECTED and says that the township is missing, at the school and at the bureau;
    when the township has its copy, then both see VERIFYING.
    """
    story.reported()

    submitted = story.submitted([WUHUA])
    assert submitted.state == story.seen_by(WUHUA, "SUSPECTED").state
    assert list(submitted.missing_recipients) == ["TWN"]
    assert list(story.case(WUHUA).missing_recipients) == ["TWN"]
    assert not story.knows(WUHUA_TOWNSHIP)

    story.submitted([WUHUA_TOWNSHIP])
    for org in (WUHUA_SCHOOL, WUHUA, WUHUA_TOWNSHIP):
        assert not story.seen_by(org, "VERIFYING").missing_recipients
