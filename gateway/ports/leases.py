"""Leases: which of several processes on one store does what only one of them should do."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

Duties = Callable[[], Coroutine[Any, Any, None]]
"""What the holder does until it is cancelled; it is begun anew each time the lease is taken."""


class Lease(Protocol):
    """The right to a node's duties: relay, letter-boxes, adapters, clocks.

    It saves work and keeps order; no promise rests on it. Two processes that believe for a moment
    that they hold it send mail twice, and every receiver expects that.
    """

    async def keep(self, duties: Duties) -> None:
        """Wait for the lease, do the duties while it is held; until cancelled.

        The lease is given back at the end, after the duties have ended. Raises what the duties
        raise.
        """
        ...


class AlwaysHeld:
    """The lease of a store that one process has to itself."""

    async def keep(self, duties: Duties) -> None:
        """See Lease.keep."""
        await duties()
