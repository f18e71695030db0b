"""From an RPC of the contract to the handler that serves it."""

from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from gateway.transport.methods import COMMANDS, PAGE_STREAMS, QUERIES, RECORD_STREAMS
from gateway.transport.page_streams import PageStreams
from gateway.transport.pipeline import Method, Pipeline


def handler_of(
    pipeline: Pipeline, streams: PageStreams, descriptor: MethodDescriptor
) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return the gRPC handler of an RPC. Raises LookupError for one without a use case."""
    method = Method.of(descriptor)
    if method.name in RECORD_STREAMS:
        return grpc.stream_stream_rpc_method_handler(pipeline.records(method))
    if method.name in PAGE_STREAMS:
        return grpc.unary_stream_rpc_method_handler(streams.handler(method))
    if method.name in COMMANDS or method.name in QUERIES:
        return grpc.unary_unary_rpc_method_handler(pipeline.unary(method))
    raise LookupError(f"{method.name} has no use case")
