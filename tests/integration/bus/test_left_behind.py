"""Mail that was acknowledged and yet is left in the stream, because the broker died in between."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from gateway.bus.connection import Connection
from gateway.bus.streams import MAIL_STREAM, stream_info
from gateway.bus.subjects import durable_name, mail_subject
from gateway.log_events import LogEvent
from gateway.ports.bus import Disposition
from tests.integration.bus.nodes import PATIENCE, QUICK, ZHENXIONG, Broker, Collector, Nodes


async def in_letter_box(connection: Connection) -> int:
    """Return how many items the stream holds for the receiver, whether it hands them out or not."""
    async with connection.exchange() as client:
        found = await stream_info(
            connection.jetstream(client), MAIL_STREAM, mail_subject(ZHENXIONG)
        )
    return sum((found.state.subjects or {}).values())


async def test_what_a_crash_leaves_behind_is_cleared_away(nodes: Nodes, broker: Broker) -> None:
    """The broker dies with acknowledgements on disk but not the removals: its letter-box is emptied.

    Left alone such items fill the letter-box in the end, and it refuses all mail.
    """
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox = Collector()
    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
    for crash in range(1, 16):
        wanted = {b"%d.%d" % (crash, n) for n in range(10)}
        for item in sorted(wanted):
            await sender.bus.publish(ZHENXIONG, [item])
        await inbox.until(lambda seen, wanted=wanted: wanted <= set(seen))  # type: ignore[misc]
        broker.kill()
        broker.server.start()
        await sender.until_event(LogEvent.BUS_CONNECTED, times=crash + 1)
        await receiver.until_event(LogEvent.BUS_CONNECTED, times=crash + 1)
    assert receiver.codes_of(LogEvent.BUS_LEFT_BEHIND), "no crash left anything behind"
    async with asyncio.timeout(PATIENCE):
        while await in_letter_box(sender.connection):
            await inbox.until(bool)
    reader.cancel()
    await asyncio.wait([reader], timeout=PATIENCE)


async def test_a_quiet_letter_box_is_looked_at_again(nodes: Nodes) -> None:
    """Mail that is out with a reader who is gone comes by itself, on a link that never broke."""
    pace = replace(QUICK, ack_wait=3600.0, fetch=0.1, look=0.1)
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong", pace)
    inbox, entered, go_on = Collector(), asyncio.Event(), asyncio.Event()

    async def handler(items: Sequence[bytes]) -> Sequence[Disposition]:
        entered.set()
        await go_on.wait()
        return await inbox(items)

    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, handler))
    await sender.bus.publish(ZHENXIONG, [b"held"])
    await entered.wait()  # it asks for no mail meanwhile
    await sender.bus.publish(ZHENXIONG, [b"taken"])
    client, _ = await nodes.raw("zhenxiong")
    source = await client.jetstream().pull_subscribe_bind(durable_name(ZHENXIONG), MAIL_STREAM)
    (taken,) = await source.fetch(1, timeout=PATIENCE)
    assert taken.data == b"taken"
    await client.close()
    go_on.set()
    await inbox.until(lambda seen: b"taken" in seen)
    assert len(receiver.codes_of(LogEvent.BUS_CONNECTED)) == 1
    reader.cancel()
    await asyncio.wait([reader], timeout=PATIENCE)
