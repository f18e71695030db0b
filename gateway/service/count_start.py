"""Counting a start: a store older than its counter recovers, before anything else is done with it."""

from gateway.domain.recovery import judge_start
from gateway.ports.store import Work
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.recovery import begin_recovery


def count_start(work: Work, tools: Tools, beside: int | None, *, guarded: bool) -> int:
    """Compare the count in the store with that beside it, raise it, and return it.

    Where the store is the older one, every organisation at home begins to recover in this very
    transaction: a start that dies after it finds them recovering. A store that is not `guarded` has
    no place beside it; then only a copy that a backup made is known.
    """
    in_store, from_backup = work.starts.read()
    start = judge_start(in_store, beside if guarded else in_store, from_backup=from_backup)
    if start.cause is not None:
        for org in sorted(tools.home, key=str):
            desk = Desk(work, tools, Actor(org, "SYSTEM"), tools.clock.now())
            begin_recovery(desk, start.cause)
    work.starts.write(start.count)
    return start.count


def raise_count(work: Work) -> int:
    """Raise the count of a running node, so that a copy of its store is soon an old one."""
    count = (work.starts.read()[0] or 0) + 1
    work.starts.write(count)
    return count
