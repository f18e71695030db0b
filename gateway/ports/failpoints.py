"""Places at which a test may have the process killed, to prove that nothing hangs on its grace.

`GATEWAY_FAILPOINTS` names a file. SIGUSR1 arms the point whose name stands in it and removes the
file, so that the process dies in the very act under test. Without that variable the signal is not
taken and `reach` does nothing.
"""

import os
import signal
from enum import StrEnum
from pathlib import Path


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
    ADAPTER_AFTER_WRITE = "ADAPTER_AFTER_WRITE"
    """The agency's own system has what was asked of it, the store does not know."""


_file = os.environ.get("GATEWAY_FAILPOINTS", "")
_armed: set[Failpoint] = set()


def reach(point: Failpoint) -> None:
    """Die here, when this point is armed."""
    if point in _armed:
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(_number: int, _frame: object) -> None:
    path = Path(_file)
    _armed.add(Failpoint(path.read_text("utf-8").strip()))
    path.unlink()


if _file:
    signal.signal(signal.SIGUSR1, _arm)
