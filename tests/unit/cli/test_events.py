"""Following the log and verifying what stands in it."""

import hashlib
import json
from typing import Any

import grpc
import pytest

from gateway.domain.log_chain import START, head_of
from gateway.v1 import event_pb2 as v1
from gateway.v1.fact_pb2 import FactNotice, ReplayFactsResponse
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_gateway import FakeGateway, Refuse


def page(*positions: int, end: int = 0) -> v1.SubscribeResponse:
    """A page of events with these positions."""
    return v1.SubscribeResponse(
        events=[
            v1.LoggedEvent(
                position=position,
                event=v1.Event(
                    type=v1.EVENT_TYPE_STUDENT_RETURNED,
                    source="530627/sch/3153000456",
                    actor_post="REGISTRAR",
                    cases=[v1.CaseReference(case_id="C")],
                ),
            )
            for position in positions
        ],
        position=end or max(positions),
    )


def test_tail_prints_a_line_for_each_event(run: Run, fake: FakeGateway) -> None:
    """Events appear in log order, each on a line, and the stream ends at the end of the log."""
    fake.answers["SubscribeRequest"] = [page(1, 2), page(3)]
    result = run("events", "tail", "--lang", "zh")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        [position, "学生已返校", "530627/sch/3153000456", "学籍管理员", "案件", "C"]
        for position in ("1", "2", "3")
    ]
    request: Any = fake.asked[0]
    assert request.stop_at_end
    assert not request.HasField("after_position")


def test_tail_as_json_lines(run: Run, fake: FakeGateway) -> None:
    """With `--json` every event is one object on its line."""
    fake.answers["SubscribeRequest"] = [page(1, 2)]
    lines = run("events", "tail", "--json").stdout.splitlines()
    assert [json.loads(line)["position"] for line in lines] == ["1", "2"]


def test_tail_filter(run: Run, fake: FakeGateway) -> None:
    """What is typed reaches the subscription."""
    line = "events tail -f --after 0 --type student_returned --case C --source 53/psb"
    run(*line.split())
    request: Any = fake.asked[0]
    assert request.HasField("after_position")
    assert not request.stop_at_end
    assert list(request.filter.types) == [v1.EVENT_TYPE_STUDENT_RETURNED]
    assert (request.filter.case_id, request.filter.source) == ("C", "53/psb")


def test_tail_goes_on_after_a_deadline(run: Run, fake: FakeGateway) -> None:
    """A stream that moved and then met its deadline goes on after the last page."""
    late = Refuse(grpc.StatusCode.DEADLINE_EXCEEDED, "late")
    streams: list[Any] = [[page(1, 2, end=5), late], [page(6)]]
    fake.answers["SubscribeRequest"] = lambda _: streams.pop(0)
    result = run("events", "tail", "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["position"] for line in result.stdout.splitlines()] == ["1", "2", "6"]
    requests: list[Any] = list(fake.asked)
    assert requests[1].after_position == 5


def test_tail_that_does_not_move_gives_up(run: Run, fake: FakeGateway) -> None:
    """Without a single page before the deadline there is no answer."""
    fake.answers["SubscribeRequest"] = [Refuse(grpc.StatusCode.DEADLINE_EXCEEDED, "late")]
    assert run("events", "tail").exit_code == 3
    assert len(fake.asked) == 1


def test_tail_acknowledges_each_page(run: Run, fake: FakeGateway) -> None:
    """With `--ack` every page is acknowledged up to its position, each by its own request."""
    fake.answers["SubscribeRequest"] = [page(1, 2, end=4), page(5)]
    run("events", "tail", "--subscriber", "ledger", "--ack")
    acks: list[Any] = fake.asked[1:]
    assert [(ack.subscriber, ack.position) for ack in acks] == [("ledger", 4), ("ledger", 5)]
    assert acks[0].request_id != acks[1].request_id


def test_tail_ends_with_ctrl_c(run: Run, fake: FakeGateway, monkeypatch: Any) -> None:
    """Ctrl-C is the way to end following, not a failure."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    fake.answers["SubscribeRequest"] = [page(1)]
    monkeypatch.setattr("gateway.cli.events.show_event", interrupted)
    assert run("events", "tail", "--follow").exit_code == 0


def chained(first: int, last: int, head: bytes = START) -> v1.SubscribeResponse:
    """A page as a gateway makes it that keeps the chain of its log."""
    answer = v1.SubscribeResponse(position=last, end_position=last, previous_head=head)
    for position in range(first, last + 1):
        logged = answer.events.add(position=position)
        logged.envelope.payload = f"event {position}".encode()
    answer.head = head_of(head, first - 1, [one.envelope.payload for one in answer.events])
    return answer


def test_tail_proves_that_nothing_is_missing(run: Run, fake: FakeGateway) -> None:
    """Pages that hang together are shown; one that leaves out an event ends the command."""
    first = chained(1, 2)
    second = chained(3, 5, first.head)
    fake.answers["SubscribeRequest"] = [first, second]
    assert len(run("events", "tail", "--json").stdout.splitlines()) == 5
    del second.events[1]
    cut = run("events", "tail", "--json")
    assert cut.exit_code == 1
    assert "not complete up to position 5" in cut.output
    assert len(cut.stdout.splitlines()) == 2


def test_tail_does_not_go_on_with_another_log(run: Run, fake: FakeGateway) -> None:
    """A page that begins with another head than the one before ended with is refused."""
    fake.answers["SubscribeRequest"] = [chained(1, 2), chained(3, 3, b"x" * 32)]
    assert "not complete up to position 3" in run("events", "tail", "--json").output


def test_facts_are_proved_too(run: Run, fake: FakeGateway) -> None:
    """Facts of another organisation are shown while they follow each other, from any number on."""
    answer, previous = ReplayFactsResponse(end_sequence=9), b"\x01" * 32
    for sequence in (7, 8, 9):
        notice = FactNotice(sequence=sequence, previous_notice_hash=previous)
        envelope = answer.notices.add(payload=notice.SerializeToString())
        previous = hashlib.sha256(envelope.payload).digest()
    fake.answers["ReplayFactsRequest"] = [answer]
    command = ("events", "facts", "530627/edu", "TITLE_GRANTED", "--after", "6", "--json")
    lines = [json.loads(line) for line in run(*command).stdout.splitlines()]
    assert [line["position"] for line in lines] == ["7", "8", "9"]
    del answer.notices[1]
    broken = run(*command)
    assert broken.exit_code == 1
    assert "does not hold at number 9" in broken.output


@pytest.mark.parametrize(("verified", "exit_code"), [(True, 0), (False, 1)])
def test_verify(verified: bool, exit_code: int, run: Run, fake: FakeGateway) -> None:
    """Verification shows its steps; a failed one is exit code 1."""
    fake.answers["VerifyEventRequest"] = v1.VerifyEventResponse(
        verified=verified,
        steps=[v1.VerificationStep(name="key is in the directory", passed=verified)],
    )
    result = run("events", "verify", "E")
    assert result.exit_code == exit_code
    assert "key is in the directory" in result.stdout


def test_verify_what_show_wrote(run: Run, fake: FakeGateway) -> None:
    """The JSON of `events show` can be carried elsewhere and verified; its bytes stay the same."""
    logged = v1.LoggedEvent(position=1)
    logged.envelope.payload = b"\x00\xff signed"
    fake.answers["GetEventRequest"] = v1.GetEventResponse(event=logged)
    fake.answers["VerifyEventRequest"] = v1.VerifyEventResponse(verified=True)
    written = run("events", "show", "E", "--json").stdout
    assert run("events", "verify", "--file", "-", input=written).exit_code == 0
    request: Any = fake.asked[-1]
    assert request.envelope == logged.envelope
