"""What the screen shows: tables, plain columns, JSON; words, times and posts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.v1 import absence_pb2, case_pb2, jurisdiction_pb2, letter_pb2, subject_pb2, title_pb2
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway

NOON = Timestamp()
NOON.FromDatetime(datetime(2026, 11, 18, 16, 30, tzinfo=UTC))  # 00:30 of the 19th in Shanghai

CASE = case_pb2.DropoutCase(
    case_id="0199",
    state=case_pb2.CASE_STATE_IN_RETRIEVAL,
    holder="530627/edu",
    title=title_pb2.TitleReference(
        epoch=title_pb2.Epoch(term=1, number=1), title_hash=b"\xab", holder="530627/edu"
    ),
    whereabouts=case_pb2.Whereabouts(
        kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY, division="530627", basis="电话核实"
    ),
    missing_recipients=["TWN", "EDU"],
    opened_at=NOON,
    version=3,
)


def lines_of(output: str) -> dict[str, str]:
    """Read two plain columns; a heading over indented lines has no value."""
    pairs = (line.strip().partition("  ") for line in output.splitlines())
    return {title: value.strip() for title, _, value in pairs}


def test_object_in_english(run: Run, fake: FakeGateway) -> None:
    """An object is shown field by field: words, Shanghai time, parts indented, no empty fields."""
    fake.answers["GetCaseRequest"] = case_pb2.GetCaseResponse(case=CASE)
    result = run("case", "show", "0199")
    shown = lines_of(result.stdout)
    assert shown["state"] == "in retrieval"
    assert shown["epoch"] == "1.1"
    assert shown["title hash"] == "ab"
    assert shown["kind"] == "in the hukou county"
    assert shown["missing recipients"] == "TWN, EDU"
    assert shown["opened at"] == "2026-11-19 00:30:00"
    assert shown["may act"] == "no"
    assert "order id" not in shown
    assert "\x1b" not in result.stdout


def test_object_in_chinese(run: Run, fake: FakeGateway) -> None:
    """With `--lang zh` headings and values are the terms of the regulation."""
    fake.answers["GetCaseRequest"] = case_pb2.GetCaseResponse(case=CASE)
    shown = lines_of(run("case", "show", "0199", "--lang", "zh").stdout)
    assert shown["状态"] == "劝返中"
    assert shown["去向"] == ""
    assert shown["类型"] == "在户籍地"
    assert shown["立案时间"] == "2026-11-19 00:30:00"
    assert shown["可办理"] == "否"


def test_one_language_at_a_time(run: Run, fake: FakeGateway) -> None:
    """Of a sentence in two languages only the asked one is shown."""
    fake.answers["EvaluateRequest"] = jurisdiction_pb2.EvaluateResponse(
        decision=jurisdiction_pb2.JurisdictionDecision(
            row="J3", explanation="The hukou county.", explanation_zh="户籍地负责。"
        )
    )
    english = run("jurisdiction", "evaluate", "C").stdout
    chinese = run("jurisdiction", "evaluate", "C", "--lang", "zh").stdout
    assert "The hukou county." in english
    assert "户籍地" not in english
    assert "户籍地负责。" in chinese
    assert "hukou" not in chinese


def test_list_as_plain_columns(run: Run, fake: FakeGateway) -> None:
    """In a pipe a list has a heading line and one line for each item, uncut."""
    long = "530102/sch/" + "3" * 300
    fake.answers["ListAbsencesRequest"] = absence_pb2.ListAbsencesResponse(
        absences=[
            absence_pb2.Absence(absence_id="A1", school=long, class_name="七(3)班 [bold]x[/]"),
            absence_pb2.Absence(absence_id="A2", counted_days=["2026-11-16", "2026-11-17"]),
        ]
    )
    first, second, third = run("absence", "list").stdout.splitlines()
    assert first.split()[:2] == ["absence", "id"]
    assert long in second
    assert "[bold]x[/]" in second
    assert "2026-11-16, 2026-11-17" in third
    assert second == second.rstrip()


def test_list_in_chinese(run: Run, fake: FakeGateway) -> None:
    """Headings of a list are Chinese, and posts have their titles."""
    fake.answers["GetTimelineRequest"] = case_pb2.GetTimelineResponse(
        entries=[
            case_pb2.TimelineEntry(
                type="EVENT_TYPE_LETTER_DISPATCHED",
                type_zh="函已发出",
                actor_post="CASE_OFFICER",
                signature_verified=True,
            )
        ]
    )
    chinese = run("case", "timeline", "C", "--lang", "zh").stdout
    assert {"经办岗位", "验签", "函已发出", "承办人", "是"} <= set(chinese.split())
    assert "letter dispatched" in run("case", "timeline", "C").stdout


def test_empty_list(run: Run) -> None:
    """An empty list says so; in JSON it is an empty array."""
    assert run("todo").stdout == "Nothing to show.\n"
    assert run("todo", "--lang", "zh").stdout == "无记录。\n"
    assert json.loads(run("todo", "--json").stdout) == []


def test_json_of_one_field_is_that_field(run: Run, fake: FakeGateway) -> None:
    """An answer of one field is printed as that field, with the contract's names and defaults."""
    fake.answers["GetCaseRequest"] = case_pb2.GetCaseResponse(case=CASE)
    record = json.loads(run("--json", "case", "show", "C").stdout)
    assert record["case_id"] == "0199"
    assert record["state"] == "CASE_STATE_IN_RETRIEVAL"
    assert record["version"] == "3"
    assert record["opened_at"] == "2026-11-18T16:30:00Z"
    assert record["may_act"] is False
    assert record["whereabouts"]["basis"] == "电话核实"


def test_json_of_several_fields_is_the_answer(run: Run, fake: FakeGateway) -> None:
    """An answer of several fields is printed whole."""
    fake.answers["DispatchLetterRequest"] = letter_pb2.DispatchLetterResponse(
        letter=letter_pb2.Letter(letter_id="L"), event_id="E"
    )
    record = json.loads(run("letter", "dispatch", "L", "--version", "2", "--json").stdout)
    assert (record["letter"]["letter_id"], record["event_id"]) == ("L", "E")


def test_identity_is_shown_as_it_came(run: Run, fake: FakeGateway) -> None:
    """The client neither masks nor unmasks."""
    identity = subject_pb2.PersonIdentity(name="测**", id_number="530102********0012")
    fake.answers["GetSubjectRequest"] = subject_pb2.GetSubjectResponse(
        subject=subject_pb2.Subject(identity=identity, masked=True)
    )
    shown = lines_of(run("subject", "show", "T").stdout)
    assert shown["id number"] == "530102********0012"
    assert shown["masked"] == "yes"
    request: Any = fake.asked[-1]
    assert (request.purpose, request.actor_post) == ("", "")


def test_purpose_goes_with_a_post(run: Run, fake: FakeGateway) -> None:
    """Asking for the full identity names a purpose and a post."""
    run("subject", "show", "T", "--purpose", "入户走访")
    request: Any = fake.asked[-1]
    assert (request.purpose, request.actor_post) == ("入户走访", "CASE_OFFICER")


def test_answer_cannot_steer_the_terminal(run: Run, fake: FakeGateway) -> None:
    """Control characters in an answer are not passed on."""
    answer = case_pb2.GetCaseResponse(case=case_pb2.DropoutCase(case_id="\x1b]0;x\x07\r"))
    fake.answers["GetCaseRequest"] = answer
    output = run("case", "show", "C").output
    assert not {"\x1b", "\x07", "\r"} & set(output)


@pytest.mark.parametrize(("limit", "pages", "shown"), [("3", 2, 3), ("0", 3, 5), ("5", 3, 5)])
def test_pages_are_followed(
    limit: str, pages: int, shown: int, run: Run, fake: FakeGateway
) -> None:
    """Pages are fetched until the limit is reached; 0 fetches all; a rest is mentioned."""

    def page(request: case_pb2.ListCasesRequest) -> case_pb2.ListCasesResponse:
        start = int(request.page_token or 0)
        ids = [str(number) for number in range(5)][start : start + min(2, request.page_size)]
        token = str(start + len(ids)) if start + len(ids) < 5 else ""
        cases = [case_pb2.DropoutCase(case_id=one) for one in ids]
        return case_pb2.ListCasesResponse(cases=cases, next_page_token=token)

    fake.answers["ListCasesRequest"] = page
    result = run("case", "list", "--json", "--limit", limit)
    assert len(json.loads(result.stdout)) == shown
    assert len(fake.asked) == pages
    assert ("There is more" in result.stderr) == (shown < 5)
