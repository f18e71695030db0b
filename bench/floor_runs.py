"""What is measured of the floor: its processes, started like the gateway's, and its runs."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nats

from bench.figures import Run
from bench.floor import BULK, STREAMS
from bench.orders import Worker
from bench.processes import CpuMeter
from gateway.bus.server import server_program

_PACK = 50
_START_SECONDS = 10.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Floor:
    """The running floor of one kind."""

    client: Worker
    pids: dict[str, int]
    kind: str

    def run(self, count: int, in_flight: int) -> Run:
        """Send so many letters; all receipts are committed at the end."""
        pack = _PACK if self.kind == BULK else 1
        meter = CpuMeter(self.pids)
        began = time.monotonic()
        self.client.carry_out("load", calls=count // pack, pack=pack, in_flight=in_flight)
        return Run(count // pack * pack, meter.seconds(), time.monotonic() - began)


@contextmanager
def plain_broker(directory: Path) -> Iterator[str]:
    """Run a broker that keeps everything on disk and asks nobody who they are."""
    directory.mkdir(parents=True)
    process, url = _broker(directory)
    try:
        asyncio.run(_connected(url))
        yield url
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(directory: Path, kind: str) -> Iterator[Floor]:
    """Start broker and roles, and end them."""
    directory.mkdir(parents=True)
    with ExitStack() as stack:
        broker, url = _broker(directory)
        stack.callback(broker.wait)
        stack.callback(broker.terminate)
        asyncio.run(_make_streams(url))
        port = _free_port()
        roles = {
            role: Worker("bench.floor", role, str(directory), url, str(port), kind)
            for role in ("receiver", "sender")
        }
        for worker in roles.values():
            stack.enter_context(worker)
        client = stack.enter_context(Worker("bench.floor_client", str(port)))
        pids = {"client": client.pid} | {role: worker.pid for role, worker in roles.items()}
        yield Floor(client, pids | {"broker": broker.pid}, kind)


def _broker(directory: Path) -> "tuple[subprocess.Popen[bytes], str]":
    port = _free_port()
    config = directory / "broker.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\n"
        f"jetstream {{ store_dir: {json.dumps(str(directory / 'mail'))}, sync_interval: always }}\n"
    )
    with (directory / "broker.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own program and file
            [str(server_program()), "-c", str(config)], stdout=log, stderr=log
        )
    return process, f"nats://127.0.0.1:{port}"


async def _connected(url: str) -> None:
    """Wait until the broker takes connections. Raises OSError."""
    address = urlsplit(url)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return


async def _make_streams(url: str) -> None:
    await _connected(url)
    client = await nats.connect(url)
    for name in STREAMS:
        await client.jetstream().add_stream(name=name, subjects=[f"{name}.>"], allow_atomic=True)
    await client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
