"""W1 and W2: lines that are cut, one-way, slow or trickling; what was accepted arrives, once."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
import pytest

from gateway.crypto.development import Estate
from gateway.v1 import case_pb2, letter_pb2
from tests.faults.audit import Answered
from tests.faults.lines import LinedProvince, bad
from tests.faults.proxy import Line
from tests.faults.reporting import FaultReport
from tests.world.estate import ESTATE, WUHUA, ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

_NAMES = {"wuhua", "zhenxiong", "police"}
_DISPATCH = "LetterService/DispatchLetter"
_DEADLINE = 2.0

PARTITIONS = {
    "nobody answers": Line(refuse=True),
    "one way: nothing comes back": Line(deaf=True),
    "one way: nothing gets through": Line(mute=True),
    "nothing either way": Line(deaf=True, mute=True),
}
BAD_LINES = {
    "1 s late": Line(latency=1.0),
    "5 s late": Line(latency=5.0),
    "1 byte a second": Line(rate=1),
    "reset after 100 bytes": Line(cut_after=100),
    "reset after 3000 bytes": Line(cut_after=3000),
    "half open": Line(half_open=True),
}


def some(lines: dict[str, Line], brief: str) -> list[Any]:
    """Return the names of all lines; only the one of `brief` runs in `make test`."""
    return [pytest.param(how, marks=[] if how == brief else [pytest.mark.faults]) for how in lines]


@pytest.fixture(scope="module")
def lined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinedProvince]:
    """Two counties and public security, each a process, with lines that can be made bad."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = LinedProvince(tmp_path_factory.mktemp("lined"), estate)
    try:
        province.start()
        yield province
    finally:
        province.close()


def to_dispatch(province: LinedProvince) -> tuple[Story, letter_pb2.DispatchLetterRequest]:
    """Return the story of a child up to a signed letter, and the request to dispatch it."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    signed = story.signed(ZHENXIONG)
    request = letter_pb2.DispatchLetterRequest(
        letter_id=story.letter_id, version=signed.version, request_id=str(uuid4())
    )
    return story, request


def hurt(before: Counter[str], after: Counter[str]) -> int:
    """Count what a bad line did: bytes dropped, chunks delayed, connections reset or held."""
    done = after - before
    return sum(done[what] for what in ("dropped", "delayed", "resets", "held", "refused"))


@pytest.mark.fault("W1")
@pytest.mark.parametrize("how", some(PARTITIONS, "nothing either way"))
def test_a_node_without_the_broker_accepts_and_sends_later(
    lined: LinedProvince, fault_report: FaultReport, how: str
) -> None:
    """The line to the broker is gone: the letter is accepted into the store, and arrives once."""
    story, request = to_dispatch(lined)
    line = lined.to_broker["wuhua"]
    before = line.seen.copy()
    with bad(line, PARTITIONS[how]):
        answer = lined.act(WUHUA, _DISPATCH, request)
        eventually(lambda: hurt(before, line.seen), "the line being bad")
        assert not lined.look(ZHENXIONG, lambda work: work.letters.get(ZHENXIONG, story.letter_id))
    fault_report.inject(f"node and broker apart: {how}")
    with fault_report.healing():
        story.letter(WUHUA, "DELIVERED")
        eventually(lined.audit.settled, "everything receipted")
    eventually(lambda: lined.serving("wuhua"), "the node serving")
    fault_report.require(lined.audit.healed([Answered(WUHUA, request.request_id, answer)]))


def answered(province: LinedProvince, request: letter_pb2.DispatchLetterRequest) -> Any:
    """Ask once more, as a client does; None while its connection is still being made."""
    try:
        return province.act(WUHUA, _DISPATCH, request)
    except grpc.RpcError as broken:
        if broken.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return None


@pytest.mark.fault("W1")
@pytest.mark.parametrize("how", some(PARTITIONS, "one way: nothing comes back"))
def test_a_client_without_its_answer_asks_again(
    lined: LinedProvince, fault_report: FaultReport, how: str
) -> None:
    """The line to the client is gone: whatever became of the request, the same one is done once."""
    story, request = to_dispatch(lined)
    line = lined.to_clients["wuhua"]
    before = line.seen.copy()
    with bad(line, PARTITIONS[how]), pytest.raises(grpc.RpcError):
        lined.clients.call(WUHUA, _DISPATCH, request, "CASE_OFFICER", seconds=_DEADLINE)
    assert hurt(before, line.seen)
    fault_report.inject(f"client and node apart: {how}")
    with fault_report.healing():
        line.cut()  # the client's library would wait for a connection that is half lost
        answer = eventually(partial(answered, lined, request), "an answer")
        story.letter(ZHENXIONG, "DELIVERED")
        eventually(lined.audit.settled, "everything receipted")
    fault_report.require(lined.audit.healed([Answered(WUHUA, request.request_id, answer)]))


@pytest.mark.fault("W2")
@pytest.mark.parametrize("how", some(BAD_LINES, "reset after 100 bytes"))
def test_a_bad_line_to_the_broker_delays_and_no_more(
    lined: LinedProvince, fault_report: FaultReport, how: str
) -> None:
    """Late, trickling, reset or half open: the letter waits in the store and arrives once."""
    story, request = to_dispatch(lined)
    line = lined.to_broker["wuhua"]
    before = line.seen.copy()
    with bad(line, BAD_LINES[how]):
        line.cut()  # so that a new connection has to be made over the bad line
        lined.act(WUHUA, _DISPATCH, request)
        eventually(lambda: hurt(before, line.seen) > 1, "the line being bad")
    fault_report.inject(f"node to broker: {how}")
    with fault_report.healing():
        line.cut()
        story.letter(WUHUA, "DELIVERED")
        eventually(lined.audit.settled, "everything receipted", most=60.0)
    fault_report.require(lined.audit.healed())


@pytest.mark.faults
@pytest.mark.fault("W2")
def test_bad_lines_of_clients_leave_nothing_behind(
    lined: LinedProvince, fault_report: FaultReport
) -> None:
    """Calls over bad lines end by their deadline; the node keeps no connection, thread or file."""
    story = Story(lined)
    story.confirmed()
    request = case_pb2.GetCaseRequest(case_id=story.case_id)
    line = lined.to_clients["wuhua"]

    def over_every_bad_line() -> None:
        for how, bad_line in BAD_LINES.items():
            with bad(line, bad_line):
                line.cut()
                for _ in range(3):
                    try:
                        lined.clients.call(WUHUA, "CaseService/GetCase", request, seconds=_DEADLINE)
                    except grpc.RpcError:
                        fault_report.inject(f"client to node: {how}")
            line.cut()

    def left() -> tuple[int, int]:
        return lined.open_files("wuhua"), lined.threads("wuhua")

    over_every_bad_line()
    lined.ask(WUHUA, "CaseService/GetCase", request)
    before, memory = left(), lined.memory("wuhua")
    with fault_report.healing():
        over_every_bad_line()
        lined.ask(WUHUA, "CaseService/GetCase", request)
        eventually(lambda: left() <= before, "the node having let go of everything")
    growth = lined.memory("wuhua") / memory - 1
    fault_report.remark(f"memory of the node {growth:+.1%}")
    assert growth < 0.1
