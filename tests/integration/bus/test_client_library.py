"""Bad manners of the client library that have stopped a node before: the link outlives them."""

import asyncio
import os
import signal

import pytest
from nats.aio.client import Client

from gateway.bus import link
from gateway.bus.connection import Connection
from tests.integration.bus.nodes import PATIENCE, Broker


async def test_a_link_that_closed_in_silence_is_made_anew(broker: Broker) -> None:
    """Who waits for the link waits for the next one, and leaves the others their turn."""
    async with Connection(broker.address("wuhua")) as connection, asyncio.timeout(PATIENCE):
        first = await connection.connected()
        first._status = Client.CLOSED
        second = await connection.connected()
        assert second is not first
        assert second.is_connected


async def test_a_swallowed_cancellation_is_heeded(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is given up while it is made ends, though the library hears of no such thing."""
    really, dialled = link.dial, asyncio.Event()

    async def deaf(*known: object) -> None:
        await really(*known)  # type: ignore[arg-type]
        dialled.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    monkeypatch.setattr("gateway.bus.connection.dial", deaf)
    async with asyncio.timeout(PATIENCE):
        async with Connection(broker.address("wuhua")):
            await dialled.wait()


async def test_the_line_to_a_frozen_server_is_closed(broker: Broker) -> None:
    """It never answers the farewell of TLS; the connection below is not left to the collector."""
    async with asyncio.timeout(PATIENCE):
        async with Connection(broker.address("wuhua")) as connection:
            client = await connection.connected()
            line = client._transport._bare_io_writer  # type: ignore[union-attr]
            pid = broker.server.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                await link.drop(client)
                assert line.transport.is_closing()
            finally:
                os.kill(pid, signal.SIGCONT)


async def test_the_line_is_closed_also_when_nobody_waits_for_the_farewell(broker: Broker) -> None:
    """Who is told to stop while it drops the link to a frozen server leaves no line behind."""
    async with asyncio.timeout(PATIENCE):
        async with Connection(broker.address("wuhua")) as connection:
            client = await connection.connected()
            line = client._transport._bare_io_writer  # type: ignore[union-attr]
            pid = broker.server.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                dropping = asyncio.create_task(link.drop(client))
                await asyncio.sleep(0)
                assert not line.transport.is_closing()
                dropping.cancel()
                await asyncio.wait({dropping})
                assert line.transport.is_closing()
            finally:
                os.kill(pid, signal.SIGCONT)
