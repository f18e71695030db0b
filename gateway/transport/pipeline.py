"""The way of every call: errors outermost, then identity, policy, decoding, use case, encoding."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.domain.errors import Reason, Refusal
from gateway.log_events import LogEvent, log
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.service.answer_once import answer_once
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.read_events import start_position, subscription_page
from gateway.transport.callers import admit, caller_of
from gateway.transport.methods import COMMANDS, EVENT_STREAM, QUERIES, RECORD_STREAMS
from gateway.transport.refusals import BUSY, FAULT, record_of, status_of
from gateway.v1.event_pb2 import SubscribeRequest, SubscribeResponse

MOST_BYTES = 1024 * 1024
"""Largest request taken; the transport's own limit lies above, so that ours can explain itself."""

_WATCH_SECONDS = 1.0
_RECORDS_AT_ONCE = 64
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True)
class Method:
    """One RPC: its name without the package, and the classes of its messages."""

    name: str
    request: type[Message]
    response: type[Message]

    @classmethod
    def of(cls, descriptor: MethodDescriptor) -> "Method":
        """Read it from the descriptor."""
        return cls(
            f"{descriptor.containing_service.name}/{descriptor.name}",
            GetMessageClass(descriptor.input_type),
            GetMessageClass(descriptor.output_type),
        )


class Pipeline:
    """Carries calls to use cases in the store's transactions."""

    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools
        self.draining = asyncio.Event()

    def unary(self, method: Method) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """Return the handler of an RPC with one request and one answer."""

        async def handle(data: bytes, context: Context) -> bytes:
            async def answer() -> bytes:
                request = _decode(method, data)
                actor = admit(self._tools, method.name, caller_of(context), request)
                response = await self._answer(method, actor, request)
                return response.SerializeToString()

            try:
                return bytes(await self._guarded(method, answer()))
            except Refusal as refusal:
                await context.abort_with_status(status_of(refusal))
                raise

        return handle

    def records(
        self, method: Method
    ) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        """Return the handler of an RPC whose records are answered each for itself."""

        async def handle(items: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
            places = asyncio.Semaphore(_RECORDS_AT_ONCE)
            reader = asyncio.create_task(
                self._read_records(method, items, context, answers, places)
            )
            try:
                while (answer := await answers.get()) is not None:
                    yield answer.result()
                    places.release()  # only now: who does not read its answers sends no more
                await reader
            except Refusal as refusal:
                await context.abort_with_status(status_of(refusal))
            finally:
                reader.cancel()

        return handle

    async def _read_records(
        self,
        method: Method,
        items: AsyncIterator[bytes],
        context: Context,
        answers: "asyncio.Queue[asyncio.Task[bytes] | None]",
        places: asyncio.Semaphore,
    ) -> None:
        """Carry out records as they come, a bounded number at once; None ends the answers."""
        running: set[asyncio.Task[bytes]] = set()

        def answered(task: asyncio.Task[bytes]) -> None:
            running.discard(task)
            answers.put_nowait(task)

        try:
            async for data in items:
                await places.acquire()
                task = asyncio.create_task(self._record(method, data, context))
                running.add(task)
                task.add_done_callback(answered)
            if running:
                await asyncio.wait(running)
        finally:
            answers.put_nowait(None)

    def events(self, method: Method) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        """Return the handler of a subscription: pages of the past, then what arrives."""

        async def handle(data: bytes, context: Context) -> AsyncIterator[bytes]:
            bell = self._store.bell()
            try:
                request = _decode(method, data)
                if not isinstance(request, SubscribeRequest):
                    raise FAULT
                position: int | None = None
                while not self.draining.is_set():
                    bell.clear()
                    # Asked anew for every page: a right that ended yields nothing more.
                    actor = admit(self._tools, method.name, caller_of(context), request)
                    page = await self._guarded(method, self._page(actor, request, position))
                    if page.events or position is None:
                        yield page.SerializeToString()
                    position = page.position
                    if request.stop_at_end and position >= page.end_position:
                        return
                    if position >= page.end_position:
                        await _wait(bell)
            except Refusal as refusal:
                await context.abort_with_status(status_of(refusal))

        return handle

    async def _page(
        self, actor: Actor, request: SubscribeRequest, position: int | None
    ) -> SubscribeResponse:
        def read(work: Work) -> SubscribeResponse:
            desk = self._desk(work, actor)
            after = start_position(desk, request) if position is None else position
            return subscription_page(desk, request, after)

        return await self._store.read(read)

    async def _answer(self, method: Method, actor: Actor, request: Message) -> Message:
        query = QUERIES.get(method.name)
        if query is not None:
            return await self._store.read(lambda work: query(self._desk(work, actor), request))
        command = COMMANDS[method.name]
        return await self._store.write(
            lambda work: answer_once(
                self._desk(work, actor), method.name, request, command, method.response
            )
        )

    async def _record(self, method: Method, data: bytes, context: Context) -> bytes:
        """Answer one record of a stream. Raises Refusal only when the whole call is refused."""
        wrapped = _decode(method, data)
        field, use_case = RECORD_STREAMS[method.name]
        record: Message = getattr(wrapped, field) if field else wrapped
        answer: Any = method.response(request_id=getattr(record, "request_id", ""))
        try:
            actor = admit(self._tools, method.name, caller_of(context), record)
        except Refusal as refusal:
            if refusal.field != "actor_post":  # the post is the record's, all else the caller's
                raise
            answer.refused.CopyFrom(record_of(refusal))
            return bytes(answer.SerializeToString())
        response_class = type(answer.accepted) if field else method.response
        try:
            response = await self._guarded(
                method,
                self._store.write(
                    lambda work: answer_once(
                        self._desk(work, actor), method.name, record, use_case, response_class
                    )
                ),
            )
            if not field:
                return bytes(response.SerializeToString())
            answer.accepted.CopyFrom(response)
        except Refusal as refusal:
            answer.refused.CopyFrom(record_of(refusal))
        return bytes(answer.SerializeToString())

    async def _guarded(self, method: Method, work: Awaitable[Any]) -> Any:
        """Await the work; whatever it raises becomes a refusal that discloses nothing."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task})
        fault = task.exception()
        if fault is None:
            return task.result()
        if isinstance(fault, Refusal):
            log(LogEvent.RPC_REFUSED, method=method.name, reason=fault.reason)
            raise fault
        if isinstance(fault, StoreUnavailable):
            raise BUSY from fault
        log(LogEvent.RPC_FAILED, level="error", method=method.name, fault=type(fault).__name__)
        raise FAULT from fault

    def _desk(self, work: Work, actor: Actor) -> Desk:
        return Desk(work, self._tools, actor, self._tools.clock.now())


def _decode(method: Method, data: bytes) -> Message:
    """Parse a request. Raises Refusal(TOO_LARGE or MALFORMED_REQUEST)."""
    if len(data) > MOST_BYTES:
        raise Refusal(
            Reason.TOO_LARGE,
            f"The request has {len(data)} bytes; {MOST_BYTES} are taken.",
            "Send less at once, or use the streaming method.",
        )
    try:
        return method.request.FromString(data)
    except DecodeError:
        raise Refusal(
            Reason.MALFORMED_REQUEST,
            "The bytes are no valid request of this method.",
            "Encode the request with the contract's definitions.",
        ) from None


async def _wait(bell: asyncio.Event) -> None:
    try:
        # Not wait_for: before Python 3.12 it can swallow a cancellation.
        async with asyncio.timeout(_WATCH_SECONDS):
            await bell.wait()
    except TimeoutError:
        return


def handler_of(
    pipeline: Pipeline, descriptor: MethodDescriptor
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return the gRPC handler of an RPC. Raises LookupError for one without a use case."""
    method = Method.of(descriptor)
    if method.name in RECORD_STREAMS:
        return grpc.stream_stream_rpc_method_handler(pipeline.records(method))
    if method.name == EVENT_STREAM:
        return grpc.unary_stream_rpc_method_handler(pipeline.events(method))
    if method.name in COMMANDS or method.name in QUERIES:
        return grpc.unary_unary_rpc_method_handler(pipeline.unary(method))
    raise LookupError(f"{method.name} has no use case")
