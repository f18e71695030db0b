"""A node that comes back with a store full of messages that nobody has receipted."""

import time
from collections.abc import Sequence
from pathlib import Path

from bench.client import report_of
from bench.province import SCHOOL, SCHOOL_NODE, running, until
from bench.seeding import Seeder, school_days
from gateway.cli.estate import LaidOut
from gateway.service.desk import Desk
from gateway.service.pack_lanes import pack_lanes
from gateway.service.report_absence import report_absence

_AT_ONCE = 100
_DRAIN_SECONDS = 3600.0


def measure(directory: Path, count: int) -> tuple[float, float]:
    """Return the seconds until the nodes serve, and those until every message is receipted."""
    began = 0.0

    def fill(laid: LaidOut) -> None:
        nonlocal began
        seeder = Seeder(laid.nodes[SCHOOL_NODE])
        days = school_days(3)
        for start in range(0, count, _AT_ONCE):
            with seeder.desk(SCHOOL, "HEAD_TEACHER") as desk:
                _leave_messages(desk, range(start, min(start + _AT_ONCE, count)), days)
        seeder.close()
        began = time.monotonic()

    with running(directory, fill) as province:
        serving = time.monotonic() - began
        until(lambda: province.unreceipted(SCHOOL_NODE) == 0, "the last receipt", _DRAIN_SECONDS)
        return serving, time.monotonic() - began - serving


def _leave_messages(desk: Desk, numbers: Sequence[int], days: Sequence[str]) -> None:
    """Report absences, each packed into a message of its own."""
    for number in numbers:
        report_absence(desk, report_of(number, days))
        pack_lanes(desk)
