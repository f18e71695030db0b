"""The broker as deploy/ shows it: a node of the example users connects and makes the stream."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.bus.address import BrokerAddress
from gateway.bus.connection import Connection
from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.server import server_program
from tests.integration.bus.certificates import Certificates
from tests.integration.bus.nodes import PATIENCE

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


@pytest.fixture
def seed() -> str:
    """The seed of the county's node, in place of the one that nobody has."""
    return user_seed(os.urandom(32))


@pytest.fixture
def directory(tmp_path: Path, certificates: Certificates, seed: str) -> Path:
    """The example's files with other paths, ports and one other key."""
    text = (DEPLOY / "nats-server.conf").read_text("utf-8")
    for old, new in (
        ("/etc/nats/server.crt", str(certificates.cert)),
        ("/etc/nats/server.key", str(certificates.key)),
        ("/var/lib/nats", str(tmp_path / "jetstream")),
        ("0.0.0.0:4222", "127.0.0.1:-1"),
        ("http: 127.0.0.1:8222", f"ports_file_dir: {tmp_path}"),
        ("50GB", "2GB"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nats-server.conf").write_text(text, "utf-8")
    users = (DEPLOY / "nats-users.conf").read_text("utf-8")
    users = re.sub(r'"U[A-Z2-7]{55}"', f'"{public_nkey(seed)}"', users, count=1)
    (tmp_path / "nats-users.conf").write_text(users, "utf-8")
    return tmp_path


@pytest.fixture
def server(directory: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """The running broker."""
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [server_program(), "-c", directory / "nats-server.conf"], stdout=log, stderr=log
        )
    yield process
    process.terminate()
    process.wait(PATIENCE)


async def url_of(process: "subprocess.Popen[bytes]", directory: Path) -> str:
    """Wait until the broker says where it listens."""
    path = directory / f"nats-server_{process.pid}.ports"
    async with asyncio.timeout(PATIENCE):
        while True:
            assert process.poll() is None, (directory / "log").read_text()
            try:
                ports = json.loads(path.read_bytes())
            except (FileNotFoundError, json.JSONDecodeError):  # not there, or half written
                await asyncio.sleep(0.01)
            else:
                return str(ports["nats"][0])


async def test_a_node_connects(
    server: "subprocess.Popen[bytes]", directory: Path, certificates: Certificates, seed: str
) -> None:
    """With the permissions of the example a node makes the mail stream and finds it safe."""
    port = (await url_of(server, directory)).rpartition(":")[2]
    address = BrokerAddress((f"tls://127.0.0.1:{port}",), "zhenxiong", certificates.ca, seed)
    async with Connection(address) as connection, asyncio.timeout(PATIENCE):
        await connection.connected()
        assert connection.ready
        assert (await connection.stream_state()).last_seq == 0
