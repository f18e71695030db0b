"""A refused call: reason, sentence, advice, facts; never a traceback."""

import json
import uuid

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as rpc

from gateway.cli.refusals import trouble_of_record
from gateway.v1.error_pb2 import ERROR_REASON_BELOW_THRESHOLD, RefusedRecord
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway, Refuse

STALE = Refuse(
    grpc.StatusCode.ABORTED,
    "The case has changed since you read it.",
    rpc.ErrorInfo(
        reason="STALE_VERSION",
        domain="dropout-gateway",
        metadata={"advice": "Read the case again.", "present_version": "8"},
    ),
    rpc.LocalizedMessage(locale="zh-CN", message="案件在您读取后已更新。"),
    rpc.BadRequest(
        field_violations=[rpc.BadRequest.FieldViolation(field="version", description="Must be 8.")]
    ),
    rpc.RetryInfo(retry_delay=Duration(seconds=2)),
)


def test_refusal_as_text(run: Run, fake: FakeGateway) -> None:
    """A refusal is shown whole on standard error, and the exit code is 1."""
    fake.answers["NoteLetterRequest"] = STALE
    result = run("letter", "note", "L")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Refused: STALE_VERSION (changed since it was read)",
        "  The case has changed since you read it.",
        "  What to do: Read the case again.",
        "  Field: version Must be 8.",
        "  present_version: 8",
        "  Try again after, seconds: 2",
    ]


def test_refusal_in_chinese(run: Run, fake: FakeGateway) -> None:
    """With `--lang zh` the reason, and the sentence where the server has it, are Chinese."""
    fake.answers["NoteLetterRequest"] = STALE
    lines = run("letter", "note", "L", "--lang", "zh").stderr.splitlines()
    assert lines[:2] == ["已拒绝: STALE_VERSION (记录已更新)", "  案件在您读取后已更新。"]


def test_refusal_as_json(run: Run, fake: FakeGateway) -> None:
    """With `--json` the refusal is one object on standard output."""
    fake.answers["NoteLetterRequest"] = STALE
    given = str(uuid.uuid4())
    result = run("letter", "note", "L", "--json", "--request-id", given)
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": {
            "reason": "STALE_VERSION",
            "message": "The case has changed since you read it.",
            "advice": "Read the case again.",
            "metadata": {"present_version": "8"},
            "field_violations": [{"field": "version", "description": "Must be 8."}],
            "retry_after_seconds": 2.0,
            "status": "ABORTED",
            "request_id": given,
        }
    }


def test_foreign_details_are_no_reason(run: Run, fake: FakeGateway) -> None:
    """ErrorInfo of another domain, as a proxy adds it, is not taken for the gateway's."""
    info = rpc.ErrorInfo(reason="QUOTA", domain="proxy.example")
    fake.answers["GetCaseRequest"] = Refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "Slow.", info)
    error = json.loads(run("case", "show", "C", "--json").stdout)["error"]
    assert (error["reason"], error["advice"]) == ("RESOURCE_EXHAUSTED", "")
    assert "request_id" not in error


@pytest.mark.parametrize(
    ("code", "exit_code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, 3, "UNREACHABLE"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 3, "DEADLINE_EXCEEDED"),
        (grpc.StatusCode.UNIMPLEMENTED, 1, "UNIMPLEMENTED"),
        (grpc.StatusCode.PERMISSION_DENIED, 1, "PERMISSION_DENIED"),
        (grpc.StatusCode.INTERNAL, 1, "INTERNAL"),
    ],
)
def test_exit_codes(
    code: grpc.StatusCode, exit_code: int, reason: str, run: Run, fake: FakeGateway
) -> None:
    """A script can tell a refusal from a call without answer."""
    fake.answers["GetCaseRequest"] = Refuse(code, "Some words.")
    result = run("case", "show", "C")
    assert result.exit_code == exit_code
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_no_answer_to_an_act_names_its_request_id(run: Run, fake: FakeGateway) -> None:
    """Whether an unanswered act took effect is unknown, so the way to repeat it is shown."""
    fake.answers["NoteLetterRequest"] = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.")
    given = str(uuid.uuid4())
    acted = run("letter", "note", "L", "--request-id", given)
    assert f"--request-id {given}" in acted.stderr
    fake.answers["GetLetterRequest"] = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.")
    assert "--request-id" not in run("letter", "show", "L").stderr
    assert "--request-id" not in run("letter", "sign", "L").stderr  # it only got to reading


def test_refusal_cannot_steer_the_terminal(run: Run, fake: FakeGateway) -> None:
    """Control characters in what a server says are not passed on."""
    fake.answers["GetCaseRequest"] = Refuse(grpc.StatusCode.NOT_FOUND, "\x1b[2Jgone")
    assert "\x1b" not in run("case", "show", "C").output


def test_refused_record() -> None:
    """A refused record of a stream says the same as a refused call."""
    trouble = trouble_of_record(
        RefusedRecord(
            reason=ERROR_REASON_BELOW_THRESHOLD,
            message="Two days.",
            advice="Wait.",
            metadata={"counted_days": "2"},
            field="days",
        )
    )
    assert trouble.as_json() == {
        "reason": "BELOW_THRESHOLD",
        "message": "Two days.",
        "advice": "Wait.",
        "metadata": {"counted_days": "2"},
        "field_violations": [{"field": "days", "description": ""}],
    }
