"""Three brokers for the nodes of a test, and one who sends as a relay does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gateway.bus.address import BrokerAddress
from gateway.bus.publisher import BATCH_FROM
from gateway.bus.streams import MAIL_STREAM, StreamLimits
from gateway.ports.bus import BusUnavailable
from tests.integration.bus.certificates import Certificates
from tests.integration.bus.nodes import PATIENCE, ZHENXIONG, Node, Nodes
from tests.world.cluster import Cluster, Server

THREE = StreamLimits(replicas=3)
_ALONE = 3
_TOGETHER = 2 * BATCH_FROM


@dataclass
class ClusteredBroker:
    """The cluster and what its users need."""

    cluster: Cluster
    certificates: Certificates
    seeds: dict[str, str]

    def address(self, node: str) -> BrokerAddress:
        """Where and as whom a node connects, with short patience."""
        return BrokerAddress(
            urls=self.cluster.urls,
            node=node,
            ca_file=self.certificates.ca,
            seed=self.seeds[node],
            tries=5.0,
            pause=0.05,
            answer=3.0,
            again=1.0,
        )

    async def leader(self, nodes: Nodes) -> Server:
        """Return the server that leads the mail stream."""
        raw, _ = await nodes.raw("police")
        info = await raw.jetstream(timeout=PATIENCE).stream_info(MAIL_STREAM)
        await raw.close()
        assert info.cluster is not None
        assert info.cluster.leader is not None
        return self.cluster.named(info.cluster.leader)


class Relay:
    """Sends numbered items, some alone and some in a batch, each until it is confirmed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.confirmed: list[bytes] = []
        self.refused = 0

    def start(self) -> None:
        """Send until told to stop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send no more; return when the last item is confirmed or given up."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task], timeout=PATIENCE)
        assert self._task.cancelled()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until a condition holds that sending, or its failure, may bring about."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._news.clear()
                await self._news.wait()

    async def go_on(self) -> None:
        """Wait until a few more were confirmed, alone and together."""
        before = len(self.confirmed)
        await self.until(lambda: len(self.confirmed) > before + _ALONE + _TOGETHER)

    async def _run(self) -> None:
        number = 0
        while True:
            for count in (*[1] * _ALONE, _TOGETHER):
                items = [b"%d" % n for n in range(number, number + count)]
                while not await self._sent(items):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # as a relay pauses
                number += count

    async def _sent(self, items: list[bytes]) -> bool:
        try:
            await self._node.bus.publish(ZHENXIONG, items)
        except BusUnavailable:
            self.refused += 1
            return False
        else:
            self.confirmed += items
            return True
        finally:
            self._news.set()
