"""Places at which a test may have the process killed, to prove that nothing hangs on its grace.

Named by the environment (`GATEWAY_FAILPOINT=RELAY_AFTER_PUBLISH`) and armed by SIGUSR1, so that the
process dies in the very act under test. Without that variable `reach` does nothing.
"""

import os
import signal
from enum import StrEnum


class Failpoint(StrEnum):
    """Where the process may die."""

    STORE_BEFORE_COMMIT = "STORE_BEFORE_COMMIT"
    """Everything of the transaction is written, nothing is committed."""
    STORE_AFTER_COMMIT = "STORE_AFTER_COMMIT"
    """The transaction is on disk, nobody has been told."""
    RELAY_AFTER_PACK = "RELAY_AFTER_PACK"
    """Messages have their numbers and bytes, none is published."""
    RELAY_AFTER_PUBLISH = "RELAY_AFTER_PUBLISH"
    """Messages are with the broker, the store does not know."""
    MAIL_AFTER_COMMIT = "MAIL_AFTER_COMMIT"
    """What arrived took effect, no receipt has left."""
    MAIL_AFTER_REPLY = "MAIL_AFTER_REPLY"
    """The receipt has left, the broker has no acknowledgement."""


ARMED = b"failpoint armed\n"
"""Written to standard error when the signal has armed the point."""

_named = os.environ.get("GATEWAY_FAILPOINT", "")
_armed: set[Failpoint] = set()


def reach(point: Failpoint) -> None:
    """Die here, when this point is armed."""
    if point in _armed:
        os.kill(os.getpid(), signal.SIGKILL)


def _arm(_number: int, _frame: object) -> None:
    _armed.add(Failpoint(_named))
    os.write(2, ARMED)


if _named:
    signal.signal(signal.SIGUSR1, _arm)
