"""Commands that act: who acts, under which request_id, on which version."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest

from gateway.v1 import (
    absence_pb2,
    case_pb2,
    jurisdiction_pb2,
    letter_pb2,
    placement_pb2,
    retrieval_pb2,
)
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway

REPORT = (
    "absence report --subject T --day 2026-11-18 --day 2026-11-19:SICK_LEAVE"
    " --class 七(3)班 --grade 7 --reason work --remark @-"
)

# Command line -> the fields its request must have (beside request_id) and its usual post.
ACTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        REPORT,
        "HEAD_TEACHER",
        {
            "class_name": "七(3)班",
            "grade": 7,
            "reason": absence_pb2.DROPOUT_REASON_WORK,
            "remark": "typed in",
            "days": [
                absence_pb2.AbsenceDay(date="2026-11-18", kind=absence_pb2.ABSENCE_KIND_UNEXCUSED),
                absence_pb2.AbsenceDay(date="2026-11-19", kind=absence_pb2.ABSENCE_KIND_SICK_LEAVE),
            ],
        },
    ),
    (
        "case submit A --to 530102/edu --to 530102001/twn --verified --whereabouts AT_HOME",
        "PRINCIPAL",
        {
            "absence_id": "A",
            "recipients": ["530102/edu", "530102001/twn"],
            "verified_on_platform": True,
            "whereabouts": case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_AT_HOME),
        },
    ),
    ("case confirm C --criteria x", "CASE_OFFICER", {"case_id": "C", "version": 7}),
    ("case refute C --reason x", "CASE_OFFICER", {"reason": "x", "version": 7}),
    ("case determine C", "CASE_OFFICER", {"case_id": "C", "version": 7}),
    ("case return C --first-day 2026-12-07", "REGISTRAR", {"first_day_attended": "2026-12-07"}),
    (
        "letter draft C D --kind handover --to 530627/edu --copy-to 5306/edu --urgency URGENT",
        "CASE_OFFICER",
        {
            "case_ids": ["C", "D"],
            "kind": jurisdiction_pb2.LETTER_KIND_HANDOVER,
            "recipient": "530627/edu",
            "copy_to": ["5306/edu"],
            "urgency": letter_pb2.URGENCY_URGENT,
        },
    ),
    ("letter sign L", "APPROVER", {"letter_id": "L", "version": 4}),
    ("letter dispatch L", "CASE_OFFICER", {"letter_id": "L", "version": 4}),
    ("letter register L --registry-no 9", "CASE_OFFICER", {"registry_no": "9"}),
    ("letter accept L --line 2 --line 3", "CASE_OFFICER", {"line_nos": [2, 3]}),
    ("letter note L", "CASE_OFFICER", {"letter_id": "L"}),
    ("letter retract L --reason x", "CASE_OFFICER", {"reason": "x"}),
    (
        "letter return L --reason HUKOU_MOVED_OUT --county 532626",
        "CASE_OFFICER",
        {
            "lines": [
                letter_pb2.ReturnedLine(
                    line_no=number,
                    reason=letter_pb2.RETURN_REASON_HUKOU_MOVED_OUT,
                    county="532626",
                )
                for number in (1, 3)
            ]
        },
    ),
    ("order confirm-body C", "CASE_OFFICER", {"version": 7}),
    ("order issue C --township 530627001/twn", "CASE_OFFICER", {"version": 7}),
    ("order acknowledge O", "TOWNSHIP_OFFICER", {"order_id": "O"}),
    ("order assign O --officer P --paired Q", "TOWNSHIP_OFFICER", {"paired_post": "Q"}),
    (
        "order step O --step education --outcome effective --date 2026-12-01 --service HOME_VISIT",
        "TOWNSHIP_OFFICER",
        {
            "step": retrieval_pb2.StepRecord(
                step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
                outcome=retrieval_pb2.STEP_OUTCOME_EFFECTIVE,
                date="2026-12-01",
                service=retrieval_pb2.SERVICE_METHOD_HOME_VISIT,
            )
        },
    ),
    ("placement propose C --school S", "CASE_OFFICER", {"school": "S"}),
    (
        "placement decide C --kind REGULAR_CLASS",
        "CASE_OFFICER",
        {"kind": placement_pb2.PLACEMENT_KIND_REGULAR_CLASS, "version": 7},
    ),
    ("placement start P --date 2026-12-08", "PRINCIPAL", {"start_date": "2026-12-08"}),
    ("subject request-hukou C", "CASE_OFFICER", {"case_id": "C"}),
    ("events ack ledger 12", "CASE_OFFICER", {"subscriber": "ledger", "position": 12}),
]


@pytest.fixture(autouse=True)
def versions(fake: FakeGateway) -> None:
    """The case has version 7, the letter version 4 with lines 1 and 3 open."""
    line = letter_pb2.LetterLine
    fake.answers["GetCaseRequest"] = case_pb2.GetCaseResponse(case=case_pb2.DropoutCase(version=7))
    fake.answers["GetLetterRequest"] = letter_pb2.GetLetterResponse(
        letter=letter_pb2.Letter(
            version=4,
            lines=[
                line(line_no=1, state=letter_pb2.LINE_STATE_OPEN),
                line(line_no=2, state=letter_pb2.LINE_STATE_RETURNED),
                line(line_no=3, state=letter_pb2.LINE_STATE_OPEN),
            ],
        )
    )


@pytest.mark.parametrize(("line", "post", "fields"), ACTS, ids=[line for line, _, _ in ACTS])
def test_request_of_an_act(
    line: str, post: str, fields: dict[str, Any], run: Run, fake: FakeGateway
) -> None:
    """An act says what was typed, a fresh request_id, and the post that usually acts."""
    result = run(*line.split(), input="typed in\n")
    assert result.exit_code == 0, result.output
    request: Any = fake.asked[-1]
    assert request.actor_post == post
    assert uuid.UUID(request.request_id).version == 4
    for name, value in fields.items():
        assert getattr(request, name) == value


@pytest.mark.parametrize(("line", "post", "fields"), ACTS, ids=[line for line, _, _ in ACTS])
def test_repeating_an_act(
    line: str, post: str, fields: dict[str, Any], run: Run, fake: FakeGateway
) -> None:
    """`--request-id` and `--post` reach the request of every act."""
    given = str(uuid.uuid4())
    run(*line.split(), "--request-id", given, "--post", "SYSTEM", input="typed in")
    request: Any = fake.asked[-1]
    assert (request.request_id, request.actor_post) == (given, "SYSTEM")


def test_request_ids_are_fresh(run: Run, fake: FakeGateway) -> None:
    """Two invocations have two request_ids."""
    run("letter", "note", "L")
    run("letter", "note", "L")
    first, second = fake.asked
    assert first != second


def test_version_is_read_before_it_is_written(run: Run, fake: FakeGateway) -> None:
    """Without `--version` the object is read first; with it, what the caller saw counts."""
    run("case", "confirm", "C", "--criteria", "x")
    assert fake.names() == ["GetCaseRequest", "ConfirmDropoutRequest"]
    fake.asked.clear()
    run("case", "confirm", "C", "--criteria", "x", "--version", "5")
    assert fake.names() == ["ConfirmDropoutRequest"]
    request: Any = fake.asked[0]
    assert request.version == 5


def test_post_by_environment(run: Run, fake: FakeGateway) -> None:
    """GATEWAY_POST replaces the usual post; an option replaces both."""
    run("letter", "sign", "L", env={"GATEWAY_POST": "PRINCIPAL"})
    run("--post", "SYSTEM", "letter", "sign", "L", env={"GATEWAY_POST": "PRINCIPAL"})
    posts = [getattr(request, "actor_post", None) for request in fake.asked]
    assert posts == [None, "PRINCIPAL", None, "SYSTEM"]


def test_evidence_leaves_as_a_hash(run: Run, fake: FakeGateway, tmp_path: Path) -> None:
    """Of an evidence file only the SHA-256 is sent."""
    (tmp_path / "photo").write_bytes(b"evidence")
    line = "order step O --step EDUCATION --outcome SERVED --date 2026-12-01 --evidence"
    run(*line.split(), str(tmp_path / "photo"))
    request: Any = fake.asked[-1]
    assert request.step.evidence_hash == hashlib.sha256(b"evidence").digest()


def test_no_open_line_sends_nothing(run: Run, fake: FakeGateway) -> None:
    """Returning every open line of a letter without any is wrong usage."""
    fake.answers["GetLetterRequest"] = letter_pb2.GetLetterResponse()
    result = run("letter", "return", "L", "--reason", "OTHER")
    assert result.exit_code == 2
    assert fake.names() == ["GetLetterRequest"]


@pytest.mark.parametrize(
    "line",
    [
        "case return C --first-day 2026-02-30",
        "absence report --subject T --day 2026-11-18:ASLEEP",
        "absence report --day 2026-11-18",
        "absence report --subject T",
        "absence report --subject T --name x --day 2026-11-18",
        "case submit A --to B --division 530102",
        "letter draft C --kind POEM --to 530627/edu",
        "letter note L --request-id 1",
        "jurisdiction evaluate",
        "jurisdiction evaluate C --hukou 530627",
        "subject resolve",
        "events tail --ack",
        "events verify",
        "case show",
    ],
)
def test_wrong_usage_sends_nothing(line: str, run: Run, fake: FakeGateway) -> None:
    """What cannot be meant is refused before anything is sent, with exit code 2."""
    result = run(*line.split())
    assert result.exit_code == 2, result.output
    assert "Error:" in result.stderr
    assert not fake.asked
