"""What an audit found: each finding under the invariant it breaks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Invariant(StrEnum):
    """The promises, as the fault matrix names them."""

    LOSS = "I1"
    """What was acknowledged arrives, once healed."""
    TWICE = "I2"
    """Nothing takes effect twice."""
    FORGERY = "I3"
    """What is stored is what its author signed."""
    LEAK = "I4"
    """No identity outside the vault."""
    EVIDENCE = "I5"
    """Every receipt verifies and keeps its bytes. (Checkpoints of a log do not exist yet.)"""
    LANE = "I6"
    """Numbers without holes, chained; what was sent is what was taken."""
    ACTORS = "one actor"
    """At most one store may act on a case at any time, exactly one once healed."""


@dataclass
class Findings:
    """What is not as promised; empty when all is."""

    found: list[tuple[Invariant, str]] = field(default_factory=list)

    def expect(self, holds: bool, invariant: Invariant, otherwise: str) -> None:
        """Note a finding unless the condition holds."""
        if not holds:
            self.found.append((invariant, otherwise))

    def none(self, wrong: Iterable[object], invariant: Invariant, what: str) -> None:
        """Note a finding for each thing that is wrong."""
        self.found.extend((invariant, f"{what}: {thing}") for thing in wrong)

    def count(self, *invariants: Invariant) -> int:
        """Return how many findings there are under these invariants."""
        return sum(invariant in invariants for invariant, _ in self.found)

    @property
    def lost(self) -> int:
        """What was acknowledged and is not there."""
        return self.count(Invariant.LOSS)

    @property
    def doubled(self) -> int:
        """What is there twice, and cases on which two may act."""
        return self.count(Invariant.TWICE, Invariant.ACTORS)

    def __str__(self) -> str:
        """The findings, one a line."""
        return "\n".join(f"{invariant}: {what}" for invariant, what in self.found) or "as promised"
