"""The carrier of published facts. It may lose, double and reorder; each chain shows what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId

KEPT: Final = timedelta(days=30)
"""How long the carrier keeps a fact, and how far back it is filled again after a loss (policy).
What is older is read from the source's store."""


@dataclass(frozen=True)
class CarrierMark:
    """What tells one life of the carrier's memory from another: when it began, its last number."""

    life: str
    last: int

    def lost_since(self, earlier: "CarrierMark") -> bool:
        """Whether the carrier forgot something since."""
        return self.life != earlier.life or self.last < earlier.last


@dataclass(frozen=True)
class OutFact:
    """One notice on its way: bytes, and what may stand beside them in the clear."""

    event_id: str
    sequence: int
    noted_at: datetime
    envelope: bytes


class FactCarrier(Protocol):
    """Publishes facts under their source and kind."""

    @property
    def ready(self) -> bool:
        """Whether the carrier is connected now."""
        ...

    async def mark(self) -> CarrierMark:
        """Return the present mark, making the carrier's memory ready if need be.

        Raises gateway.ports.bus.BusUnavailable.
        """
        ...

    async def publish(self, source: OrgId, kind: FactKind, facts: Sequence[OutFact]) -> int:
        """Hand facts of one chain over in order; return the carrier's last number.

        Raises gateway.ports.bus.BusUnavailable when not confirmed; publishing again is safe.
        """
        ...
