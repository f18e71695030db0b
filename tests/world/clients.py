"""A gRPC client of each organisation, under its certificate, and what it is refused."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.crypto.development import file_stem
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.transport.pipeline import Method
from gateway.transport.server import SERVICES

PATIENCE = 30.0
# A node that was restarted is found again at once, not after the library's growing pauses.
_PROMPT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 250),
)
METHODS = {
    method.name: method for service in SERVICES for method in map(Method.of, service.methods)
}
"""Every RPC of the contract by its name without the package."""


@dataclass(frozen=True)
class Refused:
    """A refusal as a caller sees it."""

    code: grpc.StatusCode
    reason: Reason
    message: str
    advice: str
    field: str
    facts: dict[str, str]


def refusal_of(error: grpc.RpcError) -> Refused:
    """Read the google.rpc details of an error, and check that they are there and agree."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # every RpcError of a client is a call
    assert status is not None, f"{error} has no details"
    info, blamed = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for message in (info, blamed):
            detail.Unpack(message)
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    assert info.domain == "dropout-gateway"
    facts = dict(info.metadata)
    advice = facts.pop("advice")
    sentence = status.message.removesuffix(advice).strip()
    assert sentence, "a refusal without its sentence"
    assert advice, "a refusal without advice"
    place = blamed.field_violations[0].field if blamed.field_violations else ""
    return Refused(code, Reason(info.reason), sentence, advice, place, facts)


def credentials(ca: Path, certificate: Path, key: Path) -> grpc.ChannelCredentials:
    """Return the credentials of a client."""
    return grpc.ssl_channel_credentials(ca.read_bytes(), key.read_bytes(), certificate.read_bytes())


def completed(method: str, request: Message, post: str) -> Message:
    """Fill in a new request_id where there is none, and the post where one is given."""
    fields = request.DESCRIPTOR.fields_by_name
    if "request_id" in fields and not getattr(request, "request_id", ""):
        request.request_id = str(uuid4())  # type: ignore[attr-defined]
    if "actor_post" in fields and post:
        request.actor_post = post  # type: ignore[attr-defined]
    return request


class Clients:
    """Calls nodes as any organisation whose client certificate lies in the estate."""

    def __init__(self, estate: Path, address_of: Callable[[OrgId], str]) -> None:
        self._estate = estate
        self._address_of = address_of
        self._channels: dict[tuple[OrgId, str], grpc.Channel] = {}

    def channel(self, org: OrgId, address: str = "") -> grpc.Channel:
        """Return the organisation's channel to its own node, or to another address."""
        address = address or self._address_of(org)
        if (org, address) not in self._channels:
            stem = self._estate / "clients" / file_stem(org)
            mine = credentials(
                self._estate / "ca.pem",
                stem.with_name(f"{stem.name}.crt"),
                stem.with_name(f"{stem.name}.key"),
            )
            self._channels[org, address] = grpc.secure_channel(address, mine, _PROMPT)
        return self._channels[org, address]

    def call(
        self,
        org: OrgId,
        method: str,
        request: Message,
        post: str = "",
        *,
        at: str = "",
        seconds: float = PATIENCE,
    ) -> Any:
        """Call an RPC with one answer. Raises grpc.RpcError."""
        known = METHODS[method]
        stub = self.channel(org, at).unary_unary(
            f"/gateway.v1.{method}",
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        return stub(completed(method, request, post), timeout=seconds, wait_for_ready=True)

    def raw(self, org: OrgId, method: str, data: bytes) -> bytes:
        """Call with bytes as they are and return bytes. Raises grpc.RpcError."""
        stub = self.channel(org).unary_unary(
            f"/gateway.v1.{method}",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        return bytes(stub(data, timeout=PATIENCE, wait_for_ready=True))

    def stream(self, org: OrgId, method: str, requests: Iterable[Message]) -> Iterator[Any]:
        """Call an RPC that takes a stream of records and answers with one."""
        known = METHODS[method]
        stub = self.channel(org).stream_stream(
            f"/gateway.v1.{method}",
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        answers: Iterator[Any] = stub(iter(requests), timeout=PATIENCE, wait_for_ready=True)
        return answers

    def pages(self, org: OrgId, method: str, request: Message) -> Any:
        """Call an RPC that answers with a stream; the answer can be cancelled."""
        known = METHODS[method]
        stub = self.channel(org).unary_stream(
            f"/gateway.v1.{method}",
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        return stub(request, timeout=PATIENCE, wait_for_ready=True)

    def refused(
        self, org: OrgId, method: str, request: Message, post: str = "", *, at: str = ""
    ) -> Refused:
        """Call an RPC that must be refused, and return the refusal."""
        with pytest.raises(grpc.RpcError) as caught:
            self.call(org, method, request, post, at=at)
        return refusal_of(caught.value)

    def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            channel.close()
