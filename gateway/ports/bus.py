"""The carrier of mail between organisations. It may lose, double, reorder and delay."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Protocol

from gateway.domain.organisations import OrgId

LARGEST_ITEM = 1024 * 1024
"""The largest item that is carried, in bytes."""


class BusUnavailable(Exception):
    """The carrier did not confirm. Whether the bytes left is unknown; sending again is safe."""


class Disposition(StrEnum):
    """What becomes of an item that was taken from the bus."""

    DONE = "DONE"
    """Dealt with (applied, kept, refused with a receipt, or quarantined): never again."""
    AGAIN = "AGAIN"
    """Could not be dealt with now: bring it again after a pause."""


Handler = Callable[[Sequence[bytes]], Awaitable[Sequence[Disposition]]]
"""Takes a batch of items in order of arrival, returns one disposition for each."""


class Bus(Protocol):
    """Publishes to and consumes from letter-boxes, one for each organisation."""

    async def publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        """Hand the items to the carrier in order. Raises BusUnavailable when not confirmed, and
        ValueError for an item above LARGEST_ITEM.
        """
        ...

    async def consume(self, receiver: OrgId, handler: Handler) -> None:
        """Feed the receiver's letter-box to the handler in batches until cancelled."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the carrier is connected now."""
        ...
