"""The gRPC server of a node: services from the descriptors, mutual TLS, health, reflection."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from gateway.transport.handlers import handler_of
from gateway.transport.page_streams import PageStreams
from gateway.transport.pipeline import MOST_BYTES, Pipeline
from gateway.v1 import (
    absence_pb2,
    agency_pb2,
    case_pb2,
    delivery_pb2,
    directory_pb2,
    division_pb2,
    event_pb2,
    fact_pb2,
    jurisdiction_pb2,
    letter_pb2,
    placement_pb2,
    recovery_pb2,
    retrieval_pb2,
    subject_pb2,
)

SERVICES: tuple[ServiceDescriptor, ...] = tuple(
    service
    for module in (
        absence_pb2,
        agency_pb2,
        case_pb2,
        delivery_pb2,
        directory_pb2,
        division_pb2,
        event_pb2,
        fact_pb2,
        jurisdiction_pb2,
        letter_pb2,
        placement_pb2,
        recovery_pb2,
        retrieval_pb2,
        subject_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
"""Every service of the contract."""

_OPTIONS = (
    ("grpc.max_receive_message_length", 4 * MOST_BYTES),
    ("grpc.so_reuseport", 0),  # else two nodes silently share a port
    ("grpc.max_metadata_size", 8 * 1024),
    # A removed certificate authority ends existing connections no later than this.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)

_QUIET_SECONDS = 0.3  # without a call, before the server stops
_LEAVING_SECONDS = 3.0  # for callers that go on regardless


@dataclass(frozen=True)
class TlsFiles:
    """PEM bytes: the authority of client certificates, and the server's own pair."""

    ca: bytes
    certificate: bytes
    key: bytes


class GatewayServer:
    """Serves the contract on one address."""

    def __init__(self, pipeline: Pipeline, tls: TlsFiles, listen: str, *, reflect: bool) -> None:
        self._pipeline = pipeline
        self._server = grpc.aio.server(options=_OPTIONS)  # its bounds are those of the pipeline
        self._health = health_aio.HealthServicer()
        streams = PageStreams(pipeline)
        for service in SERVICES:
            handlers = {m.name: handler_of(pipeline, streams, m) for m in service.methods}
            generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if reflect:
            names = [service.full_name for service in SERVICES]
            names += [health_pb2.DESCRIPTOR.services_by_name["Health"].full_name]
            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)
        credentials = grpc.ssl_server_credentials(
            [(tls.key, tls.certificate)], tls.ca, require_client_auth=True
        )
        host = listen.rpartition(":")[0]
        self.address = f"{host}:{self._server.add_secure_port(listen, credentials)}"

    async def start(self) -> None:
        """Begin to take calls; health says NOT_SERVING until told otherwise."""
        await self.say(False, {})
        await self._server.start()

    async def say(self, serving: bool, parts: Mapping[str, bool]) -> None:
        """Set the answer of the health service: for all services, and for each part by its name."""
        names = ("", *(service.full_name for service in SERVICES))
        for name, good in (dict.fromkeys(names, serving) | dict(parts)).items():
            answer = health_pb2.HealthCheckResponse
            await self._health.set(name, answer.SERVING if good else answer.NOT_SERVING)

    async def stop(self, seconds: float) -> None:
        """Send callers elsewhere, refuse new work, finish what runs within `seconds`, then close."""
        await self._health.enter_graceful_shutdown()
        self._pipeline.draining.set()
        await self._left_alone(min(seconds, _LEAVING_SECONDS))
        await self._server.stop(seconds)

    async def _left_alone(self, most: float) -> None:
        """Serve on until nobody has called for a moment: who watches the health goes elsewhere.

        The library answers CANCELLED to a call that comes in the instant of the stop, which no
        client tries again (grpc/grpc#41785).
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + most

        def left() -> float:
            return min(self._pipeline.called_at + _QUIET_SECONDS, end) - loop.time()

        while (seconds := left()) > 0:  # noqa: ASYNC110 - it is time that has to pass
            await asyncio.sleep(seconds)
