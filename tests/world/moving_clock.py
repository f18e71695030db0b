"""A clock for nodes under test, that runs from a moment of the test's choice."""

import time
from datetime import datetime, timedelta


class MovingClock:
    """A clock that starts at a given moment and goes on from there."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """Return the moment, aware UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._begun)

    def advance(self, **step: float) -> None:
        """Move forward by a timedelta's arguments."""
        self._start += timedelta(**step)
