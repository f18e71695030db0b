"""The client process: calls a node as one organisation, many calls at once.

It takes orders as JSON lines on standard input and answers each with a JSON line, so that it is
started, and has connected, before anything is measured.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import uvloop

from bench.seeding import nth_child, school_days
from gateway.cli.connection import options_with_profile
from gateway.cli.options import CallOptions
from gateway.transport.page_streams import MOST_STREAMS
from gateway.v1 import absence_pb2, event_pb2, letter_pb2, subject_pb2

_IN_A_MESSAGE = 50
_DISPATCH = "/gateway.v1.LetterService/DispatchLetter"
_REPORT = "/gateway.v1.AbsenceService/ReportAbsences"
_SUBSCRIBE = "/gateway.v1.EventService/Subscribe"


class Caller:
    """A channel to one node, and the loads that can be put on it."""

    def __init__(self, profile: Path) -> None:
        options = options_with_profile(CallOptions(), profile)
        assert options.ca is not None
        assert options.cert is not None
        assert options.key is not None
        credentials = grpc.ssl_channel_credentials(
            options.ca.read_bytes(), options.key.read_bytes(), options.cert.read_bytes()
        )
        self._channel = grpc.aio.secure_channel(
            options.target or "",
            credentials,
            options=[("grpc.max_receive_message_length", 16 * 1024 * 1024)],
        )
        self._days = school_days(3)
        self._reported = 0

    async def connect(self) -> None:
        """Wait for the connection."""
        await self._channel.channel_ready()

    async def dispatch(self, letters: Sequence[str], in_flight: int, rate: float) -> list[float]:
        """Dispatch letters: `in_flight` at once, or so many a second; return when each was sent.

        The moments are those of the monotonic clock, which all processes of a machine share.
        """
        call = self._channel.unary_unary(
            _DISPATCH,
            request_serializer=letter_pb2.DispatchLetterRequest.SerializeToString,
            response_deserializer=letter_pb2.DispatchLetterResponse.FromString,
        )
        sent = [0.0] * len(letters)

        async def one(number: int) -> None:
            sent[number] = time.monotonic()
            request = letter_pb2.DispatchLetterRequest(
                letter_id=letters[number],
                version=1,
                request_id=str(uuid4()),
                actor_post="CASE_OFFICER",
            )
            await call(request)

        numbers = iter(range(len(letters)))

        async def worker() -> None:
            for number in numbers:
                await one(number)

        if not rate:
            await asyncio.gather(*(worker() for _ in range(in_flight)))
            return sent
        began, running = time.monotonic(), []
        for number in numbers:
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            running.append(asyncio.create_task(one(number)))
        await asyncio.gather(*running)
        return sent

    async def report(self, count: int, streams: int) -> int:
        """Report absences over some streams; return how many were accepted."""
        call = self._channel.stream_stream(
            _REPORT,
            request_serializer=absence_pb2.ReportAbsencesRequest.SerializeToString,
            response_deserializer=absence_pb2.ReportAbsencesResponse.FromString,
        )
        first, self._reported = self._reported, self._reported + count

        async def one(stream: int) -> int:
            requests = self._reports(range(first + stream, first + count, streams))
            accepted = 0
            async for answer in call(requests):
                accepted += sum(one.WhichOneof("result") == "accepted" for one in answer.answers)
            return accepted

        return sum(await asyncio.gather(*(one(stream) for stream in range(streams))))

    async def _reports(
        self, numbers: Sequence[int]
    ) -> AsyncIterator[absence_pb2.ReportAbsencesRequest]:
        for start in range(0, len(numbers), _IN_A_MESSAGE):
            some = numbers[start : start + _IN_A_MESSAGE]
            reports = [report_of(number, self._days) for number in some]
            yield absence_pb2.ReportAbsencesRequest(reports=reports)

    async def subscribe(self, subscribers: int, after: int) -> list[int]:
        """Read the log to its end as so many subscribers; return how many events each got.

        As many read at once as a node lets one organisation; the others wait for a place.
        """
        places = asyncio.Semaphore(MOST_STREAMS)
        call = self._channel.unary_stream(
            _SUBSCRIBE,
            request_serializer=event_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=event_pb2.SubscribeResponse.FromString,
        )

        async def one() -> int:
            request = event_pb2.SubscribeRequest(
                after_position=after, page_size=500, stop_at_end=True
            )
            async with places:
                return sum([len(page.events) async for page in call(request)])

        return list(await asyncio.gather(*(one() for _ in range(subscribers))))


def report_of(number: int, days: Sequence[str]) -> absence_pb2.ReportAbsenceRequest:
    """Return the report of one child's absence on these days."""
    child = nth_child(number)
    identity = subject_pb2.PersonIdentity(
        name=child.name, id_number=child.id_number, enrolment_number=child.enrolment_number
    )
    return absence_pb2.ReportAbsenceRequest(
        request_id=str(uuid4()),
        actor_post="HEAD_TEACHER",
        subject=subject_pb2.SubjectReference(identity=identity),
        class_name="七(3)班",
        grade=7,
        days=[
            absence_pb2.AbsenceDay(date=day, kind=absence_pb2.ABSENCE_KIND_UNEXCUSED)
            for day in days
        ],
    )


async def main(profile: Path) -> None:
    """Carry out orders until standard input ends."""
    caller = Caller(profile)
    await caller.connect()
    print(json.dumps("ready"), flush=True)  # noqa: T201
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order: dict[str, Any] = json.loads(line)
        answer = await getattr(caller, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
