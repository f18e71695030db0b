"""The hash chain over the log of an organisation: what was left out or slipped in shows.

Each position has a head that hangs on everything before it. Whoever remembers one head and is
given the events that follow can compute the next; nobody can take an event out, put one in or
change one without another head.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

START: Final = bytes(32)
"""Head before the first event."""

_DOMAIN: Final = b"dropout-gateway/v1/log\0"


def head_after(previous: bytes, position: int, digest: bytes) -> bytes:
    """Return the head at a position (SHA-256, 32 bytes).

    Args:
        previous: head at the position before; START before the first.
        position: position in the log, from 1.
        digest: SHA-256 of the signed payload bytes of the event at that position.

    Raises:
        ValueError: a head or digest has not 32 bytes, so that the bytes hashed could be read twice.
        OverflowError: the position is negative or has more than 64 bits.
    """
    if len(previous) != len(START) or len(digest) != len(START):
        raise ValueError("A head and a digest have 32 bytes each.")
    return hashlib.sha256(_DOMAIN + previous + position.to_bytes(8) + digest).digest()


def head_of(previous: bytes, after: int, payloads: Iterable[bytes]) -> bytes:
    """Return the head once these payloads, signed bytes of events, stand after a position."""
    head = previous
    for position, payload in enumerate(payloads, start=after + 1):
        head = head_after(head, position, hashlib.sha256(payload).digest())
    return head
