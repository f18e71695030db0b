"""Requests of every size, and bytes made to burst: refused, and the connection goes on."""

import gzip

import grpc
import pytest

from gateway.transport.pipeline import MOST_BYTES
from tests.delivery.test_tampering import MALFORMED
from tests.world.clients import refusal_of
from tests.world.estate import WUHUA
from tests.world.inquiry import Inquiry
from tests.world.running import RunningProvince

METHOD = "CaseService/GetCase"
"""Its request is one text, the number of the case."""


def padded(size: int) -> bytes:
    """Return a request of so many bytes: a text in an unknown field."""
    length = size - 5  # the key, and a length that is written in four bytes
    written = bytes((length >> 7 * place) & 0x7F | 0x80 for place in range(3))
    return b"\x7a" + written + bytes([length >> 21]) + b"x" * length


def refused(world: RunningProvince, data: bytes, compression: grpc.Compression) -> grpc.RpcError:
    """Send bytes that must be refused."""
    stub = world.clients.channel(WUHUA).unary_unary(
        f"/gateway.v1.{METHOD}", request_serializer=bytes, response_deserializer=bytes
    )
    with pytest.raises(grpc.RpcError) as caught:
        stub(data, timeout=30.0, wait_for_ready=True, compression=compression)
    return caught.value


@pytest.mark.fault("M9")
@pytest.mark.parametrize(
    ("size", "reason"),
    [(0, "MISSING_FIELD"), (MOST_BYTES, "MISSING_FIELD"), (MOST_BYTES + 1, "TOO_LARGE")],
)
def test_sizes_at_the_border(world: RunningProvince, size: int, reason: str) -> None:
    """Nothing, the most that is taken, and one byte more."""
    data = padded(size) if size else b""
    assert len(data) == size
    found = refusal_of(refused(world, data, grpc.Compression.NoCompression))
    assert found.reason == reason


@pytest.mark.fault("M9")
@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_flood_is_stopped_at_the_door(
    world: RunningProvince, compression: grpc.Compression
) -> None:
    """64 MiB as they are, or packed into some kB: RESOURCE_EXHAUSTED, and the next call is good."""
    flood = padded(64 * MOST_BYTES)
    if compression is grpc.Compression.Gzip:
        assert len(gzip.compress(flood)) < MOST_BYTES
    error = refused(world, flood, compression)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert Inquiry(world).reported().absence.absence_id


@pytest.mark.fault("M8")
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests(world: RunningProvince, name: str) -> None:
    """Nests without bottom, lengths without end: refused for what they are, nothing leaks."""
    found = refusal_of(refused(world, MALFORMED[name], grpc.Compression.NoCompression))
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
