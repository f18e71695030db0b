"""Each letter-box has a share of the stream: who is away fills its own, not everybody's."""

import asyncio

import pytest

from gateway.bus.publisher import BATCH_FROM
from gateway.bus.streams import StreamLimits
from gateway.ports.bus import Bus, BusUnavailable
from tests.integration.bus.nodes import PATIENCE, POLICE, ZHENXIONG, Collector, Nodes
from tests.integration.bus.test_delivery import consuming, numbered

SHARE = BATCH_FROM + 5
LIMITS = StreamLimits(max_in_letter_box=SHARE)


async def taken(bus: Bus, items: list[bytes]) -> bool:
    """Publish; say whether there was room."""
    try:
        await bus.publish(ZHENXIONG, items)
    except BusUnavailable:
        return False
    return True


@pytest.mark.parametrize("more", [1, BATCH_FROM])
async def test_a_full_letter_box_refuses_and_keeps_what_it_has(nodes: Nodes, more: int) -> None:
    """Single items and batches are refused whole; other letter-boxes take theirs; and there is room
    again as soon as the box is emptied, in order and without a gap.
    """
    sender = await nodes.join("wuhua", limits=LIMITS)
    await sender.bus.publish(ZHENXIONG, numbered(BATCH_FROM))
    await sender.bus.publish(ZHENXIONG, numbered(5, BATCH_FROM))
    before = await sender.bus.stream_state()
    with pytest.raises(BusUnavailable):
        await sender.bus.publish(ZHENXIONG, numbered(more, SHARE))
    assert await sender.bus.stream_state() == before
    assert sender.bus.ready
    await sender.bus.publish(POLICE, numbered(more))

    receiver = await nodes.join("zhenxiong", limits=LIMITS)
    inbox = Collector()
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await inbox.until(lambda seen: len(seen) >= SHARE)
        async with asyncio.timeout(PATIENCE):  # the broker makes room as it hears of each item
            while not await taken(sender.bus, numbered(more, SHARE)):
                continue
        await inbox.until(lambda seen: len(seen) >= SHARE + more)
    assert inbox.seen == numbered(SHARE + more)
