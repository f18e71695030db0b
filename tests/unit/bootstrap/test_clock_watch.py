"""A clock is judged by the steady one of the machine and by what the store remembers."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.bootstrap.clock_watch import ClockWatch
from gateway.ports.condition import Code

START = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Clocks:
    """A clock that can be set, and a steady one."""

    def __init__(self) -> None:
        self.moment = START
        self.steady = 0.0

    def now(self) -> datetime:
        """Return what the clock says."""
        return self.moment

    def run(self, **step: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**step)
        self.steady += timedelta(**step).total_seconds()

    def watch(self, latest: datetime | None = None) -> ClockWatch:
        """Watch it."""
        return ClockWatch(self, latest, lambda: self.steady)


def test_a_clock_that_runs_is_good() -> None:
    """A second, a night: it goes as time does."""
    clocks = Clocks()
    watch = clocks.watch()
    for step in ({"seconds": 1.0}, {"hours": 9.0}):
        clocks.run(**step)
        assert watch.look().code is Code.GOOD


@pytest.mark.parametrize("minutes", [-9, 2, 60])
def test_a_jump_is_said(minutes: int) -> None:
    """By how much, and it is not forgotten at the next look."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.moment += timedelta(minutes=minutes)
    for _ in range(2):
        found = watch.look()
        assert found.code is Code.CLOCK_JUMPED
        assert found.facts == {"seconds": str(60 * minutes)}


def test_far_behind_it_fails_until_it_has_caught_up() -> None:
    """More than ten minutes behind what was: peers would refuse what comes after (B33)."""
    clocks = Clocks()
    watch = clocks.watch()
    clocks.moment -= timedelta(minutes=11)
    assert watch.look().code is Code.CLOCK_BEHIND
    clocks.run(minutes=2)
    assert watch.look().code is Code.CLOCK_JUMPED


def test_the_store_remembers_over_a_restart() -> None:
    """A clock that was set back while the node was down is behind what the store knows."""
    assert Clocks().watch(START + timedelta(hours=1)).look().code is Code.CLOCK_BEHIND
    assert Clocks().watch(START + timedelta(minutes=9)).look().code is Code.GOOD
