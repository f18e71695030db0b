"""What the sentences share."""

from collections.abc import Callable, Mapping
from typing import Any

Pair = tuple[str, str]
"""A sentence in English and in Chinese."""

Sentences = Mapping[str, Callable[[Any], Pair]]
"""By the name of the body field of the event."""


def short(enum: Any, value: int, prefix: str) -> str:
    """Return the name of a value; its number when a newer contract gave it."""
    try:
        return str(enum.Name(value)).removeprefix(prefix)
    except ValueError:
        return str(value)
