"""One nats-py client as this room uses it, and the ways of that library that must be tamed.

It never reconnects by itself. What cannot be sent at once fails and is not sent later.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import nats.errors
from nats.aio.client import Client

from gateway.bus.address import BrokerAddress
from gateway.bus.permissions import inbox_prefix

_CLOSING = 1.0  # seconds

OnError = Callable[[Exception], Awaitable[None]]
OnLoss = Callable[[], Awaitable[None]]


class _EofNotice(logging.Filter):
    """Drops the line that asyncio logs at the end of each link that began TLS half way.

    The client library starts TLS on an open stream; closing it is then harmless and noisy.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every other line."""
        return "eof_received() has no effect when using ssl" not in record.getMessage()


_EOF_NOTICE = _EofNotice()


def keep_log_quiet() -> None:
    """Keep what is no news out of the log. Idempotent."""
    logging.getLogger("asyncio").addFilter(_EOF_NOTICE)  # the same one: added once


def heed_cancellation(known: int = 0) -> None:
    """Raise the cancellation that the client library swallowed, if the task was asked to stop.

    `known` is how often it had been asked when the exchange began.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() > known:
        raise asyncio.CancelledError


async def dial(
    client: Client,
    address: BrokerAddress,
    url: str,
    tls: ssl.SSLContext,
    on_error: OnError,
    on_loss: OnLoss,
) -> None:
    """Connect a fresh client to one server.

    Raises:
        nats.errors.Error, OSError, ValueError: nobody is there, or not who should be.
    """
    await client.connect(
        servers=[url],
        name=address.node,
        tls=tls,
        nkeys_seed_str=address.seed,
        inbox_prefix=inbox_prefix(address.node),
        allow_reconnect=False,
        max_reconnect_attempts=1,  # 0 would be without end
        reconnect_time_wait=0,
        pending_size=-1,
        ping_interval=10,
        max_outstanding_pings=2,
        error_cb=on_error,
        disconnected_cb=on_loss,
    )


async def drop(client: Client) -> None:
    """Close a client for good, whatever state it is in."""
    # When the last write of a dying link fails, nats-py neither closes its socket nor hears
    # the error of its reading task; both have only private names.
    reading, socket = client._reading_task, client._transport  # noqa: SLF001
    try:
        # A link that broke while TLS was begun is never heard to have closed: not waited for
        # without end.
        with suppress(nats.errors.Error, OSError):
            async with asyncio.timeout(_CLOSING):
                await client.close()
        if socket:
            socket.close()  # type: ignore[no-untyped-call]
        if reading is not None:
            await asyncio.wait({reading}, timeout=_CLOSING)
            if reading.done() and not reading.cancelled():
                reading.exception()  # heard: asyncio would log it whenever memory is cleared
    finally:
        # A frozen server never answers the farewell of TLS: the line below is closed last, and as
        # well; also by who is told meanwhile to stop.
        if below := getattr(socket, "_bare_io_writer", None):
            below.close()
