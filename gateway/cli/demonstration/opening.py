"""The chapters that every child's story begins with: from the third absent day to who must act."""

from dataclasses import dataclass

from adapters.reference.people import Child
from gateway.cli.demonstration.cast import (
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
    Cast,
)
from gateway.cli.demonstration.lines import Said, term_of
from gateway.cli.demonstration.sights import entry_of, of_case, told_of_entry
from gateway.cli.demonstration.stage import Stage
from gateway.cli.estate_plan import PLATFORM, POLICE
from gateway.v1 import absence_pb2, case_pb2, event_pb2, jurisdiction_pb2, subject_pb2
from gateway.v1.agency_pb2 import PLATFORM_MATTER_ABSENCE


@dataclass(frozen=True)
class Expected:
    """What a child's whereabouts lead to: a row of the table, and a letter."""

    whereabouts: case_pb2.WhereaboutsKind.ValueType
    row: str
    letter: jurisdiction_pb2.LetterKind.ValueType


def suspected(stage: Stage, cast: Cast, child: Child) -> str:
    """The school reports the third absent day, the principal submits; return the case."""
    days = [str(day) for day in cast.days.absent]
    report = stage.act(
        WUHUA_SCHOOL,
        "HEAD_TEACHER",
        absence_pb2.ReportAbsenceRequest(
            subject=subject_pb2.SubjectReference(
                identity=subject_pb2.PersonIdentity(
                    name=child.name,
                    id_number=child.id_number,
                    enrolment_number=child.enrolment_number,
                )
            ),
            guardian=subject_pb2.GuardianContact(
                name=child.guardian_name,
                phone=child.guardian_phone.replace("-", ""),
                relation=child.guardian_relation,
            ),
            class_name="七(3)班",
            grade=7,
            days=[
                absence_pb2.AbsenceDay(date=day, kind=absence_pb2.ABSENCE_KIND_UNEXCUSED)
                for day in days
            ],
            reason=absence_pb2.DROPOUT_REASON_LEARNING_DIFFICULTY,
        ),
        absence_pb2.ReportAbsenceResponse,
    ).absence
    stage.require(list(report.counted_days) == days, "all three school days count")
    who = _masked(stage, report.subject_id)
    stage.see(
        event_pb2.EVENT_TYPE_ABSENCE_REPORTED,
        lambda event: event.absence_reported.absence_id == report.absence_id,
        (WUHUA, WUHUA_TOWNSHIP, PLATFORM),
        Said(f"{who}: absent on {', '.join(days)}", f"{who}:{'、'.join(days)} 未到校"),
    )
    entered = stage.see(
        event_pb2.EVENT_TYPE_PLATFORM_ENTRY_RECORDED,
        entry_of(PLATFORM_MATTER_ABSENCE, report.absence_id),
        (WUHUA_SCHOOL,),
        told_of_entry,
    ).platform_entry_recorded
    held = stage.ask(
        WUHUA_SCHOOL,
        absence_pb2.GetAbsenceRequest(absence_id=report.absence_id),
        absence_pb2.GetAbsenceResponse,
    ).absence
    stage.require(
        held.platform_entry_no == entered.entry_no != "",
        "the school's report carries the platform's entry number",
    )
    return _submitted(stage, report.absence_id, entered.entry_no)


def confirmed(stage: Stage, case_id: str) -> None:
    """The bureau confirms; public security answers where the household is registered."""
    version = stage.case(WUHUA, case_id).version
    query = stage.act(
        WUHUA,
        "CASE_OFFICER",
        case_pb2.ConfirmDropoutRequest(
            case_id=case_id, version=version, criteria="家访联系后仍未到校"
        ),
        case_pb2.ConfirmDropoutResponse,
    ).hukou_query_id
    stage.see(
        event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED,
        of_case(case_id),
        (WUHUA_SCHOOL, WUHUA_TOWNSHIP),
        Said("The bureau holds the first title of the case", "区教育体育局为首任持案机构"),
    )
    hukou(stage, case_id, query, ZHENXIONG.division)


def hukou(stage: Stage, case_id: str, query_id: str, county: str) -> None:
    """Public security is asked and answers with the county."""
    stage.see(
        event_pb2.EVENT_TYPE_HUKOU_QUERIED,
        lambda event: event.hukou_queried.query_id == query_id,
        (POLICE,),
        Said("Identity sealed to public security alone", "身份信息仅对公安加封"),
    )
    stage.see(
        event_pb2.EVENT_TYPE_HUKOU_ASSERTED,
        lambda event: event.hukou_asserted.query_id == query_id,
        (WUHUA,),
        Said(f"From the household register: {county}", f"户籍登记所在县区:{county}"),
    )
    stage.require(
        stage.case(WUHUA, case_id).hukou_county == county, f"the case shows the county {county}"
    )


def responsible(stage: Stage, case_id: str, expected: Expected) -> None:
    """Whereabouts are recorded, and the table says who is responsible."""
    stage.act(
        WUHUA,
        "CASE_OFFICER",
        case_pb2.RecordWhereaboutsRequest(
            case_id=case_id,
            whereabouts=case_pb2.Whereabouts(kind=expected.whereabouts, basis="电话核实"),
        ),
        case_pb2.RecordWhereaboutsResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_WHEREABOUTS_RECORDED,
        of_case(case_id),
        (WUHUA_SCHOOL,),
        term_of(case_pb2.WhereaboutsKind.Name(expected.whereabouts)),
    )
    decision = stage.act(
        WUHUA,
        "CASE_OFFICER",
        jurisdiction_pb2.DetermineRequest(
            case_id=case_id, version=stage.case(WUHUA, case_id).version
        ),
        jurisdiction_pb2.DetermineResponse,
    ).decision
    stage.require(decision.row == expected.row, f"row {expected.row} of the table applies")
    stage.see(
        event_pb2.EVENT_TYPE_JURISDICTION_DETERMINED,
        of_case(case_id),
        (WUHUA_SCHOOL, WUHUA_TOWNSHIP),
        Said(
            f"{decision.row}: {decision.explanation}", f"{decision.row}:{decision.explanation_zh}"
        ),
    )


def _submitted(stage: Stage, absence_id: str, entry_no: str) -> str:
    """The principal submits to bureau and township (art. 7); return the case."""
    case_id = stage.act(
        WUHUA_SCHOOL,
        "PRINCIPAL",
        case_pb2.SubmitSuspectedDropoutRequest(
            absence_id=absence_id,
            recipients=[str(WUHUA), str(WUHUA_TOWNSHIP)],
            verified_on_platform=True,
        ),
        case_pb2.SubmitSuspectedDropoutResponse,
    ).case.case_id
    stage.see(
        event_pb2.EVENT_TYPE_SUSPECTED_DROPOUT_SUBMITTED,
        of_case(case_id),
        (WUHUA, WUHUA_TOWNSHIP),
        Said(f"Verified on the platform: {entry_no}", f"已在平台核证:{entry_no}"),
    )
    return case_id


def _masked(stage: Stage, subject_id: str) -> str:
    """Return the child as the gateway shows it without a purpose."""
    subject = stage.ask(
        WUHUA_SCHOOL,
        subject_pb2.GetSubjectRequest(subject_id=subject_id),
        subject_pb2.GetSubjectResponse,
    ).subject
    stage.require(subject.masked, "identity comes masked without a purpose")
    return f"{subject.identity.name} {subject.identity.id_number}"
