"""Gateway and floor in alternation: the same machine, the same minutes, the same disturbances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.figures import Estimate, Run


@dataclass(frozen=True)
class Compared:
    """Runs of the gateway and of what it is compared with, one pair after the other."""

    gateway: Sequence[Run]
    other: Sequence[Run]

    @property
    def ratio(self) -> Estimate:
        """CPU of the gateway as a multiple of the other's, pair by pair."""
        pairs = zip(self.gateway, self.other, strict=True)
        return Estimate.of(mine.cpu_ms / theirs.cpu_ms for mine, theirs in pairs)


def alternate(pairs: int, gateway: Callable[[], Run], other: Callable[[], Run]) -> Compared:
    """Run both, after one warm-up each; every second pair begins with the other one."""
    gateway()
    other()
    mine: list[Run] = []
    theirs: list[Run] = []
    for number in range(pairs):
        if number % 2:
            theirs.append(other())
            mine.append(gateway())
        else:
            mine.append(gateway())
            theirs.append(other())
    return Compared(mine, theirs)


def cpu(runs: Sequence[Run]) -> Estimate:
    """CPU milliseconds an operation."""
    return Estimate.of(run.cpu_ms for run in runs)


def rate(runs: Sequence[Run]) -> Estimate:
    """Operations a second."""
    return Estimate.of(run.rate for run in runs)
