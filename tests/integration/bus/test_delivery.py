"""Publishing and consuming over a real broker, while nothing breaks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.bus.consumer import Pace
from gateway.bus.publisher import BATCH_FROM
from gateway.bus.streams import MAX_ITEM_BYTES, StreamLimits
from gateway.domain.organisations import OrgId
from gateway.ports.bus import Bus, BusUnavailable, Disposition, Handler
from tests.integration.bus.nodes import POLICE, WUHUA, ZHENXIONG, Collector, Nodes, StoreAway


@asynccontextmanager
async def consuming(
    bus: Bus, receiver: OrgId, handler: Handler
) -> AsyncIterator["asyncio.Task[None]"]:
    """Consume in the background until the end of the block."""
    task = asyncio.create_task(bus.consume(receiver, handler))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Items that tell their place."""
    return [b"%d" % number for number in range(start, start + count)]


async def test_items_arrive_in_order(nodes: Nodes) -> None:
    """Single items, a batch and single items again arrive once each, in the order of publishing."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox = Collector()
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        for start, count in ((0, 3), (3, 700), (703, 2)):
            await sender.bus.publish(ZHENXIONG, numbered(count, start))
        await inbox.until(lambda seen: len(seen) >= 705)
    assert inbox.seen == numbered(705)


async def test_mail_waits_for_its_reader(nodes: Nodes) -> None:
    """What was published before anybody consumed is there when somebody does."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    await sender.bus.publish(ZHENXIONG, numbered(30))
    inbox = Collector()
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await inbox.until(lambda seen: len(seen) >= 30)
    assert inbox.seen == numbered(30)


async def test_each_letter_box_has_its_own_mail(nodes: Nodes) -> None:
    """Publishing to several receivers at once mixes nothing up."""
    joined = {
        WUHUA: await nodes.join("wuhua"),
        ZHENXIONG: await nodes.join("zhenxiong"),
        POLICE: await nodes.join("police"),
    }
    inboxes = {org: Collector() for org in joined}
    async with (
        consuming(joined[WUHUA].bus, WUHUA, inboxes[WUHUA]),
        consuming(joined[ZHENXIONG].bus, ZHENXIONG, inboxes[ZHENXIONG]),
        consuming(joined[POLICE].bus, POLICE, inboxes[POLICE]),
    ):
        mail = {org: [f"{org}:{n}".encode() for n in range(40)] for org in joined}
        await asyncio.gather(*(joined[WUHUA].bus.publish(org, mail[org]) for org in joined))
        for org, inbox in inboxes.items():
            await inbox.until(lambda seen: len(seen) >= 40)
            assert inbox.seen == mail[org]


async def test_a_batch_is_all_or_nothing(nodes: Nodes) -> None:
    """A full stream refuses the whole batch, keeps what it had, and says so."""
    limits = StreamLimits(max_messages=BATCH_FROM + 5)
    sender = await nodes.join("wuhua", limits=limits)
    await sender.bus.publish(ZHENXIONG, numbered(BATCH_FROM))
    before = await sender.bus.stream_state()
    assert before.last_seq == BATCH_FROM
    with pytest.raises(BusUnavailable):
        await sender.bus.publish(ZHENXIONG, numbered(BATCH_FROM))
    assert await sender.bus.stream_state() == before
    await sender.bus.publish(ZHENXIONG, numbered(5))
    with pytest.raises(BusUnavailable):
        await sender.bus.publish(ZHENXIONG, [b"one too many"])


async def test_the_largest_item_passes_and_a_larger_one_is_refused(nodes: Nodes) -> None:
    """The bound is exact, alone and in a batch; beyond it nothing of the call is sent."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    largest, inbox = bytes(MAX_ITEM_BYTES), Collector()
    with pytest.raises(ValueError, match="at most"):
        await sender.bus.publish(ZHENXIONG, [b"small", largest + b"x"])
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await sender.bus.publish(ZHENXIONG, [largest])
        await sender.bus.publish(ZHENXIONG, [*numbered(BATCH_FROM), largest])
        await inbox.until(lambda seen: len(seen) >= BATCH_FROM + 2)
    assert inbox.seen == [largest, *numbered(BATCH_FROM), largest]


async def test_what_is_not_done_comes_again(nodes: Nodes) -> None:
    """AGAIN brings that item back until it is DONE; its neighbours stay away."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox = Collector()
    inbox.answer = lambda item: (
        Disposition.AGAIN if item == b"2" and inbox.seen.count(b"2") < 4 else Disposition.DONE
    )
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await sender.bus.publish(ZHENXIONG, numbered(5))
        await inbox.until(lambda seen: seen.count(b"2") >= 4)
        await sender.bus.publish(ZHENXIONG, [b"last"])
        await inbox.until(lambda seen: b"last" in seen)
    assert sorted(inbox.seen) == sorted([*numbered(5), b"2", b"2", b"2", b"last"])


async def test_a_store_that_is_away_brings_the_batch_again(nodes: Nodes) -> None:
    """An exception named to the bus loses nothing and does not end the reader."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox, calls = Collector(), 0

    async def handler(items: Sequence[bytes]) -> Sequence[Disposition]:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise StoreAway
        return await inbox(items)

    async with consuming(receiver.bus, ZHENXIONG, handler):
        await sender.bus.publish(ZHENXIONG, numbered(25))
        await inbox.until(lambda seen: len(set(seen)) >= 25)
    assert sorted(inbox.seen) == sorted(numbered(25))


async def test_a_fault_of_the_handler_ends_its_reader_and_keeps_the_mail(nodes: Nodes) -> None:
    """Any other exception comes out of consume; the next reader gets the whole batch."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")

    async def broken(items: Sequence[bytes]) -> Sequence[Disposition]:
        raise LookupError

    await sender.bus.publish(ZHENXIONG, numbered(3))
    with pytest.raises(LookupError):
        await receiver.bus.consume(ZHENXIONG, broken)
    inbox = Collector()
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await inbox.until(lambda seen: len(seen) >= 3)
    assert sorted(inbox.seen) == numbered(3)


async def test_a_reader_that_is_stopped_hands_its_batch_back(nodes: Nodes) -> None:
    """Mail in a cancelled handler is there for the next reader at once, not after ack_wait."""
    patient = Pace(fetch=0.5, ack_wait=3600)
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong", patient)
    entered = asyncio.Event()

    async def never(items: Sequence[bytes]) -> Sequence[Disposition]:
        entered.set()
        await asyncio.Event().wait()
        return []

    async with consuming(receiver.bus, ZHENXIONG, never):
        await sender.bus.publish(ZHENXIONG, [b"letter"])
        await asyncio.wait_for(entered.wait(), 20)
    inbox = Collector()
    async with consuming(receiver.bus, ZHENXIONG, inbox):
        await inbox.until(lambda seen: seen == [b"letter"])


async def test_a_letter_box_has_one_reader(nodes: Nodes) -> None:
    """A second reader in the same process is refused; after the first ended it is welcome."""
    receiver = await nodes.join("zhenxiong")
    async with consuming(receiver.bus, ZHENXIONG, Collector()):
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="being consumed already"):
            await receiver.bus.consume(ZHENXIONG, Collector())
    async with consuming(receiver.bus, ZHENXIONG, inbox := Collector()):
        await receiver.bus.publish(ZHENXIONG, [b"to myself"])
        await inbox.until(lambda seen: seen == [b"to myself"])
