"""FastStream's deliveries: a stream of messages read by durable pull consumers."""

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import uvloop
from faststream.nats import JStream, NatsBroker, PullSub

_BYTES = 1200  # about an event in its envelope
_BATCH = 100


async def deliver(url: str, subscribers: int, count: int) -> float:
    """Publish `count` messages, have each subscriber read all; return deliveries a second."""
    name = uuid.uuid4().hex
    stream = JStream(name=name, subjects=[f"{name}.>"])
    broker = NatsBroker(url, logger=None)
    left = subscribers * count
    done = asyncio.Event()

    async def take(_message: bytes) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    for number in range(subscribers):
        broker.subscriber(
            f"{name}.facts", stream=stream, durable=f"{name}-{number}", pull_sub=PullSub(_BATCH)
        )(take)
    async with broker:
        await asyncio.gather(*[_publish(broker, name, count)])
        began = time.monotonic()
        await broker.start()
        await done.wait()
        return subscribers * count / (time.monotonic() - began)


async def _publish(broker: Any, name: str, count: int) -> None:
    body = b"x" * _BYTES
    js = broker.connection.jetstream() if hasattr(broker, "connection") else None
    if js is None:
        client = await broker.connect()
        js = client.jetstream()
    await js.add_stream(name=name, subjects=[f"{name}.>"])
    for start in range(0, count, _BATCH):
        sent = [
            await js.publish_async(f"{name}.facts", body) for _ in range(min(_BATCH, count - start))
        ]
        await asyncio.gather(*sent)


async def main(url: str) -> None:
    """Carry out orders until standard input ends."""
    print(json.dumps("ready"), flush=True)  # noqa: T201
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order: dict[str, Any] = json.loads(line)
        rate = await deliver(url, order["subscribers"], order["count"])
        print(json.dumps(rate), flush=True)  # noqa: T201


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
