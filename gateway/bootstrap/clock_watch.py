"""Whether the machine's clock goes as time does."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.ports.clock import Clock
from gateway.ports.condition import Code, Finding, Part, good

TOLERATED: Final = timedelta(minutes=10)
"""How far a clock may be off before peers refuse its facts (B33)."""

_JUMP: Final = timedelta(minutes=1)


class ClockWatch:
    """Compares the clock with the machine's steady one, and with the latest moment known."""

    def __init__(
        self,
        clock: Clock,
        latest: datetime | None = None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """Begin to watch.

        Args:
            clock: the clock to watch.
            latest: the latest moment that the store knows from before, if any.
            steady: seconds that only run forward.
        """
        self._clock = clock
        self._steady = steady or time.monotonic
        self._seen = (clock.now(), self._steady())
        self._latest = max(latest or self._seen[0], self._seen[0])
        self._jumped = timedelta()

    def look(self) -> Finding:
        """Say how the clock is now."""
        before, steady = self._seen
        self._seen = (self._clock.now(), self._steady())
        now = self._seen[0]
        jump = now - before - timedelta(seconds=self._seen[1] - steady)
        if abs(jump) > _JUMP:
            self._jumped = jump
        self._latest = max(self._latest, now)
        return judged(now, self._latest, self._jumped)


def judged(now: datetime, latest: datetime, jumped: timedelta = timedelta()) -> Finding:
    """Judge a clock by the latest moment known and the last jump seen."""
    behind = latest - now
    if behind > TOLERATED:
        return Finding(Part.CLOCK, Code.CLOCK_BEHIND, {"seconds": f"{behind.total_seconds():.0f}"})
    if jumped:
        return Finding(Part.CLOCK, Code.CLOCK_JUMPED, {"seconds": f"{jumped.total_seconds():.0f}"})
    return good(Part.CLOCK, "it runs on from the latest moment known")
