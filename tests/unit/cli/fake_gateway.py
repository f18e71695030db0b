"""A gateway that answers what it is told and keeps what it was asked, over real gRPC."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from grpc_status import rpc_status

from gateway import v1

FILES = [
    import_module(f"gateway.v1.{module.name}").DESCRIPTOR
    for module in iter_modules(v1.__path__)
    if module.name.endswith("_pb2")
]
"""Descriptor of every file of the contract."""

Answer = Message | Sequence[Message | Exception] | Exception | Callable[[Any], Message]


def contract_methods() -> list[MethodDescriptor]:
    """Every method of the contract."""
    return [
        method
        for file in FILES
        for service in file.services_by_name.values()
        for method in service.methods
    ]


class Refuse(Exception):
    """Make the fake refuse a call with this status."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            packed = Packed()
            packed.Pack(detail)
            self.status.details.append(packed)


class FakeGateway:
    """Every method of the contract; unprepared ones give an empty answer.

    Attributes:
        asked: the requests in order.
        deadlines: seconds left when each call arrived.
        answers: name of a request -> what to answer: a message, messages of a stream, a function
            of the request, or an exception.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.asked: list[Message] = []
        self.deadlines: list[float] = []
        self.answers: dict[str, Answer] = {}
        self._server = grpc.server(ThreadPoolExecutor(4))
        for method in contract_methods():
            service = method.containing_service.full_name
            handler = self._handler(method)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, {method.name: handler}),)
            )
        if credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"localhost:{self.port}"

    def channel(self) -> grpc.Channel:
        """Open a channel to it."""
        return grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def stop(self) -> None:
        """Stop at once."""
        self._server.stop(None).wait()

    def names(self) -> list[str]:
        """Names of the requests asked, in order."""
        return [request.DESCRIPTOR.name for request in self.asked]

    def _handler(self, method: MethodDescriptor) -> Any:
        empty = GetMessageClass(method.output_type)()
        codec: dict[str, Any] = {
            "request_deserializer": GetMessageClass(method.input_type).FromString,
            "response_serializer": GetMessageClass(method.output_type).SerializeToString,
        }

        def answer(request: Message, context: grpc.ServicerContext) -> Any:
            self.asked.append(request)
            self.deadlines.append(context.time_remaining())
            prepared = self.answers.get(request.DESCRIPTOR.name, empty)
            if isinstance(prepared, Refuse):
                context.abort_with_status(rpc_status.to_status(prepared.status))
            if isinstance(prepared, Message | list):
                return prepared
            assert callable(prepared)
            return prepared(request)

        def stream(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            prepared = answer(request, context)
            for one in prepared if isinstance(prepared, list) else [prepared]:
                if isinstance(one, Refuse):
                    context.abort_with_status(rpc_status.to_status(one.status))
                yield one

        def talk(requests: Iterator[Message], context: grpc.ServicerContext) -> Iterator[Message]:
            for request in requests:
                yield answer(request, context)

        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(talk, **codec)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream, **codec)
        return grpc.unary_unary_rpc_method_handler(answer, **codec)
