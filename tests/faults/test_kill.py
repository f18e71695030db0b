"""Any process may die at any moment: there is one letter, one acceptance, one order, one holder."""

import contextlib
from collections import Counter
from functools import partial
from uuid import uuid4

import grpc
import pytest
from google.protobuf.message import Message

from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogFilter
from gateway.ports.failpoints import Failpoint
from gateway.v1 import event_pb2, letter_pb2, retrieval_pb2, subject_pb2
from tests.faults.processes import ProcessProvince
from tests.world.estate import POLICE, WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.story import Story
from tests.world.waiting import eventually

E, H = "wuhua", "zhenxiong"
SENDER_POINTS = (
    Failpoint.STORE_BEFORE_COMMIT,
    Failpoint.STORE_AFTER_COMMIT,
    Failpoint.RELAY_AFTER_PACK,
    Failpoint.RELAY_AFTER_PUBLISH,
)
RECEIVER_POINTS = (Failpoint.MAIL_AFTER_COMMIT, Failpoint.MAIL_AFTER_REPLY)
DEATHS_OF_A_LETTER = [*((E, point) for point in SENDER_POINTS), *((H, p) for p in RECEIVER_POINTS)]
DEATHS_OF_AN_ANSWER = [*((H, point) for point in SENDER_POINTS), *((E, p) for p in RECEIVER_POINTS)]


def act_and_die(
    province: ProcessProvince,
    victim: str,
    point: Failpoint,
    org: OrgId,
    method: str,
    request: Message,
) -> None:
    """Arm the victim, act until the act is answered, and bring the victim back when it died.

    The caller repeats the very same request, as a client does that saw its connection break.
    """
    request.request_id = str(uuid4())  # type: ignore[attr-defined]
    province.restart_armed(victim, point)
    deaths = province.process(victim).killed
    with contextlib.suppress(grpc.RpcError):  # the connection may break before the answer
        province.act(org, method, request)
    province.process(victim).died()
    assert province.process(victim).killed == deaths + 1
    province.restart(victim)
    province.act(org, method, request)


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


@pytest.mark.parametrize(("victim", "point"), DEATHS_OF_A_LETTER)
def test_a_letter_arrives_once(province: ProcessProvince, victim: str, point: Failpoint) -> None:
    """Sender or receiver dies around commit, publish and ack: the letter is there once."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    signed = story.signed(ZHENXIONG)
    request = letter_pb2.DispatchLetterRequest(letter_id=story.letter_id, version=signed.version)
    act_and_die(province, victim, point, WUHUA, "LetterService/DispatchLetter", request)
    story.letter(ZHENXIONG, "DELIVERED")
    story.letter(WUHUA, "DELIVERED")
    assert logged(province, ZHENXIONG, story.case_id)["LETTER_DISPATCHED"] == 1
    assert logged(province, WUHUA, story.case_id)["LETTER_DISPATCHED"] == 1
    assert holders(province, story.case_id) == [WUHUA]


@pytest.mark.parametrize(("victim", "point"), DEATHS_OF_AN_ANSWER)
def test_an_acceptance_moves_the_title_once(
    province: ProcessProvince, victim: str, point: Failpoint
) -> None:
    """Receiver or holder dies around the acceptance: one grant, one holder, nobody acts twice."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    request = letter_pb2.AcceptLinesRequest(letter_id=story.letter_id)
    act_and_die(province, victim, point, ZHENXIONG, "LetterService/AcceptLines", request)
    assert story.seen_by(ZHENXIONG, "ASSIGNED").may_act
    story.seen_by(WUHUA, "ASSIGNED")
    for org in (WUHUA, ZHENXIONG):
        facts = logged(province, org, story.case_id)
        assert (facts["LETTER_LINES_ACCEPTED"], facts["TITLE_GRANTED"]) == (1, 1)
        assert titles(province, org, story.case_id) == 2
    assert holders(province, story.case_id) == [ZHENXIONG]


@pytest.mark.parametrize("point", [*SENDER_POINTS, *RECEIVER_POINTS])
def test_an_order_is_issued_once(province: ProcessProvince, point: Failpoint) -> None:
    """The node that orders, and is home to the township, dies: there is one order, once there."""
    story = Story(province)
    story.handed_over(ZHENXIONG)
    story.body_confirmed(ZHENXIONG)
    request: retrieval_pb2.IssueOrderRequest = story.order_request(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    act_and_die(province, H, point, ZHENXIONG, "RetrievalService/IssueOrder", request)
    for org in (ZHENXIONG, ZHENXIONG_TOWNSHIP, WUHUA):
        eventually(partial(one_order, province, org, story.case_id), f"the order at {org}")
        assert logged(province, org, story.case_id)["RETRIEVAL_ORDER_ISSUED"] == 1


def test_the_broker_dies_while_letters_travel(province: ProcessProvince) -> None:
    """The broker is killed again and again between the acts: every letter arrives once."""
    for _ in range(3):
        story = Story(province)
        story.due(ZHENXIONG.division)
        story.dispatched(ZHENXIONG)
        province.restart_broker()
        story.registered(ZHENXIONG)
        province.restart_broker()
        story.accepted(ZHENXIONG)
        province.restart_broker()
        assert story.seen_by(ZHENXIONG, "ASSIGNED").may_act
        assert logged(province, ZHENXIONG, story.case_id)["LETTER_DISPATCHED"] == 1
        assert logged(province, WUHUA, story.case_id)["TITLE_GRANTED"] == 1
        assert holders(province, story.case_id) == [ZHENXIONG]


@pytest.mark.parametrize("point", RECEIVER_POINTS)
def test_a_query_reaches_public_security_once(province: ProcessProvince, point: Failpoint) -> None:
    """The node of public security dies as the query arrives: there is one exchange."""
    story = Story(province)
    story.confirmed()
    story.hukou(ZHENXIONG.division)
    request = subject_pb2.RequestHukouRequest(case_id=story.case_id)
    act_and_die(province, "police", point, WUHUA, "SubjectService/RequestHukou", request)
    eventually(lambda: queries(province, story.case_id) == 2, "the second query")
    assert logged(province, POLICE, story.case_id)["HUKOU_QUERIED"] == 2


@pytest.mark.parametrize("point", SENDER_POINTS)
def test_an_answer_of_public_security_arrives_once(
    province: ProcessProvince, point: Failpoint
) -> None:
    """The node of public security dies as it answers: the bureau gets the answer once."""
    story = Story(province)
    story.confirmed()
    answer = story.hukou_answer(ZHENXIONG.division)
    province.restart_armed("police", point)
    with contextlib.suppress(grpc.RpcError):
        story.push(answer)
    province.process("police").died()
    province.restart("police")
    story.push(answer)
    eventually(lambda: story.case(WUHUA).hukou_county == ZHENXIONG.division, "the answer")
    assert logged(province, WUHUA, story.case_id)["HUKOU_ASSERTED"] == 1


def queries(province: ProcessProvince, case_id: str) -> int:
    """Count what public security was asked about the case."""
    return len(province.look(POLICE, lambda work: work.exchanges.page(POLICE, case_id=case_id)))
