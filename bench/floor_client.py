"""The floor's client process: `python -m bench.floor_client PORT`; orders come as for the gateway's."""

import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import uvloop

from gateway.v1 import letter_pb2

_PUT, _PUT_MANY, _DONE = "/floor.Floor/Put", "/floor.Floor/PutMany", "/floor.Floor/Done"
_TEXT = "x" * 700  # of a letter; with its other fields about as long as a real one
_Call = Callable[[Any], Awaitable[bytes]]


class _Client:
    """Puts letters and waits for their receipts."""

    def __init__(self, port: int) -> None:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self._put: _Call = channel.unary_unary(_PUT, letter_pb2.Letter.SerializeToString)
        self._put_many: _Call = channel.unary_unary(
            _PUT_MANY, letter_pb2.ListLettersResponse.SerializeToString
        )
        self._done: _Call = channel.unary_unary(_DONE)

    async def load(self, calls: int, pack: int, in_flight: int) -> None:
        """Make so many calls of so many letters; return when every receipt is committed."""
        before = int(await self._done(b""))
        numbers = iter(range(calls))

        async def worker() -> None:
            for _ in numbers:
                if pack == 1:
                    await self._put(_letter())
                else:
                    letters = [_letter() for _ in range(pack)]
                    await self._put_many(letter_pb2.ListLettersResponse(letters=letters))

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        while int(await self._done(b"")) - before < calls * pack:  # noqa: ASYNC110 - it is a call
            await asyncio.sleep(0.02)


def _letter() -> letter_pb2.Letter:
    return letter_pb2.Letter(
        letter_id=str(uuid.uuid4()),
        sender="530102/edu",
        recipient="530627/edu",
        kind=2,  # type: ignore[arg-type]  # a hand-over
        title=_TEXT,
    )


async def main(port: int) -> None:
    """Carry out orders until standard input ends."""
    client = _Client(port)
    await client.load(50, 1, 8)  # connected and warm
    print(json.dumps("ready"), flush=True)  # noqa: T201
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order: dict[str, int] = json.loads(line)
        await client.load(order["calls"], order["pack"], order["in_flight"])
        print(json.dumps("done"), flush=True)  # noqa: T201


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
