"""Requests sent twice, and many records in one stream."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.v1 import absence_pb2, agency_pb2, error_pb2, subject_pb2
from tests.world.clients import completed, refusal_of
from tests.world.estate import POLICE, WUHUA, WUHUA_SCHOOL
from tests.world.inquiry import absence_days
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

REPORT = "AbsenceService/ReportAbsence"


@pytest.mark.fault("M1")
def test_same_request_gives_the_same_bytes(world: RunningProvince, story: Story) -> None:
    """A request repeated with its request_id is answered with the very bytes of the first answer,
    and one report comes of it.
    """
    request = completed(REPORT, story.report(), "").SerializeToString()

    answers = {world.clients.raw(WUHUA_SCHOOL, REPORT, request) for _ in range(3)}

    (answer,) = answers
    report = absence_pb2.ReportAbsenceResponse.FromString(answer).absence
    listed = world.ask(
        WUHUA_SCHOOL, "AbsenceService/ListAbsences", absence_pb2.ListAbsencesRequest(page_size=200)
    ).absences
    assert [a.absence_id for a in listed if a.subject_id == report.subject_id] == [
        report.absence_id
    ]


def test_same_request_id_with_other_content_is_refused(
    world: RunningProvince, story: Story
) -> None:
    """A request_id belongs to its content: with another class it is refused, the field named."""
    request = story.report()
    request.request_id = str(uuid4())
    world.act(WUHUA_SCHOOL, REPORT, request, "HEAD_TEACHER")
    request.class_name = "八(1)班"

    refused = world.refused(WUHUA_SCHOOL, REPORT, request, "HEAD_TEACHER")

    assert (refused.code, refused.reason, refused.field) == (
        grpc.StatusCode.ALREADY_EXISTS,
        Reason.REQUEST_ID_REUSED,
        "request_id",
    )


def test_refusal_is_not_remembered(world: RunningProvince, story: Story) -> None:
    """A refused request may be repeated under its id once it is mended."""
    request = story.report(absence_days([date(2026, 11, 20)]))
    request.request_id = str(uuid4())
    refused = world.refused(WUHUA_SCHOOL, REPORT, request, "HEAD_TEACHER")
    assert refused.reason is Reason.BELOW_THRESHOLD

    mended = story.report()
    mended.request_id = request.request_id
    assert world.act(WUHUA_SCHOOL, REPORT, mended, "HEAD_TEACHER").absence.absence_id


@pytest.mark.parametrize("together", [False, True], ids=["one a message", "many a message"])
def test_stream_answers_each_report_for_itself(
    world: RunningProvince, stories: Callable[[int], list[Story]], together: bool
) -> None:
    """Good and bad reports in one stream: every record has its own answer under its own
    request_id, and a bad one spoils no other.
    """
    good, few, malformed, nobody, last = stories(5)
    reports = [one.report() for one in (good, few, malformed, nobody, last)]
    reports[1] = few.report(absence_days([date(2026, 11, 20)]))
    identity = reports[2].subject.identity
    identity.id_number = identity.id_number[:-1] + ("0" if identity.id_number[-1] != "0" else "1")
    reports[3].actor_post = "MAYOR"
    for report in reports:
        report.request_id = str(uuid4())

    messages = (
        [absence_pb2.ReportAbsencesRequest(reports=reports)]
        if together
        else [absence_pb2.ReportAbsencesRequest(report=report) for report in reports]
    )
    answers = {
        answer.request_id: answer
        for message in world.clients.stream(WUHUA_SCHOOL, "AbsenceService/ReportAbsences", messages)
        for answer in message.answers or [message]
    }

    assert set(answers) == {report.request_id for report in reports}
    results = [answers[report.request_id] for report in reports]
    assert [result.WhichOneof("result") for result in results] == [
        *("accepted", "refused", "refused", "refused", "accepted")
    ]
    refusals = [result.refused for result in results[1:4]]
    assert [error_pb2.ErrorReason.Name(refusal.reason) for refusal in refusals] == [
        "ERROR_REASON_BELOW_THRESHOLD",
        "ERROR_REASON_MALFORMED_ID_NUMBER",
        "ERROR_REASON_WRONG_POST",
    ]
    for refusal in refusals:
        assert refusal.message
        assert refusal.advice
        assert not world.disclosed(str(refusal))
    for result in (results[0], results[4]):
        absence_id = result.accepted.absence.absence_id
        eventually(
            lambda absence_id=absence_id: world.look(  # type: ignore[misc]
                WUHUA, lambda work: work.absences.get(WUHUA, absence_id)
            ),
            "the report at the bureau",
        )


def test_a_message_of_too_many_records_is_refused(world: RunningProvince) -> None:
    """More than a hundred records in one message end the call, and say why."""
    reports = [absence_pb2.ReportAbsenceRequest()] * 101
    many = absence_pb2.ReportAbsencesRequest(reports=reports)
    with pytest.raises(grpc.RpcError) as caught:
        list(world.clients.stream(WUHUA_SCHOOL, "AbsenceService/ReportAbsences", [many]))
    refused = refusal_of(caught.value)
    assert (refused.reason, refused.field) == (Reason.INVALID_FIELD, "reports")


def test_pushed_facts_are_taken_once(world: RunningProvince, story: Story) -> None:
    """An agency's record pushed twice is known the second time; one that fails spoils no other."""
    story.confirmed()
    listing = agency_pb2.ListExchangesRequest(page_size=200)
    exchange = eventually(
        lambda: next(
            (
                found
                for found in world.ask(POLICE, "AgencyService/ListExchanges", listing).exchanges
                if found.case_id == story.case_id
            ),
            None,
        ),
        "the hukou query",
    )
    story.hukou("530681")
    fact = agency_pb2.AgencyFact(record_key="other", exchange_id=str(uuid4()))
    fact.hukou.hukou.finding = subject_pb2.HUKOU_FINDING_FOUND
    fact.hukou.hukou.county = "530681"
    fact.hukou.hukou.snapshot_at.FromDatetime(world.clock.now())
    again = agency_pb2.AgencyFact()
    again.CopyFrom(fact)
    again.exchange_id, again.record_key = exchange.exchange_id, "once more"
    pushes = [
        agency_pb2.PushFactsRequest(request_id=str(uuid4()), actor_post="AGENCY_OFFICER", fact=one)
        for one in (fact, again)
    ]

    answers = {
        answer.request_id: answer
        for answer in world.clients.stream(POLICE, "AgencyService/PushFacts", pushes)
    }

    unknown, repeated = (answers[push.request_id] for push in pushes)
    assert unknown.refused.reason == error_pb2.ERROR_REASON_NOT_FOUND
    assert repeated.taken.event_id
    asserted = [fact for fact in story.facts(WUHUA) if fact == "HUKOU_ASSERTED"]
    assert len(asserted) == 1
