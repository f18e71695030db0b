"""Many reports over one stream."""

import json
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway.v1.absence_pb2 import (
    ABSENCE_KIND_UNEXCUSED,
    Absence,
    ReportAbsenceRequest,
    ReportAbsenceResponse,
    ReportAbsencesRequest,
    ReportAbsencesResponse,
)
from gateway.v1.error_pb2 import ERROR_REASON_BELOW_THRESHOLD, RefusedRecord
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway, Refuse

DAY = {"date": "2026-11-18", "kind": "ABSENCE_KIND_UNEXCUSED"}
GIVEN = "6f1c2d3e-0000-4000-8000-000000000001"


def line(token: str, **more: object) -> str:
    """One report as a line."""
    return json.dumps({"subject": {"subject_id": token}, "days": [DAY], **more})


def judge(request: ReportAbsencesRequest) -> ReportAbsencesResponse:
    """Answer the reports of a message together."""
    return ReportAbsencesResponse(answers=map(judge_one, request.reports))


def judge_one(report: ReportAbsenceRequest) -> ReportAbsencesResponse:
    """Refuse the child called `low`, record all others."""
    if report.subject.subject_id == "low":
        refused = RefusedRecord(
            reason=ERROR_REASON_BELOW_THRESHOLD, message="One day.", advice="Wait."
        )
        return ReportAbsencesResponse(request_id=report.request_id, refused=refused)
    absence = Absence(absence_id=f"A-{report.subject.subject_id}")
    accepted = ReportAbsenceResponse(absence=absence)
    return ReportAbsencesResponse(request_id=report.request_id, accepted=accepted)


@pytest.fixture
def batch(fake: FakeGateway, tmp_path: Path) -> Path:
    """Three reports, the second below the threshold, with an empty line between."""
    fake.answers["ReportAbsencesRequest"] = judge
    path = tmp_path / "absences.jsonl"
    path.write_text("\n".join([line("a"), line("low"), "", line("b", actor_post="SYSTEM")]))
    return path


def sent(fake: FakeGateway) -> list[ReportAbsenceRequest]:
    """Return every report that was sent."""
    messages: list[Any] = list(fake.asked)
    return [report for message in messages for report in message.reports]


def test_each_line_is_answered(run: Run, fake: FakeGateway, batch: Path) -> None:
    """Every line gets its own answer with its number; one refusal makes the exit code 1."""
    result = run("absence", "report", "--batch", str(batch))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Line 1: recorded A-a",
        "Line 2: Refused: BELOW_THRESHOLD (fewer days than the rule asks)",
        "  One day.",
        "  What to do: Wait.",
        "Line 4: recorded A-b",
    ]
    assert "2 recorded, 1 refused" in result.stderr
    reports = sent(fake)
    assert [report.actor_post for report in reports] == [
        "HEAD_TEACHER",
        "HEAD_TEACHER",
        "SYSTEM",
    ]
    assert reports[0].days[0].kind == ABSENCE_KIND_UNEXCUSED


def test_each_line_is_answered_in_json(run: Run, batch: Path) -> None:
    """With `--json` every answer is one object on its line."""
    result = run("absence", "report", "--batch", str(batch), "--json")
    records = [json.loads(one) for one in result.stdout.splitlines()]
    assert [record["line"] for record in records] == [1, 2, 4]
    assert records[0]["accepted"]["absence"]["absence_id"] == "A-a"
    assert records[1]["refused"]["reason"] == "ERROR_REASON_BELOW_THRESHOLD"


def test_repeating_keeps_the_ids(run: Run, fake: FakeGateway, batch: Path) -> None:
    """The same `--request-id` gives every unchanged line its former id, mended lines a new one."""
    run("absence", "report", "--batch", str(batch), "--request-id", GIVEN)
    batch.write_text(batch.read_text().replace('"low"', '"mended"'))
    run("absence", "report", "--batch", str(batch), "--request-id", GIVEN)
    ids = [report.request_id for report in sent(fake)]
    assert len({uuid.UUID(one) for one in ids}) == 4
    assert (ids[0], ids[2]) == (ids[3], ids[5])


def test_many_lines_travel_a_hundred_at_a_time(run: Run, fake: FakeGateway, tmp_path: Path) -> None:
    """250 lines are three messages of the stream, and each is answered under its number."""
    fake.answers["ReportAbsencesRequest"] = judge
    path = tmp_path / "many.jsonl"
    path.write_text("\n".join(line(f"c{number}") for number in range(250)))
    result = run("absence", "report", "--batch", str(path))
    messages: list[Any] = list(fake.asked)
    assert [len(message.reports) for message in messages] == [100, 100, 50]
    assert result.stdout.splitlines()[249] == "Line 250: recorded A-c249"


def test_from_standard_input(run: Run, fake: FakeGateway, batch: Path) -> None:
    """`-` reads the batch from standard input."""
    assert run("absence", "report", "--batch", "-", input=line("a")).exit_code == 0
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("{", "Line 2 is no JSON"),
        ("[]", "Line 2 must hold one JSON object"),
        ('{"pupil": 1}', "it has no field pupil"),
        ('{"subject": {"identity": {"name": 530102201503070012}}}', "does not fit"),
        (line("a"), "Line 2 repeats line 1"),
    ],
)
def test_mistyped_line_sends_nothing(
    second: str, says: str, run: Run, fake: FakeGateway, tmp_path: Path
) -> None:
    """A line that is no report is named, its values are not, and nothing at all is sent."""
    path = tmp_path / "absences.jsonl"
    path.write_text(line("a") + "\n" + second)
    result = run("absence", "report", "--batch", str(path))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "530102201503070012" not in result.output
    assert not fake.asked


def test_broken_stream_says_how_to_repeat(run: Run, fake: FakeGateway, batch: Path) -> None:
    """A stream that breaks off is no answer, and names the request_id to repeat it with."""
    fake.answers["ReportAbsencesRequest"] = Refuse(grpc.StatusCode.UNAVAILABLE, "Gone.")
    result = run("absence", "report", "--batch", str(batch), "--request-id", GIVEN)
    assert result.exit_code == 3
    assert f"--request-id {GIVEN}" in result.stderr


def test_child_from_a_file(run: Run, fake: FakeGateway, tmp_path: Path) -> None:
    """Identity and guardian come from a JSON file, so that no shell remembers them."""
    path = tmp_path / "child.json"
    path.write_text(
        '{"name": "测试甲", "id_number": "530102201503070012", "sex": "SEX_MALE",'
        ' "guardian": {"name": "测试乙"}}',
        "utf-8",
    )
    run("absence", "report", "--file", str(path), "--day", "2026-11-18")
    request: Any = fake.asked[0]
    assert request.subject.identity.id_number == "530102201503070012"
    assert request.guardian.name == "测试乙"
    both = run("absence", "report", "--file", str(path), "--name", "x", "--day", "2026-11-18")
    assert both.exit_code == 2
