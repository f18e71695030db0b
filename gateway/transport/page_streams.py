"""RPCs that answer with pages: first the past, then, if asked, what arrives.

A reader that does not read holds little, and not for ever: the next page is made only when the
transport has taken the one before, which its flow control allows only as the client reads; after a
while the stream ends. Streams do not count among the calls; each organisation has some places.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from gateway.domain.errors import Reason, Refusal
from gateway.log_events import LogEvent, log
from gateway.service.bell import rung
from gateway.service.pages import Page
from gateway.transport.callers import admit, caller_of
from gateway.transport.methods import PAGE_STREAMS
from gateway.transport.pipeline import Context, Method, Pipeline
from gateway.transport.places import Places
from gateway.transport.refusals import status_of

MOST_STREAMS = 32
"""Streams that one organisation may have open at once."""

SEND_SECONDS = 30.0
"""How long a page may wait for its reader."""

_END_SECONDS = 5.0  # the status of a stream stands behind the page that nobody reads
_WATCH_SECONDS = 1.0

_STOPPING = Refusal(
    Reason.UNAVAILABLE,
    "The node is stopping.",
    "Subscribe again shortly, after the last position dealt with.",
)


class PageStreams:
    """Serves the streams of one node."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._places = Places(
            MOST_STREAMS,
            "streams of this organisation open",
            "Close streams that nobody reads; one stream can serve many readers of yours.",
        )

    def handler(self, method: Method) -> Callable[[bytes, Context], Awaitable[None]]:
        """Return the handler of one RPC."""

        async def handle(data: bytes, context: Context) -> None:
            try:
                request = self._pipeline.decode(method, data)
                with self._places.taken(caller_of(context)):
                    await self._serve(method, request, context)
            except Refusal as refusal:
                await _end(context, refusal)

        return handle

    async def _serve(self, method: Method, request: Message, context: Context) -> None:
        bell = self._pipeline.store.bell()
        opening = PAGE_STREAMS[method.name].opening
        cursor: Any = None
        if opening is not None:
            desk = self._desk(method, request, context)
            store = self._pipeline.store
            await self._pipeline.guarded(
                method, store.write(lambda work: opening(desk(work), request))
            )
        while not self._pipeline.draining.is_set():
            bell.clear()
            page = await self._page(method, request, context, cursor)
            if page.response is not None:
                await _send(method, context, page.response.SerializeToString())
            cursor = page.cursor
            if page.last:
                return
            if not page.more:
                await rung(bell, _WATCH_SECONDS)
        raise _STOPPING

    async def _page(self, method: Method, request: Message, context: Context, cursor: Any) -> Page:
        desk, use_case = self._desk(method, request, context), PAGE_STREAMS[method.name].page
        page: Page = await self._pipeline.guarded(
            method,
            self._pipeline.store.read(lambda work: use_case(desk(work), request, cursor)),
        )
        return page

    def _desk(self, method: Method, request: Message, context: Context) -> Callable[[Any], Any]:
        # Asked anew for every page: a right that ended yields nothing more.
        actor = admit(self._pipeline.tools, method.name, caller_of(context), request)
        return lambda work: self._pipeline.desk(work, actor)


async def _send(method: Method, context: Context, page: bytes) -> None:
    """Hand a page over; it returns when the transport has room for another.

    Raises Refusal(UNAVAILABLE) when the reader did not make room in time.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await context.write(page)
    except TimeoutError:
        org = caller_of(context)
        log(LogEvent.SUBSCRIBER_SLOW, level="warning", method=method.name, org=str(org))
        raise Refusal(
            Reason.UNAVAILABLE,
            f"The page before was not read within {SEND_SECONDS:.0f} seconds.",
            "Subscribe again after the last position dealt with, and read as fast as pages come.",
        ) from None


async def _end(context: Context, refusal: Refusal) -> None:
    try:
        async with asyncio.timeout(_END_SECONDS):
            await context.abort_with_status(status_of(refusal))
    except TimeoutError:
        return  # it reads neither page nor status; the transport drops both with the connection
