"""The log of facts: pages, filters, resuming, acknowledging, following, verifying."""

import threading

import grpc

from gateway.domain.errors import Reason
from gateway.v1 import event_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.world.estate import POLICE, WUHUA, ZHENXIONG
from tests.world.running import RunningProvince
from tests.world.story import Story

SUBSCRIBE = "EventService/Subscribe"


def read(
    world: RunningProvince, request: event_pb2.SubscribeRequest
) -> list[event_pb2.SubscribeResponse]:
    """Read a subscription of 五华区 up to the present end of its log."""
    request.stop_at_end = True
    return list(world.clients.pages(WUHUA, SUBSCRIBE, request))


def positions(pages: list[event_pb2.SubscribeResponse]) -> list[int]:
    """The positions of all events, in the order in which they came."""
    return [logged.position for page in pages for logged in page.events]


def test_pages_follow_the_log_without_holes(world: RunningProvince, story: Story) -> None:
    """Pages hold at most the asked number of events, in log order, each position once."""
    story.due("530681")
    pages = read(world, event_pb2.SubscribeRequest(after_position=0, page_size=2))

    assert all(len(page.events) <= 2 for page in pages)
    assert positions(pages) == list(range(1, pages[-1].end_position + 1))
    assert pages[-1].position == pages[-1].end_position
    for page in pages:
        for logged in page.events:
            assert logged.event == event_pb2.Event.FromString(logged.envelope.payload)


def test_filters_by_case_type_and_source(world: RunningProvince, story: Story) -> None:
    """A filter lets through only its case, its types and its source; the position still moves."""
    story.due("530681")
    confirmed = event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED
    for wanted, expected in (
        (event_pb2.EventFilter(case_id=story.case_id), set(story.facts(WUHUA))),
        (
            event_pb2.EventFilter(case_id=story.case_id, types=[confirmed]),
            {"DROPOUT_CONFIRMED"},
        ),
        (
            event_pb2.EventFilter(case_id=story.case_id, source=str(POLICE)),
            {"HUKOU_ASSERTED"},
        ),
    ):
        pages = read(world, event_pb2.SubscribeRequest(after_position=0, filter=wanted))
        found = {
            event_pb2.EventType.Name(logged.event.type).removeprefix("EVENT_TYPE_")
            for page in pages
            for logged in page.events
        }
        assert found == expected
        assert pages[-1].position == pages[-1].end_position


def test_named_subscriber_resumes_where_it_acknowledged(
    world: RunningProvince, story: Story
) -> None:
    """After AckEvents a subscription of that name begins behind the acknowledged position; an
    acknowledgement never goes back nor beyond the log.
    """
    story.reported()
    story.submitted()
    first = read(world, event_pb2.SubscribeRequest(subscriber="school-desk", page_size=1))
    assert positions(first)[0] == 1
    acknowledge = event_pb2.AckEventsRequest(subscriber="school-desk", position=1)
    assert world.act(WUHUA, "EventService/AckEvents", acknowledge).position == 1

    resumed = read(world, event_pb2.SubscribeRequest(subscriber="school-desk"))
    assert positions(resumed)[0] == 2
    other = read(world, event_pb2.SubscribeRequest(subscriber="another-desk"))
    assert positions(other)[0] == 1
    for wrong in (0, 10**9):
        refused = world.refused(
            WUHUA,
            "EventService/AckEvents",
            event_pb2.AckEventsRequest(subscriber="school-desk", position=wrong),
        )
        assert (refused.reason, refused.field) == (Reason.INVALID_FIELD, "position")


def test_attached_subscriber_hears_what_arrives(world: RunningProvince, story: Story) -> None:
    """A subscription that has reached the end goes on with what arrives."""
    end = read(world, event_pb2.SubscribeRequest(after_position=0))[-1].end_position
    stream = world.clients.pages(WUHUA, SUBSCRIBE, event_pb2.SubscribeRequest(after_position=end))
    heard: list[event_pb2.Event] = []
    enough = threading.Event()

    def listen() -> None:
        try:
            for page in stream:
                heard.extend(logged.event for logged in page.events)
                if any(event.type == event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED for event in heard):
                    enough.set()
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.CANCELLED  # noqa: PT017 # the test's own way to end

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        story.confirmed()
        assert enough.wait(30)
    finally:
        stream.cancel()
        listener.join(30)
    mine = [event.type for event in heard if story.case_id in {c.case_id for c in event.cases}]
    assert mine[:2] == [
        event_pb2.EVENT_TYPE_SUSPECTED_DROPOUT_SUBMITTED,
        event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED,
    ]


def test_events_carry_no_identity(world: RunningProvince, story: Story) -> None:
    """What a subscriber gets holds commitments to identity, never identity."""
    story.handed_over(ZHENXIONG)
    pages = read(
        world,
        event_pb2.SubscribeRequest(
            after_position=0, filter=event_pb2.EventFilter(case_id=story.case_id)
        ),
    )
    events = [logged.event for page in pages for logged in page.events]
    assert any(event.commitments for event in events)
    for page in pages:
        assert not world.disclosed(page.SerializeToString().decode("utf-8", "ignore"))


def test_verification_names_the_step_that_fails(world: RunningProvince, story: Story) -> None:
    """A signed event verifies for whoever brings it; one changed byte makes a named step fail."""
    story.confirmed()
    logged = read(
        world,
        event_pb2.SubscribeRequest(
            after_position=0, filter=event_pb2.EventFilter(case_id=story.case_id)
        ),
    )[0].events[0]

    def verify(envelope: SignedEnvelope) -> event_pb2.VerifyEventResponse:
        answer: event_pb2.VerifyEventResponse = world.ask(
            ZHENXIONG,
            "EventService/VerifyEvent",
            event_pb2.VerifyEventRequest(envelope=envelope),
        )
        return answer

    good = verify(logged.envelope)
    assert good.verified
    assert good.signer == logged.event.source
    assert all(step.passed for step in good.steps)

    tampered = SignedEnvelope()
    tampered.CopyFrom(logged.envelope)
    tampered.payload = tampered.payload[:-1] + bytes([tampered.payload[-1] ^ 1])
    bad = verify(tampered)
    assert not bad.verified
    assert [step.name for step in bad.steps if not step.passed] == [
        "the signature matches the bytes"
    ]


def test_event_of_others_is_not_found(world: RunningProvince, story: Story) -> None:
    """An event that is not in the caller's log does not exist for it."""
    story.confirmed()
    event_id = story.timeline(WUHUA)[0].event_id
    found = world.ask(WUHUA, "EventService/GetEvent", event_pb2.GetEventRequest(event_id=event_id))
    assert found.event.event.event_id == event_id

    refused = world.refused(
        ZHENXIONG, "EventService/GetEvent", event_pb2.GetEventRequest(event_id=event_id)
    )
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, Reason.NOT_FOUND)
