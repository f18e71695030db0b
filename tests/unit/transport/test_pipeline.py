"""A stream of records for which the node has no place."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from gateway.ports.store import Store
from gateway.service.desk import Tools
from gateway.transport import pipeline
from gateway.transport.methods import RECORD_STREAMS
from gateway.transport.pipeline import Context, Method, Pipeline
from gateway.v1 import absence_pb2


class _Refused(Exception):
    """How a call ends that was refused."""


class _Call:
    async def abort_with_status(self, status: Any) -> None:
        """Take the status and end the call, as the server does, while others have their turn."""
        for _ in range(3):
            await asyncio.sleep(0)
        raise _Refused(status.details)


async def test_a_refused_stream_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all places taken the call ends before the first record is taken, and carries none out."""
    monkeypatch.setattr(pipeline, "_MOST_CALLS", 0)
    name = "AbsenceService/ReportAbsences"
    assert name in RECORD_STREAMS
    descriptor = absence_pb2.DESCRIPTOR.services_by_name["AbsenceService"]
    method = Method.of(descriptor.methods_by_name["ReportAbsences"])
    read: list[bytes] = []

    async def records() -> AsyncIterator[bytes]:
        read.append(b"")
        yield b""

    line = Pipeline(cast("Store", None), cast("Tools", None))
    with pytest.raises(_Refused):
        [_ async for _ in line.records(method)(records(), cast("Context", _Call()))]
    assert not read
