"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 30.0  # seconds before a test gives up; nothing is expected to take long
_POLL = 0.02

T = TypeVar("T")


def eventually(
    condition: Callable[[], T | None], what: str = "the condition", *, most: float = 0.0
) -> T:
    """Return the condition's first true value.

    Raises:
        AssertionError: it did not become true within `most` seconds (default: PATIENCE).
    """
    deadline = time.monotonic() + (most or PATIENCE)
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true")
        time.sleep(_POLL)
    return value
