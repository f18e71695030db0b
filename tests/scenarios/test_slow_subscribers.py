"""A subscriber that does not read holds little, and not for ever; large logs fit any client."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.store.work import SqlWork
from gateway.transport import methods, page_streams
from gateway.v1 import event_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.stores import Stores
from tests.world.clients import refusal_of
from tests.world.estate import SHUIFU, WUHUA
from tests.world.running import RunningProvince
from tests.world.running_estate import TWO_COUNTIES
from tests.world.waiting import eventually

SUBSCRIBE = "EventService/Subscribe"
DEFAULT_LIMIT = 4 * 1024 * 1024
"""Bytes that a gRPC client takes in one message unless told otherwise."""

LARGE, COUNT = 200_000, 300  # bytes of an event, events in the log: far beyond every buffer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[RunningProvince]:
    """Two counties; the log of 五华区 holds many of the largest events."""
    province = RunningProvince(tmp_path_factory.mktemp("province"), TWO_COUNTIES, stores)
    try:
        province.start()
        with province.engine("wuhua").begin() as connection:
            work = SqlWork(connection, bytes(32))
            for _ in range(COUNT):
                large_event(work)
        yield province
    finally:
        province.close()


def large_event(work: SqlWork) -> None:
    """Put an event into the log as if it had been stated."""
    event = event_pb2.Event(
        event_id=str(uuid4()), source=str(WUHUA), legal_basis=["article " * 20] * (LARGE // 160)
    )
    envelope = SignedEnvelope(payload=event.SerializeToString())
    work.events.append(
        WUHUA,
        event_id=event.event_id,
        kind=event_pb2.EVENT_TYPE_DROPOUT_CONFIRMED,
        source=str(WUHUA),
        case_ids=(),
        logged_at=datetime.now(UTC),
        envelope=envelope.SerializeToString(),
    )


@pytest.fixture
def pages_made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every page that any stream makes."""
    made: list[int] = []
    stream = methods.PAGE_STREAMS[SUBSCRIBE]

    def counted(*arguments: Any) -> Any:
        page = stream.page(*arguments)
        made.append(1)
        return page

    changed = dict(methods.PAGE_STREAMS) | {SUBSCRIBE: methods.PageStream(counted, stream.opening)}
    monkeypatch.setattr(page_streams, "PAGE_STREAMS", changed)
    return made


def test_every_page_fits_a_client_as_it_comes(world: RunningProvince) -> None:
    """However many events a page may hold, it stays below what clients take, and none is lost."""
    request = event_pb2.SubscribeRequest(after_position=0, page_size=500, stop_at_end=True)
    pages = list(world.clients.pages(WUHUA, SUBSCRIBE, request))
    positions = [logged.position for page in pages for logged in page.events]
    assert positions == list(range(1, pages[-1].end_position + 1))
    assert max(page.ByteSize() for page in pages) < DEFAULT_LIMIT


def test_reader_that_does_not_read_is_bounded(
    world: RunningProvince,
    pages_made: list[int],
    logs: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pages are made only as the reader takes them. One that stops reading ends after a while with
    a status that says how to go on, and its place is free again.
    """
    monkeypatch.setattr(page_streams, "SEND_SECONDS", 1.0)
    monkeypatch.setattr(page_streams, "_END_SECONDS", 0.5)
    request = event_pb2.SubscribeRequest(after_position=0, page_size=500)
    stream = world.clients.pages(WUHUA, SUBSCRIBE, request)
    first = next(stream)
    eventually(
        lambda: any(line["event"] == "subscriber.slow" for line in logs), "the end of the stream"
    )
    whole = -(-COUNT // len(first.events))
    assert len(pages_made) < whole * 2 / 3, "pages were made that nobody took"

    with pytest.raises(grpc.RpcError) as caught:
        list(stream)
    told = refusal_of(caught.value)
    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, Reason.UNAVAILABLE)
    assert "Subscribe again" in told.advice


def test_streams_are_bounded_for_each_organisation(
    world: RunningProvince, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its places an organisation is refused with advice; its calls and others' streams are
    not; a stream that is closed leaves its place.
    """
    request = event_pb2.SubscribeRequest(after_position=COUNT)
    with ExitStack() as opened:
        streams = []
        for _ in range(page_streams.MOST_STREAMS):
            stream = world.clients.pages(WUHUA, SUBSCRIBE, request)
            opened.callback(stream.cancel)
            next(stream)
            streams.append(stream)
        with pytest.raises(grpc.RpcError) as caught:
            next(world.clients.pages(WUHUA, SUBSCRIBE, request))
        told = refusal_of(caught.value)
        assert (told.code, told.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            Reason.TOO_MANY,
        )
        assert told.advice
        world.ask(WUHUA, "EventService/ListSubscribers", event_pb2.ListSubscribersRequest())
        other = world.clients.pages(SHUIFU, SUBSCRIBE, event_pb2.SubscribeRequest())
        opened.callback(other.cancel)
        next(other)
        streams[0].cancel()

        def another() -> bool:
            stream = world.clients.pages(WUHUA, SUBSCRIBE, request)
            opened.callback(stream.cancel)
            try:
                return bool(next(stream).position)
            except grpc.RpcError:
                return False

        eventually(another, "a free place")
