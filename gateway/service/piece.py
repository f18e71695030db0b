"""A piece of a duty: what goes wrong in it is its own trouble, never that of the duty or the node."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")


async def ended(work: Coroutine[Any, Any, R]) -> "asyncio.Task[R]":
    """Carry a piece out and return it ended, whatever became of it.

    A caller that is cancelled cancels the piece, and goes when that has ended too.
    """
    piece = asyncio.ensure_future(work)
    try:
        await asyncio.wait({piece})
    except asyncio.CancelledError:
        piece.cancel()
        await asyncio.wait({piece})
        raise
    return piece
