"""A bus in memory that can lose, double, reorder and refuse, and that shows what it carried."""

from collections.abc import Callable, Sequence

from gateway.domain.organisations import OrgId
from gateway.ports.bus import LARGEST_ITEM, BusUnavailable, Handler

Meddle = Callable[[OrgId, bytes], Sequence[bytes]]
"""Takes one item on its way and returns what arrives instead: nothing, one, or several."""


class MemoryBus:
    """Implements gateway.ports.bus.Bus; items wait until the world delivers them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[OrgId, bytes]] = []
        self.carried: list[tuple[OrgId, bytes]] = []
        self.away = False
        self.meddle: Meddle = lambda _receiver, item: (item,)

    @property
    def ready(self) -> bool:
        """Whether it takes items."""
        return not self.away

    async def publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        """Take items, unless it is away."""
        if self.away:
            raise BusUnavailable
        if any(len(item) > LARGEST_ITEM for item in items):
            raise ValueError
        for item in items:
            self.carried.append((receiver, item))
            self.waiting.extend((receiver, arriving) for arriving in self.meddle(receiver, item))

    async def consume(self, receiver: OrgId, handler: Handler) -> None:
        """Not used: the world delivers step by step."""
        raise BusUnavailable
