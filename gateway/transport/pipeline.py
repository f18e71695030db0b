"""The way of every call: errors outermost, then identity, policy, decoding, use case, encoding."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.codec import fields
from gateway.domain.errors import Reason, Refusal
from gateway.log_events import LogEvent, log
from gateway.ports.store import PartFailed, Store, StoreUnavailable, Work
from gateway.service.answer_once import answer_once
from gateway.service.desk import Actor, Desk, Tools
from gateway.transport.callers import admit, caller_of
from gateway.transport.methods import COMMANDS, QUERIES, RECORD_STREAMS
from gateway.transport.places import Places
from gateway.transport.refusals import FAULT, NO_STORE, record_of, status_of

MOST_BYTES = 1024 * 1024
"""Largest request taken; the transport's own limit lies above, so that ours can explain itself."""

_RECORDS_AT_ONCE = 64
_RECORDS_IN_A_MESSAGE = 100
_MOST_CALLS = 1000
_ANY = ""
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
        self.store = store
        self.tools = tools
        self.draining = asyncio.Event()
        self.called_at = -math.inf  # by the clock of the loop: when the last call came
        self._calls = Places(
            _MOST_CALLS, "calls under way at this node", "Try again shortly, with fewer at once."
        )

    def unary(self, method: Method) -> Callable[[bytes, Context], Awaitable[bytes]]:
        """Return the handler of an RPC with one request and one answer."""

        async def handle(data: bytes, context: Context) -> bytes:
            self.called_at = asyncio.get_running_loop().time()

            async def answer() -> bytes:
                request = self.decode(method, data)
                actor = admit(self.tools, method.name, caller_of(context), request)
                response = await self._answer(method, actor, request)
                return response.SerializeToString()

            try:
                with self._calls.taken(_ANY):
                    return bytes(await self.guarded(method, answer()))
            except Refusal as refusal:
                await context.abort_with_status(status_of(refusal))
                raise

        return handle

    def records(
        self, method: Method
    ) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        """Return the handler of an RPC whose records are answered each for itself."""

        async def handle(items: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            self.called_at = asyncio.get_running_loop().time()
            answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
            places = asyncio.Semaphore(_RECORDS_AT_ONCE)
            try:
                with self._calls.taken(_ANY):
                    reader = asyncio.create_task(
                        self._read_records(method, items, context, answers, places)
                    )
                    try:
                        while (answer := await answers.get()) is not None:
                            yield answer.result()
                            places.release()  # who does not read its answers sends no more
                        await reader
                    finally:
                        reader.cancel()
            except Refusal as refusal:
                await context.abort_with_status(status_of(refusal))

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

    async def _answer(self, method: Method, actor: Actor, request: Message) -> Message:
        query = QUERIES.get(method.name)
        if query is not None:
            return await self.store.read(lambda work: query(self.desk(work, actor), request))
        command = COMMANDS[method.name]
        return await self.store.write(
            lambda work: answer_once(
                self.desk(work, actor), method.name, request, command, method.response
            )
        )

    async def _record(self, method: Method, data: bytes, context: Context) -> bytes:
        """Answer one message of a stream. Raises Refusal only when the whole call is refused."""
        wrapped = self.decode(method, data)
        stream = RECORD_STREAMS[method.name]
        records = list(getattr(wrapped, stream.many)) if stream.many else []
        if len(records) > _RECORDS_IN_A_MESSAGE:
            raise fields.invalid(
                stream.many,
                f"More than {_RECORDS_IN_A_MESSAGE} records in one message.",
                "Spread them over several messages of the stream.",
            )
        if records:
            answers = await self._answer_records(method, records, context)
            return bytes(method.response(answers=answers).SerializeToString())
        record = getattr(wrapped, stream.one) if stream.one else wrapped
        (answer,) = await self._answer_records(method, [record], context)
        return bytes(answer.SerializeToString())

    async def _answer_records(
        self, method: Method, records: Sequence[Any], context: Context
    ) -> list[Message]:
        """Carry out records in one transaction; what one is refused for leaves the others be."""
        org = caller_of(context)
        actors: list[Actor | Refusal] = []
        for record in records:
            try:
                actors.append(admit(self.tools, method.name, org, record))
            except Refusal as refusal:
                if refusal.field != "actor_post":  # the post is the record's, all else the caller's
                    raise
                actors.append(refusal)

        def task(work: Work) -> list[Message | Refusal]:
            return [
                actor if isinstance(actor, Refusal) else self._attempt(work, method, actor, record)
                for actor, record in zip(actors, records, strict=True)
            ]

        try:
            outcomes = await self.guarded(method, self.store.write(task))
        except Refusal as refusal:
            outcomes = [refusal] * len(records)
        return [
            self._answered(method, record, outcome)
            for record, outcome in zip(records, outcomes, strict=True)
        ]

    def _attempt(
        self, work: Work, method: Method, actor: Actor, record: Message
    ) -> Message | Refusal:
        stream = RECORD_STREAMS[method.name]
        response = type(method.response().accepted) if stream.one else method.response  # type: ignore[attr-defined]
        try:
            with work.attempt():
                return answer_once(
                    self.desk(work, actor), method.name, record, stream.use_case, response
                )
        except Refusal as refusal:
            return refusal
        except PartFailed as fault:
            log(LogEvent.RPC_FAILED, level="error", method=method.name, fault=str(fault))
            return FAULT

    def _answered(self, method: Method, record: Any, outcome: Message | Refusal) -> Message:
        answer: Any = method.response(request_id=record.request_id)
        if isinstance(outcome, Refusal):
            log(LogEvent.RPC_REFUSED, method=method.name, reason=outcome.reason)
            answer.refused.CopyFrom(record_of(outcome))
        elif RECORD_STREAMS[method.name].one:
            answer.accepted.CopyFrom(outcome)
        else:
            return outcome
        return cast("Message", answer)

    async def guarded(self, method: Method, work: Awaitable[Any]) -> Any:
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
            raise NO_STORE from fault
        log(LogEvent.RPC_FAILED, level="error", method=method.name, fault=type(fault).__name__)
        raise FAULT from fault

    def desk(self, work: Work, actor: Actor) -> Desk:
        """Return the desk of an actor in a transaction."""
        return Desk(work, self.tools, actor, self.tools.clock.now())

    @staticmethod
    def decode(method: Method, data: bytes) -> Message:
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
