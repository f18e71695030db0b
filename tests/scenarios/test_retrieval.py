"""Art. 8 and 9: the order stays in the county, and the county of enrolment sees every step."""

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.v1 import case_pb2, event_pb2, placement_pb2, retrieval_pb2
from tests.world.estate import (
    SHUIFU,
    WUHUA,
    WUHUA_SCHOOL,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
    ZHENXIONG_TOWNSHIP,
)
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

pytestmark = pytest.mark.every_store

EDUCATION = retrieval_pb2.StepRecord(
    step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
    outcome=retrieval_pb2.STEP_OUTCOME_EFFECTIVE,
    date="2026-11-23",
    service=retrieval_pb2.SERVICE_METHOD_HOME_VISIT,
)


def log_end(world: RunningProvince) -> int:
    """The number of events in the log of 530681."""
    return world.look(SHUIFU, lambda work: work.events.end(SHUIFU))


def test_order_stays_inside_the_county(world: RunningProvince, story: Story) -> None:
    """Scenario 6.

    Given a case that 530681 holds; when it orders a township of 530627; then the order is refused
    and neither an order nor an event nor anything on the bus comes of it.
    """
    story.handed_over(SHUIFU)
    story.body_confirmed(SHUIFU)
    eventually(lambda: "RETRIEVAL_BODY_CONFIRMED" in story.facts(WUHUA), "the last mail")
    before = log_end(world), story.case(SHUIFU)

    refused = story.refused(
        SHUIFU, "RetrievalService/IssueOrder", story.order_request(SHUIFU, ZHENXIONG_TOWNSHIP)
    )

    assert refused.code is grpc.StatusCode.PERMISSION_DENIED
    assert (refused.reason, refused.field) == (Reason.CROSS_COUNTY_ORDER, "township")
    assert refused.facts["county"] == "530627"
    assert (log_end(world), story.case(SHUIFU)) == before
    assert not world.ask(
        SHUIFU, "RetrievalService/ListOrders", retrieval_pb2.ListOrdersRequest()
    ).orders
    world.run(world.observer.caught_up())
    assert not world.observer.between(SHUIFU, ZHENXIONG_TOWNSHIP)


def test_enrolment_county_sees_every_step(world: RunningProvince, story: Story) -> None:
    """From hand-over to watch: what the new holder, its township and its school do arrives at the
    county of enrolment as signed events, in order, and every signature holds.
    """
    story.handed_over(ZHENXIONG)
    order = story.ordered(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    story.seen_by(ZHENXIONG_TOWNSHIP, "IN_RETRIEVAL")
    township = "TOWNSHIP_OFFICER"
    world.act(
        ZHENXIONG_TOWNSHIP,
        "RetrievalService/AcknowledgeOrder",
        retrieval_pb2.AcknowledgeOrderRequest(order_id=order.order_id),
        township,
    )
    world.act(
        ZHENXIONG_TOWNSHIP,
        "RetrievalService/AssignOfficer",
        retrieval_pb2.AssignOfficerRequest(order_id=order.order_id, officer_post=township),
        township,
    )
    world.act(
        ZHENXIONG_TOWNSHIP,
        "RetrievalService/RecordStep",
        retrieval_pb2.RecordStepRequest(order_id=order.order_id, step=EDUCATION),
        township,
    )
    world.act(
        ZHENXIONG,
        "PlacementService/ProposePlacement",
        placement_pb2.ProposePlacementRequest(case_id=story.case_id, school=str(ZHENXIONG_SCHOOL)),
    )
    story.seen_by(ZHENXIONG_SCHOOL)
    world.act(
        ZHENXIONG_SCHOOL,
        "CaseService/RecordReturn",
        case_pb2.RecordReturnRequest(case_id=story.case_id, first_day_attended="2026-11-23"),
        "PRINCIPAL",
    )
    returned = story.seen_by(ZHENXIONG, "RETURNED")
    decided = world.act(
        ZHENXIONG,
        "PlacementService/DecidePlacement",
        placement_pb2.DecidePlacementRequest(
            case_id=story.case_id,
            version=returned.version,
            kind=placement_pb2.PLACEMENT_KIND_REGULAR_CLASS,
        ),
    ).placement
    story.seen_by(ZHENXIONG_SCHOOL, "PLACED")
    world.act(
        ZHENXIONG_SCHOOL,
        "PlacementService/StartPlacement",
        placement_pb2.StartPlacementRequest(
            placement_id=decided.placement_id, start_date="2026-11-23"
        ),
        "PRINCIPAL",
    )
    for org in (ZHENXIONG, ZHENXIONG_SCHOOL, WUHUA, WUHUA_SCHOOL):
        case = story.seen_by(org, "WATCH")
        assert case.holder == str(ZHENXIONG)
        assert case.may_act == (org == ZHENXIONG)

    entries = story.timeline(WUHUA)
    assert all(entry.signature_verified for entry in entries)
    after = [(entry.type.removeprefix("EVENT_TYPE_"), entry.source) for entry in entries]
    after = after[after.index(("TITLE_GRANTED", str(WUHUA))) + 1 :]
    assert after == [
        ("RETRIEVAL_BODY_CONFIRMED", str(ZHENXIONG)),
        ("RETRIEVAL_ORDER_ISSUED", str(ZHENXIONG)),
        ("RETRIEVAL_ORDER_ACKNOWLEDGED", str(ZHENXIONG_TOWNSHIP)),
        ("RETRIEVAL_OFFICER_ASSIGNED", str(ZHENXIONG_TOWNSHIP)),
        ("RETRIEVAL_STEP_RECORDED", str(ZHENXIONG_TOWNSHIP)),
        ("STUDENT_RETURNED", str(ZHENXIONG_SCHOOL)),
        ("RETRIEVAL_ORDER_FULFILLED", str(ZHENXIONG)),
        ("PLACEMENT_DECIDED", str(ZHENXIONG)),
        ("PLACEMENT_STARTED", str(ZHENXIONG_SCHOOL)),
    ]
    for entry in entries:
        verified = world.ask(
            WUHUA,
            "EventService/VerifyEvent",
            event_pb2.VerifyEventRequest(event_id=entry.event_id),
        )
        assert (verified.verified, verified.signer) == (True, entry.source)
