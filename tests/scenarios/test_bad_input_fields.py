"""Requests that are wrong in themselves: each field refused with its own reason and named."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.v1 import absence_pb2, case_pb2, division_pb2, letter_pb2, retrieval_pb2
from tests.world.clients import refusal_of
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL
from tests.world.inquiry import SICK_LEAVE, UNEXCUSED, WEDNESDAY_TO_FRIDAY, absence_days
from tests.world.running import RunningProvince
from tests.world.story import NOTIFICATION, Story

INVALID = grpc.StatusCode.INVALID_ARGUMENT
REPORT = "AbsenceService/ReportAbsence"
Spoil = Callable[[absence_pb2.ReportAbsenceRequest], None]


@dataclass(frozen=True)
class Flaw:
    """What is spoilt in a good report, and how it is refused."""

    spoil: Spoil
    reason: Reason
    field: str


def _id_number(value: str) -> Spoil:
    def spoil(report: absence_pb2.ReportAbsenceRequest) -> None:
        report.subject.identity.id_number = value

    return spoil


def _wrong_check_digit(report: absence_pb2.ReportAbsenceRequest) -> None:
    identity = report.subject.identity
    identity.id_number = identity.id_number[:-1] + ("1" if identity.id_number[-1] == "0" else "0")


def _enrolment_number(value: str) -> Spoil:
    def spoil(report: absence_pb2.ReportAbsenceRequest) -> None:
        report.subject.identity.enrolment_number = value

    return spoil


def _two_kinds_on_one_day(report: absence_pb2.ReportAbsenceRequest) -> None:
    report.days.extend(absence_days(WEDNESDAY_TO_FRIDAY[:1], SICK_LEAVE))


def _days(*days: absence_pb2.AbsenceDay) -> Spoil:
    def spoil(report: absence_pb2.ReportAbsenceRequest) -> None:
        del report.days[:]
        report.days.extend(days)

    return spoil


def _cleared(name: str) -> Spoil:
    return lambda report: report.ClearField(name)  # type: ignore[arg-type]


def _set(name: str, value: object) -> Spoil:
    return lambda report: setattr(report, name, value)


IDENTITY = "identity.id_number"
ENROLMENT = "identity.enrolment_number"
FLAWS = {
    "check digit": Flaw(_wrong_check_digit, Reason.MALFORMED_ID_NUMBER, IDENTITY),
    "too short": Flaw(_id_number("53052220180315901"), Reason.MALFORMED_ID_NUMBER, IDENTITY),
    "letters": Flaw(_id_number("53052220180315901A"), Reason.MALFORMED_ID_NUMBER, IDENTITY),
    "no such day": Flaw(_id_number("530522201813159016"), Reason.MALFORMED_ID_NUMBER, IDENTITY),
    "enrolment letter": Flaw(
        _enrolment_number("Q530522201803159016"), Reason.MALFORMED_ENROLMENT_NUMBER, ENROLMENT
    ),
    "enrolment length": Flaw(
        _enrolment_number("G5305222018031590"), Reason.MALFORMED_ENROLMENT_NUMBER, ENROLMENT
    ),
    "two kinds": Flaw(_two_kinds_on_one_day, Reason.MALFORMED_ABSENCE, "days"),
    "no days": Flaw(_days(), Reason.MISSING_FIELD, "days"),
    "no date": Flaw(
        _days(absence_pb2.AbsenceDay(date="20 Nov", kind=UNEXCUSED)),
        Reason.INVALID_FIELD,
        "days[0].date",
    ),
    "no kind": Flaw(
        _days(absence_pb2.AbsenceDay(date="2026-11-20")), Reason.MISSING_FIELD, "days[0].kind"
    ),
    "nobody": Flaw(_cleared("subject"), Reason.MISSING_FIELD, "subject"),
    "grade": Flaw(_set("grade", 13), Reason.INVALID_FIELD, "grade"),
    "long class": Flaw(_set("class_name", "七" * 41), Reason.INVALID_FIELD, "class_name"),
    "hidden signs": Flaw(_set("remark", "早退\u202e"), Reason.INVALID_FIELD, "remark"),
    "request id": Flaw(_set("request_id", "one"), Reason.INVALID_FIELD, "request_id"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_report_with_one_flaw(world: RunningProvince, name: str) -> None:
    """A good report with one thing wrong is refused for that thing; nothing is recorded."""
    flaw, story = FLAWS[name], Story(world)
    report = story.report()
    flaw.spoil(report)

    refused = world.refused(WUHUA_SCHOOL, REPORT, report, "HEAD_TEACHER")

    assert (refused.code, refused.reason) == (INVALID, flaw.reason)
    assert refused.field == flaw.field
    identity = report.subject.identity
    for number in filter(None, (identity.id_number, identity.enrolment_number)):
        assert number not in repr(refused)
    assert story.reported().absence.absence_id, "the report without its flaw is taken"


def test_days_below_the_threshold(world: RunningProvince, story: Story) -> None:
    """Two days do not make the report due: BELOW_THRESHOLD with the days that count."""
    two = story.report(absence_days([date(2026, 11, 19), date(2026, 11, 20)]))
    refused = world.refused(WUHUA_SCHOOL, REPORT, two, "HEAD_TEACHER")
    assert refused.reason is Reason.BELOW_THRESHOLD
    assert refused.facts["counted"] == "2026-11-19,2026-11-20"


@pytest.mark.parametrize(
    ("code", "reason", "facts"),
    [
        ("530999", Reason.UNKNOWN_DIVISION, {}),
        ("530522", Reason.RETIRED_DIVISION, {"successor": "530581"}),
    ],
)
def test_division_code_that_is_not_valid(
    world: RunningProvince, story: Story, code: str, reason: Reason, facts: dict[str, str]
) -> None:
    """An unknown code is refused; a retired one too, and the answer names its successor (C.5)."""
    story.handed_over(SHUIFU)
    township = f"{code}001/twn"
    whereabouts = case_pb2.Whereabouts(
        kind=case_pb2.WHEREABOUTS_KIND_OTHER_COUNTY_YN, division=code
    )
    for org, method, request, field in (
        (
            WUHUA,
            "LetterService/CreateDraft",
            letter_pb2.CreateDraftRequest(
                kind=NOTIFICATION, recipient=f"{code}/edu", case_ids=[story.case_id]
            ),
            "recipient",
        ),
        (
            WUHUA,
            "CaseService/RecordWhereabouts",
            case_pb2.RecordWhereaboutsRequest(case_id=story.case_id, whereabouts=whereabouts),
            "whereabouts.division",
        ),
        (
            SHUIFU,
            "RetrievalService/IssueOrder",
            retrieval_pb2.IssueOrderRequest(
                case_id=story.case_id, version=story.case(SHUIFU).version, township=township
            ),
            "township",
        ),
    ):
        refused = world.refused(org, method, request)
        assert (refused.code, refused.field) == (INVALID, field)
        if field != "township":
            assert refused.reason is reason
            assert facts.items() <= refused.facts.items()
        else:  # which of its townships is meant, the county's successor does not tell
            assert refused.reason in {Reason.UNKNOWN_DIVISION, Reason.RETIRED_DIVISION}


def test_retired_code_still_resolves(world: RunningProvince) -> None:
    """A retired code routes nothing, but it is explained for ever."""
    answer = world.ask(
        WUHUA, "DivisionService/ResolveDivision", division_pb2.ResolveDivisionRequest(code="530522")
    )
    assert not answer.current
    assert [division.code for division in answer.successors] == ["530581"]
    refused = world.refused(
        WUHUA, "DivisionService/ResolveDivision", division_pb2.ResolveDivisionRequest(code="539999")
    )
    assert refused.reason is Reason.UNKNOWN_DIVISION


@pytest.mark.parametrize("text", ["530627", "530627/xyz", "edu/530627", "530627/edu/9"])
def test_organisation_out_of_form(world: RunningProvince, story: Story, text: str) -> None:
    """What is no organisation code: MALFORMED_ORGANISATION."""
    story.due("530627")
    draft = letter_pb2.CreateDraftRequest(
        kind=NOTIFICATION, recipient=text, case_ids=[story.case_id]
    )
    refused = world.refused(WUHUA, "LetterService/CreateDraft", draft)
    assert (refused.code, refused.reason, refused.field) == (
        INVALID,
        Reason.MALFORMED_ORGANISATION,
        "recipient",
    )


def test_organisation_that_takes_no_part(world: RunningProvince, story: Story) -> None:
    """A good code of a county that has not joined: UNKNOWN_ORGANISATION."""
    story.due("530627")
    draft = letter_pb2.CreateDraftRequest(
        kind=NOTIFICATION, recipient="530629/edu", case_ids=[story.case_id]
    )
    refused = world.refused(WUHUA, "LetterService/CreateDraft", draft)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.NOT_FOUND,
        Reason.UNKNOWN_ORGANISATION,
    )


@pytest.mark.fault("M9")
def test_request_that_is_too_large(world: RunningProvince, story: Story) -> None:
    """More than one MiB: TOO_LARGE, and the connection goes on."""
    report = story.report()
    report.remark = "缺" * 400_000
    with pytest.raises(grpc.RpcError) as caught:
        world.clients.raw(WUHUA_SCHOOL, REPORT, report.SerializeToString())
    refused = refusal_of(caught.value)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.TOO_LARGE,
    )
    with pytest.raises(grpc.RpcError) as caught:
        world.clients.raw(WUHUA_SCHOOL, REPORT, bytes(6 * 1024 * 1024))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert story.reported().absence.absence_id


@pytest.mark.fault("M8")
@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\xff\x01", b"\x0a\x02\xc3\x28"])
def test_bytes_that_are_no_request(world: RunningProvince, data: bytes) -> None:
    """Bytes that do not parse, text that is no UTF-8 among them: MALFORMED_REQUEST."""
    with pytest.raises(grpc.RpcError) as caught:
        world.clients.raw(WUHUA_SCHOOL, REPORT, data)
    refused = refusal_of(caught.value)
    assert (refused.code, refused.reason) == (INVALID, Reason.MALFORMED_REQUEST)
