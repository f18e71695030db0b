"""Acts at the wrong time: versions, states, order of steps, letters that are not due."""

import grpc

from gateway.domain.errors import Reason
from gateway.v1 import case_pb2, jurisdiction_pb2, letter_pb2, retrieval_pb2
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.running import RunningProvince
from tests.world.story import HANDOVER, NOTIFICATION, Story

STATE = grpc.StatusCode.FAILED_PRECONDITION
TOWNSHIP = "TOWNSHIP_OFFICER"


def confirm(story: Story, version: int) -> case_pb2.ConfirmDropoutRequest:
    """A request to confirm the dropout as seen at a version."""
    return case_pb2.ConfirmDropoutRequest(
        case_id=story.case_id, version=version, criteria="家访联系后仍未到校"
    )


def test_stale_version(story: Story) -> None:
    """An act on what was seen before it changed: STALE_VERSION with the present version."""
    story.confirmed()
    case = story.case()
    stale = jurisdiction_pb2.DetermineRequest(case_id=story.case_id, version=case.version - 1)
    refused = story.refused(WUHUA, "JurisdictionService/Determine", stale)
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, Reason.STALE_VERSION)
    assert refused.facts == {"version": str(case.version)}
    assert story.case() == case


def test_illegal_transition(story: Story) -> None:
    """A case is confirmed once: ILLEGAL_TRANSITION names the state it is in."""
    case = story.confirmed()
    refused = story.refused(
        WUHUA, "CaseService/ConfirmDropout", confirm(story, story.case().version)
    )
    assert (refused.code, refused.reason) == (STATE, Reason.ILLEGAL_TRANSITION)
    assert "CONFIRMED" in f"{refused.message}{refused.facts}"
    assert story.case().state == case.state


def test_suspicion_is_not_confirmed_before_both_know(story: Story) -> None:
    """Art. 7: without the township's copy the bureau cannot confirm."""
    story.reported()
    story.submitted([WUHUA])
    refused = story.refused(
        WUHUA, "CaseService/ConfirmDropout", confirm(story, story.case().version)
    )
    assert refused.reason is Reason.ILLEGAL_TRANSITION


def test_second_report_while_the_first_is_open(world: RunningProvince, story: Story) -> None:
    """B05: one open report for a child: CASE_EXISTS, and which it is."""
    story.reported()
    refused = world.refused(
        WUHUA_SCHOOL, "AbsenceService/ReportAbsence", story.report(), "HEAD_TEACHER"
    )
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.ALREADY_EXISTS,
        Reason.CASE_EXISTS,
    )
    assert refused.facts == {"absence_id": story.absence_id}


def test_identifiers_of_two_children(world: RunningProvince, story: Story) -> None:
    """The identity number of one child with the enrolment number of another: a conflict."""
    other = Story(world)
    story.reported()
    other.reported()
    report = story.report()
    report.subject.identity.enrolment_number = other.child.enrolment_number
    refused = world.refused(WUHUA_SCHOOL, "AbsenceService/ReportAbsence", report, "HEAD_TEACHER")
    assert (refused.code, refused.reason) == (STATE, Reason.IDENTITY_CONFLICT)


def test_determining_needs_both_answers(story: Story) -> None:
    """First HUKOU_UNKNOWN, then WHEREABOUTS_UNKNOWN: what is missing is said in turn."""
    story.confirmed()
    method = "JurisdictionService/Determine"
    refused = story.refused(WUHUA, method, story.determine_request())
    assert (refused.code, refused.reason) == (STATE, Reason.HUKOU_UNKNOWN)
    story.hukou("530681")
    refused = story.refused(WUHUA, method, story.determine_request())
    assert (refused.code, refused.reason) == (STATE, Reason.WHEREABOUTS_UNKNOWN)
    story.whereabouts(case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
    assert story.determined().row == "J3"


def test_letter_that_is_not_due(story: Story) -> None:
    """Before the decision no letter is due; after it only those it names, of kinds in use."""
    story.confirmed()
    draft = letter_pb2.CreateDraftRequest(
        kind=HANDOVER, recipient=str(ZHENXIONG), case_ids=[story.case_id]
    )
    early = story.refused(WUHUA, "LetterService/CreateDraft", draft)
    assert (early.code, early.reason) == (STATE, Reason.LETTER_NOT_DUE)

    story.hukou("530681")
    story.whereabouts(case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
    story.determined()
    wrong = story.refused(WUHUA, "LetterService/CreateDraft", _again(draft))
    assert wrong.reason is Reason.LETTER_NOT_DUE
    assert wrong.facts == {"row": "J3", "due": f"HANDOVER>{SHUIFU}"}

    other = _again(draft)
    other.kind = jurisdiction_pb2.LETTER_KIND_ASSISTANCE
    unused = story.refused(WUHUA, "LetterService/CreateDraft", other)
    assert (unused.reason, unused.field) == (Reason.WRONG_LETTER_KIND, "kind")


def _again(draft: letter_pb2.CreateDraftRequest) -> letter_pb2.CreateDraftRequest:
    fresh = letter_pb2.CreateDraftRequest()
    fresh.CopyFrom(draft)
    fresh.request_id = ""
    return fresh


def test_answers_that_do_not_fit_the_letter(world: RunningProvince, story: Story) -> None:
    """A letter is registered before it is answered; a notification is noted, never accepted; and
    its sender does not answer it.
    """
    story.due("530681", case_pb2.WHEREABOUTS_KIND_IN_ENROLMENT_COUNTY)
    story.dispatched(SHUIFU, NOTIFICATION)
    story.letter(SHUIFU, "DELIVERED")
    note = letter_pb2.NoteLetterRequest(letter_id=story.letter_id)
    refused = story.refused(SHUIFU, "LetterService/NoteLetter", note)
    assert (refused.code, refused.reason) == (STATE, Reason.ILLEGAL_TRANSITION)

    story.registered(SHUIFU)
    accept = letter_pb2.AcceptLinesRequest(letter_id=story.letter_id)
    refused = story.refused(SHUIFU, "LetterService/AcceptLines", accept)
    assert (refused.code, refused.reason) == (STATE, Reason.WRONG_LETTER_KIND)

    refused = story.refused(
        WUHUA, "LetterService/NoteLetter", letter_pb2.NoteLetterRequest(letter_id=story.letter_id)
    )
    assert refused.reason is Reason.WRONG_JURISDICTION


def test_order_needs_the_confirmed_body(story: Story) -> None:
    """Art. 8: first the body is confirmed, then the order is issued."""
    story.handed_over(ZHENXIONG)
    request = story.order_request(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    refused = story.refused(ZHENXIONG, "RetrievalService/IssueOrder", request)
    assert (refused.code, refused.reason) == (STATE, Reason.BODY_NOT_CONFIRMED)


def test_former_holder_does_nothing_more(story: Story) -> None:
    """After the hand-over the former holder only reads: NOT_HOLDER for every act."""
    story.handed_over(ZHENXIONG)
    story.seen_by(WUHUA, "ASSIGNED")
    version = story.case(WUHUA).version
    for method, request in (
        ("JurisdictionService/Determine", story.determine_request()),
        (
            "RetrievalService/ConfirmBody",
            retrieval_pb2.ConfirmBodyRequest(case_id=story.case_id, version=version),
        ),
        (
            "LetterService/CreateDraft",
            letter_pb2.CreateDraftRequest(
                kind=HANDOVER, recipient=str(ZHENXIONG), case_ids=[story.case_id]
            ),
        ),
    ):
        refused = story.refused(WUHUA, method, request)
        assert (refused.code, refused.reason) == (
            grpc.StatusCode.PERMISSION_DENIED,
            Reason.NOT_HOLDER,
        )
        assert refused.facts == {"holder": str(ZHENXIONG)}


def test_four_steps_in_their_order(world: RunningProvince, story: Story) -> None:
    """Art. 8: a penalty before education is out of order; a penalty names its law; and the
    respondent is the guardian, never the child.
    """
    story.handed_over(ZHENXIONG)
    order = story.ordered(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    story.seen_by(ZHENXIONG_TOWNSHIP, "IN_RETRIEVAL")
    world.act(
        ZHENXIONG_TOWNSHIP,
        "RetrievalService/AcknowledgeOrder",
        retrieval_pb2.AcknowledgeOrderRequest(order_id=order.order_id),
        TOWNSHIP,
    )

    def step(number: int, **fields: object) -> retrieval_pb2.RecordStepRequest:
        record = retrieval_pb2.StepRecord(
            step=number,  # type: ignore[arg-type]
            outcome=retrieval_pb2.STEP_OUTCOME_INEFFECTIVE,
            date="2026-11-23",
            service=retrieval_pb2.SERVICE_METHOD_IN_PERSON,
            document_no="乌峰责改〔2026〕1号",
            **fields,  # type: ignore[arg-type]
        )
        return retrieval_pb2.RecordStepRequest(order_id=order.order_id, step=record)

    method, penalty = "RetrievalService/RecordStep", retrieval_pb2.RETRIEVAL_STEP_ADMIN_PENALTY
    early = world.refused(ZHENXIONG_TOWNSHIP, method, step(penalty), TOWNSHIP)
    assert (early.code, early.reason) == (STATE, Reason.STEP_OUT_OF_ORDER)
    assert early.facts == {"due": "EDUCATION"}
    child = world.refused(
        ZHENXIONG_TOWNSHIP,
        method,
        step(retrieval_pb2.RETRIEVAL_STEP_EDUCATION, respondent=retrieval_pb2.RESPONDENT_CHILD),
        TOWNSHIP,
    )
    assert child.reason is Reason.RESPONDENT_NOT_GUARDIAN
    for number in (
        retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
        retrieval_pb2.RETRIEVAL_STEP_ORDER_TO_CORRECT,
    ):
        world.act(ZHENXIONG_TOWNSHIP, method, step(number), TOWNSHIP)
    bare = world.refused(ZHENXIONG_TOWNSHIP, method, step(penalty), TOWNSHIP)
    assert (bare.reason, bare.field) == (Reason.MISSING_LEGAL_BASIS, "step.legal_basis")
    world.act(ZHENXIONG_TOWNSHIP, method, step(penalty, legal_basis="义务教育法 art. 58"), TOWNSHIP)
