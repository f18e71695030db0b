"""A stream of pages: what a use case gives for one, and where the next one begins."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

MOST_BYTES = 1_500_000
"""Envelopes on one page, bytes. A page holds each event twice, signed and read, and has to stay
below the 4 MB that gRPC clients take unless told otherwise."""

LARGEST = 300_000
"""What one envelope may have at most, bytes: a fact has 256 KiB."""


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        response: what to send; None when there is nothing new.
        cursor: what the use case needs to know for the next page.
        more: whether more is there already; else the next page waits for the next commit.
        last: whether the stream ends here.
    """

    response: Message | None
    cursor: Any
    more: bool
    last: bool
