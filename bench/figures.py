"""Figures: what one run gave, and the median of several with its interval."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

_MILLI = 1000.0
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Run:
    """One run: how many operations, CPU seconds by process, wall seconds until the last was done."""

    operations: int
    cpu: Mapping[str, float]
    seconds: float

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds an operation, all processes together."""
        return sum(self.cpu.values()) * _MILLI / self.operations

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    def shares(self) -> str:
        """Say what each process used, in milliseconds an operation."""
        parts = (f"{name} {s * _MILLI / self.operations:.2f}" for name, s in self.cpu.items())
        return ", ".join(parts)


@dataclass(frozen=True)
class Estimate:
    """A median and the interval in which the true one lies with 95 % confidence.

    With fewer than six values there is no such interval; it is then the whole range.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Estimate":
        """Estimate from independent values: the interval is between two order statistics."""
        ordered = sorted(values)
        cut = _cut(len(ordered))
        return cls(median(ordered), ordered[cut], ordered[-1 - cut])

    def __format__(self, spec: str) -> str:
        spec = spec or ".2f"
        return f"{self.median:{spec}} [{self.low:{spec}}-{self.high:{spec}}]"


def _cut(count: int) -> int:
    """Return how many values may be left out at each end (sign test, binomial)."""
    cut, tail = 0, 0.5**count
    while cut + 1 < count // 2:
        tail += comb(count, cut + 1) * 0.5**count
        if 2 * tail > 1 - _CONFIDENCE:
            break
        cut += 1
    return cut


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies (0 for none)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
