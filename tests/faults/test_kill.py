"""Any process may die at any moment: there is one letter, one acceptance, one order, one holder."""

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.message import Message

from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogFilter
from gateway.ports.failpoints import Failpoint
from gateway.v1 import event_pb2, letter_pb2, retrieval_pb2, subject_pb2
from tests.faults.audit import Answered
from tests.faults.processes import ProcessProvince
from tests.faults.reporting import FaultReport
from tests.world.estate import POLICE, WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.story import Story
from tests.world.waiting import eventually

E, H = "wuhua", "zhenxiong"
SENDER_POINTS = {
    Failpoint.STORE_BEFORE_COMMIT: "K1",
    Failpoint.STORE_AFTER_COMMIT: "K2",
    Failpoint.RELAY_AFTER_PACK: "K6",  # the chain is on disk: it is continued, never begun anew
    Failpoint.RELAY_AFTER_PUBLISH: "K3",
}
RECEIVER_POINTS = {
    # The receipt is committed with the effect and leaves before the broker is told to forget the
    # message. So "after ack, before receipt" cannot be; this is the place that comes nearest.
    Failpoint.MAIL_AFTER_COMMIT: "K5",
    Failpoint.MAIL_AFTER_REPLY: "K4",
}


_ALL = frozenset(Failpoint)


def deaths(sender: str, receiver: str, brief: frozenset[Failpoint] = _ALL) -> list[Any]:
    """Return every (victim, point) of an act with its row; those of `brief` run in `make test`."""
    places = [(sender, point, row) for point, row in SENDER_POINTS.items()]
    places += [(receiver, point, row) for point, row in RECEIVER_POINTS.items()]
    return [
        pytest.param(
            victim,
            point,
            marks=[pytest.mark.fault(row), *([] if point in brief else [pytest.mark.faults])],
        )
        for victim, point, row in places
    ]


def act_and_die(
    province: ProcessProvince,
    report: FaultReport,
    victim: str,
    point: Failpoint,
    org: OrgId,
    method: str,
    request: Message,
) -> None:
    """Arm the victim, act, and bring the victim back when it died.

    The caller repeats the very same request, as a client does that saw its connection break. Where
    both attempts were answered, the answers are the same.
    """
    request.request_id = str(uuid4())  # type: ignore[attr-defined]
    node = province.process(victim)
    node.arm(point)
    with ThreadPoolExecutor() as client, report.healing():
        first = client.submit(province.act, org, method, request)
        node.died()
        report.inject(f"kill -9 at {point}")
        province.restart(victim)
        answer = province.act(org, method, request)
        with contextlib.suppress(grpc.RpcError):  # the connection broke before the answer
            assert first.result() == answer
        eventually(province.audit.settled, "everything receipted")
    answered = Answered(org, request.request_id, answer)  # type: ignore[attr-defined]
    report.require(province.audit.healed([answered]))


def logged(province: ProcessProvince, org: OrgId, case_id: str) -> Counter[str]:
    """Count the kinds of facts about the case in the organisation's log."""
    entries = province.look(
        org, lambda work: work.events.page(org, 0, 500, LogFilter(case_id=case_id))
    )
    return Counter(
        event_pb2.EventType.Name(event_pb2.EventType.ValueType(entry.type)).removeprefix(
            "EVENT_TYPE_"
        )
        for entry in entries
    )


def titles(province: ProcessProvince, org: OrgId, case_id: str) -> int:
    """Count the titles of the case in the organisation's store."""
    return len(province.look(org, lambda work: work.titles.chain(org, case_id)))


def one_order(province: ProcessProvince, org: OrgId, case_id: str) -> bool:
    """Whether exactly one order about the case is in the organisation's store."""
    return len(province.look(org, lambda work: work.orders.page(org, case_id=case_id))) == 1


def holders(province: ProcessProvince, case_id: str) -> list[OrgId]:
    """Return the organisations whose own store lets them act on the case."""
    return [
        org
        for org in (WUHUA, ZHENXIONG)
        if (case := province.look(org, lambda work, org=org: work.cases.get(org, case_id)))  # type: ignore[misc]
        and case.holder == org
    ]


@pytest.mark.parametrize(("victim", "point"), deaths(E, H))
def test_a_letter_arrives_once(
    province: ProcessProvince, fault_report: FaultReport, victim: str, point: Failpoint
) -> None:
    """Sender or receiver dies around commit, publish and ack: the letter is there once."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    signed = story.signed(ZHENXIONG)
    request = letter_pb2.DispatchLetterRequest(letter_id=story.letter_id, version=signed.version)
    method = "LetterService/DispatchLetter"
    act_and_die(province, fault_report, victim, point, WUHUA, method, request)
    story.letter(ZHENXIONG, "DELIVERED")
    story.letter(WUHUA, "DELIVERED")
    assert logged(province, ZHENXIONG, story.case_id)["LETTER_DISPATCHED"] == 1
    assert logged(province, WUHUA, story.case_id)["LETTER_DISPATCHED"] == 1
    assert holders(province, story.case_id) == [WUHUA]


@pytest.mark.parametrize(
    ("victim", "point"),
    deaths(H, E, frozenset({Failpoint.STORE_AFTER_COMMIT, Failpoint.MAIL_AFTER_COMMIT})),
)
def test_an_acceptance_moves_the_title_once(
    province: ProcessProvince, fault_report: FaultReport, victim: str, point: Failpoint
) -> None:
    """Receiver or holder dies around the acceptance: one grant, one holder, nobody acts twice."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    request = letter_pb2.AcceptLinesRequest(letter_id=story.letter_id)
    method = "LetterService/AcceptLines"
    act_and_die(province, fault_report, victim, point, ZHENXIONG, method, request)
    assert story.seen_by(ZHENXIONG, "ASSIGNED").may_act
    story.seen_by(WUHUA, "ASSIGNED")
    for org in (WUHUA, ZHENXIONG):
        facts = logged(province, org, story.case_id)
        assert (facts["LETTER_LINES_ACCEPTED"], facts["TITLE_GRANTED"]) == (1, 1)
        assert titles(province, org, story.case_id) == 2
    assert holders(province, story.case_id) == [ZHENXIONG]


@pytest.mark.faults
@pytest.mark.parametrize(("victim", "point"), deaths(H, H))
def test_an_order_is_issued_once(
    province: ProcessProvince, fault_report: FaultReport, victim: str, point: Failpoint
) -> None:
    """The node that orders, and is home to the township, dies: there is one order, once there."""
    story = Story(province)
    story.handed_over(ZHENXIONG)
    story.body_confirmed(ZHENXIONG)
    request: retrieval_pb2.IssueOrderRequest = story.order_request(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    method = "RetrievalService/IssueOrder"
    act_and_die(province, fault_report, victim, point, ZHENXIONG, method, request)
    for org in (ZHENXIONG, ZHENXIONG_TOWNSHIP, WUHUA):
        eventually(partial(one_order, province, org, story.case_id), f"the order at {org}")
        assert logged(province, org, story.case_id)["RETRIEVAL_ORDER_ISSUED"] == 1


@pytest.mark.fault("N1")
def test_the_broker_dies_while_letters_travel(
    province: ProcessProvince, fault_report: FaultReport
) -> None:
    """The broker is killed again and again between the acts: every letter arrives once."""

    def restart_broker() -> None:
        province.restart_broker()
        fault_report.inject("kill -9 of the broker")

    for _ in range(3):
        story = Story(province)
        story.due(ZHENXIONG.division)
        story.dispatched(ZHENXIONG)
        restart_broker()
        story.registered(ZHENXIONG)
        restart_broker()
        story.accepted(ZHENXIONG)
        restart_broker()
        assert story.seen_by(ZHENXIONG, "ASSIGNED").may_act
        assert logged(province, ZHENXIONG, story.case_id)["LETTER_DISPATCHED"] == 1
        assert logged(province, WUHUA, story.case_id)["TITLE_GRANTED"] == 1
        assert holders(province, story.case_id) == [ZHENXIONG]


@pytest.mark.faults
@pytest.mark.parametrize(("victim", "point"), deaths(E, "police")[-2:])
def test_a_query_reaches_public_security_once(
    province: ProcessProvince, fault_report: FaultReport, victim: str, point: Failpoint
) -> None:
    """The node of public security dies as the query arrives: there is one exchange."""
    story = Story(province)
    story.confirmed()
    story.hukou(ZHENXIONG.division)
    request = subject_pb2.RequestHukouRequest(case_id=story.case_id)
    method = "SubjectService/RequestHukou"
    act_and_die(province, fault_report, victim, point, WUHUA, method, request)
    eventually(lambda: queries(province, story.case_id) == 2, "the second query")
    assert logged(province, POLICE, story.case_id)["HUKOU_QUERIED"] == 2


@pytest.mark.faults
@pytest.mark.parametrize(("victim", "point"), deaths("police", E)[:4])
def test_an_answer_of_public_security_arrives_once(
    province: ProcessProvince, fault_report: FaultReport, victim: str, point: Failpoint
) -> None:
    """The node of public security dies as it answers: the bureau gets the answer once."""
    story = Story(province)
    story.confirmed()
    answer = story.hukou_answer(ZHENXIONG.division)
    province.process(victim).arm(point)
    with fault_report.healing():
        with contextlib.suppress(grpc.RpcError):
            story.push(answer)
        province.process(victim).died()
        fault_report.inject(f"kill -9 at {point}")
        province.restart(victim)
        story.push(answer)
        eventually(lambda: story.case(WUHUA).hukou_county == ZHENXIONG.division, "the answer")
        eventually(province.audit.settled, "everything receipted")
    assert logged(province, WUHUA, story.case_id)["HUKOU_ASSERTED"] == 1
    fault_report.require(province.audit.healed())


def queries(province: ProcessProvince, case_id: str) -> int:
    """Count what public security was asked about the case."""
    return len(province.look(POLICE, lambda work: work.exchanges.page(POLICE, case_id=case_id)))
