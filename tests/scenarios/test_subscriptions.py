"""Subscribers of a log: pages that prove their completeness, and what could not be processed."""

import threading
from queue import Queue

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.domain.log_chain import START, head_of
from gateway.v1 import event_pb2
from tests.world.clients import Refused, refusal_of
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.running import RunningProvince
from tests.world.story import Story

SUBSCRIBE, ACK, REJECT = (
    f"EventService/{name}" for name in ("Subscribe", "AckEvents", "RejectEvent")
)
LIST, REDELIVER = "EventService/ListRejectedEvents", "EventService/RedeliverEvent"
Page = event_pb2.SubscribeResponse


def read(world: RunningProvince, **request: object) -> list[Page]:
    """Read a subscription of 五华区 up to the present end of its log."""
    wanted = event_pb2.SubscribeRequest(stop_at_end=True, **request)  # type: ignore[arg-type]
    return list(world.clients.pages(WUHUA, SUBSCRIBE, wanted))


def refused(world: RunningProvince, **request: object) -> Refused:
    """Why a subscription is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        read(world, **request)
    return refusal_of(caught.value)


def payloads(page: Page) -> list[bytes]:
    """The signed bytes of the events on a page."""
    return [logged.envelope.payload for logged in page.events]


def is_complete(page: Page, head: bytes, after: int) -> bool:
    """Whether a page proves that it goes on where one was, and leaves nothing out."""
    return page.previous_head == head and page.head == head_of(head, after, payloads(page))


def proved(pages: list[Page], head: bytes = START, after: int = 0) -> tuple[bytes, int]:
    """Check a run of pages and return the head and position it ends with."""
    for page in pages:
        assert is_complete(page, head, after), f"pages after {after} prove nothing"
        head, after = page.head, page.position
    return head, after


@pytest.mark.every_store
def test_pages_prove_that_nothing_is_missing(world: RunningProvince, story: Story) -> None:
    """From the first event on, each page hangs on the one before; a page that leaves out, changes,
    moves or adds one event proves nothing.
    """
    story.due("530681")
    pages = read(world, after_position=0, page_size=2)
    head, end = proved(pages)
    assert end == pages[-1].end_position
    assert proved(read(world, after_position=0)) == (head, end)

    for spoil in (
        lambda page: page.events.pop(0),
        lambda page: page.events.reverse(),
        lambda page: page.events.append(page.events[0]),
        lambda page: setattr(page.events[1].envelope, "payload", b"other"),
    ):
        spoilt = Page()
        spoilt.CopyFrom(pages[0])
        spoil(spoilt)
        assert not is_complete(spoilt, START, 0)


def test_any_position_can_be_the_first(world: RunningProvince, story: Story) -> None:
    """Replayed from any position, with the head remembered there, the pages hang on to it."""
    story.due("530681")
    whole = [logged for page in read(world, after_position=0) for logged in page.events]
    for after in range(len(whole)):
        head = head_of(START, 0, [logged.envelope.payload for logged in whole[:after]])
        pages = read(world, after_position=after, after_head=head, page_size=3)
        assert [logged for page in pages for logged in page.events] == whole[after:]
        proved(pages, head, after)


def test_a_filter_keeps_the_heads_of_the_log(world: RunningProvince, story: Story) -> None:
    """Between the pages of a filtered subscription the heads of the log still meet."""
    story.due("530681")
    confirmed = event_pb2.EventFilter(types=[event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED])
    pages = read(world, after_position=0, filter=confirmed, page_size=1)
    heads = [START, *(page.head for page in pages)]
    assert [page.previous_head for page in pages] == heads[:-1]
    assert heads[-1] == proved(read(world, after_position=0))[0]


def test_another_log_than_the_one_remembered_is_told(world: RunningProvince, story: Story) -> None:
    """A position that the log does not have, or with another head there, is refused by name, on
    reading and on acknowledging: so a log that was restored is never taken for the one before.
    """
    story.reported()
    story.submitted()
    head, end = proved(read(world, after_position=0))
    assert refused(world, after_position=end, after_head=START).reason is Reason.LOG_DIVERGED
    assert refused(world, after_position=end + 1).reason is Reason.LOG_DIVERGED
    wrong = event_pb2.AckEventsRequest(subscriber="heads", position=end, head=START)
    told = world.refused(WUHUA, ACK, wrong)
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.LOG_DIVERGED)
    right = event_pb2.AckEventsRequest(subscriber="heads", position=end, head=head)
    assert world.act(WUHUA, ACK, right).position == end


@pytest.mark.every_store
def test_subscribers_are_listed_with_their_lag(world: RunningProvince, story: Story) -> None:
    """A subscriber is known from the moment it subscribes by name, with position and lag."""
    story.reported()
    story.submitted()
    end = read(world, subscriber="lagging", page_size=1)[-1].end_position
    world.act(WUHUA, ACK, event_pb2.AckEventsRequest(subscriber="lagging", position=1))
    for name in ("a-first", "z-last"):
        read(world, subscriber=name)
    found: list[event_pb2.Subscriber] = []
    token = ""
    while not found or token:
        request = event_pb2.ListSubscribersRequest(page_size=2, page_token=token)
        answer = world.ask(WUHUA, "EventService/ListSubscribers", request)
        found += answer.subscribers
        token = answer.next_page_token
    names = [one.subscriber for one in found]
    assert names == sorted(names)
    assert {"a-first", "lagging", "z-last"} <= set(names)
    lagging = found[names.index("lagging")]
    assert (lagging.position, lagging.rejected_count) == (1, 0)
    assert lagging.lag >= end - 1
    others = world.ask(
        ZHENXIONG, "EventService/ListSubscribers", event_pb2.ListSubscribersRequest()
    )
    assert "lagging" not in [one.subscriber for one in others.subscribers]


def test_rejected_event_comes_again_when_it_is_wanted(world: RunningProvince, story: Story) -> None:
    """A subscriber sets an event aside and goes on; wanted again, it comes beside the log on the
    stream that is open, once; rejected anew it stays on the list, dealt with it leaves it.
    """
    story.reported()
    story.submitted()
    name = "importer"
    first = read(world, subscriber=name)[0].events[0].event.event_id
    end = read(world)[-1].end_position
    world.act(WUHUA, ACK, event_pb2.AckEventsRequest(subscriber=name, position=end))

    def set_aside(code: str) -> event_pb2.RejectedEvent:
        request = event_pb2.RejectEventRequest(subscriber=name, event_id=first, reason_code=code)
        rejected: event_pb2.RejectedEvent = world.act(WUHUA, REJECT, request).rejected
        return rejected

    def listed() -> list[event_pb2.RejectedEvent]:
        request = event_pb2.ListRejectedEventsRequest(subscriber=name)
        return list(world.ask(WUHUA, LIST, request).rejected_events)

    def wanted_again() -> event_pb2.RejectedEvent:
        request = event_pb2.RedeliverEventRequest(subscriber=name, event_id=first)
        rejected: event_pb2.RejectedEvent = world.act(WUHUA, REDELIVER, request).rejected
        return rejected

    assert (set_aside("NO_MAPPING").times, listed()[0].reason_code) == (1, "NO_MAPPING")
    again: Queue[str] = Queue()
    stream = world.clients.pages(WUHUA, SUBSCRIBE, event_pb2.SubscribeRequest(subscriber=name))

    def listen() -> None:
        try:
            for page in stream:
                for logged in page.redelivered:
                    again.put(logged.event.event_id)
        except grpc.RpcError:
            return  # cancelled: the test's own way to end

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        for times in (1, 2):
            assert wanted_again().redelivery_wanted
            assert again.get(timeout=30) == first
            rejected = set_aside("STILL")
            assert (rejected.times, rejected.redelivery_wanted) == (times + 1, False)
        assert wanted_again().times == 3
        assert again.get(timeout=30) == first
        done = event_pb2.AckEventsRequest(subscriber=name, position=end, event_ids=[first])
        world.act(WUHUA, ACK, done)
    finally:
        stream.cancel()
        listener.join(30)
    assert again.empty()
    assert listed() == []
    gone = event_pb2.RedeliverEventRequest(subscriber=name, event_id=first)
    assert world.refused(WUHUA, REDELIVER, gone).reason is Reason.NOT_FOUND


@pytest.mark.parametrize("code", ["", "no mapping", "lower", "姓名", "X" * 41])
def test_reason_is_a_code_never_text(world: RunningProvince, story: Story, code: str) -> None:
    """Free text could name a child, so a reason has the form of a code."""
    story.reported()
    story.submitted()
    event_id = read(world)[0].events[0].event.event_id
    request = event_pb2.RejectEventRequest(
        subscriber="importer", event_id=event_id, reason_code=code
    )
    told = world.refused(WUHUA, REJECT, request)
    assert (told.reason, told.field) == (Reason.INVALID_FIELD, "reason_code")


def test_event_of_others_cannot_be_rejected(world: RunningProvince, story: Story) -> None:
    """Only what stands in the caller's own log can be set aside."""
    story.reported()
    story.submitted()
    event_id = read(world)[0].events[0].event.event_id
    request = event_pb2.RejectEventRequest(
        subscriber="importer", event_id=event_id, reason_code="X"
    )
    assert world.refused(ZHENXIONG, REJECT, request).reason is Reason.NOT_FOUND
