"""Waiting for a bell, for example the store's at every commit, and for what nobody rings for."""

import asyncio


async def rung(bell: asyncio.Event, seconds: float) -> None:
    """Return when the bell has rung, or after so many seconds."""
    try:
        # Not wait_for: before Python 3.12 it can swallow a cancellation.
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
