"""Three brokers that replace each other, and a county's leaf: the very files of deploy/, for real.

Only paths, ports, names and keys are others. Each server is a process of its own, which can be
killed, frozen and started again on its ports.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from gateway.bus import tether
from gateway.bus.permissions import BrokerUser, user_entry
from gateway.bus.server import server_program
from tests.world.waiting import eventually

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Replace parts of an example, each of which must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Server:
    """One nats-server with its files in a folder of its own; starts with `start`."""

    def __init__(self, directory: Path, port: int, monitor: int = 0) -> None:
        self.directory = directory
        self.url = f"tls://127.0.0.1:{port}"
        self.config = directory / "main.conf"
        self.killed = 0
        self.monitor = f"127.0.0.1:{monitor}"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True)

    @property
    def store_dir(self) -> Path:
        """Where it keeps its mail."""
        return self.directory / "jetstream"

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.directory / "log").read_text()

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self.directory / "log").open("ab") as log:
            # Tied to this process: a test run that is cut off leaves no server behind.
            tie = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
            self._process = subprocess.Popen(
                [*tie, server_program(), "-c", self.config], stdout=log, stderr=log
            )
        eventually(self._listens, f"{self.directory.name} listening")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def healthy(self) -> bool:
        """Whether all that it keeps has caught up with the other servers, as it says itself."""
        connection = HTTPConnection(self.monitor, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == HTTPStatus.OK
        finally:
            connection.close()

    def kill(self) -> None:
        """Kill it as a power cut would, and see that it is gone."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(30) == -signal.SIGKILL
        self.killed += 1
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def close(self) -> None:
        """Stop it, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None


class Cluster:
    """Three servers, made from nats-cluster.conf. Enter it to start them."""

    def __init__(
        self, directory: Path, users: Sequence[BrokerUser], tls: Mapping[str, Path]
    ) -> None:
        """Write the files. `tls` maps the names server.crt, server.key and ca.pem to files."""
        ports = free_ports(12)
        self.routes, self.leaf_ports = ports[3:6], ports[6:9]
        self.servers = [
            Server(directory / f"broker-{n + 1}", ports[n], ports[9 + n]) for n in range(3)
        ]
        self._paths = {f"/etc/nats/{name}": str(path) for name, path in tls.items()}
        for number in range(3):
            self._write(number, users)

    def _write(self, number: int, users: Sequence[BrokerUser]) -> None:
        server = self.servers[number]
        others = [port for port in self.routes if port != self.routes[number]]
        single = (DEPLOY / "nats-server.conf").read_text("utf-8")
        cluster = (DEPLOY / "nats-cluster.conf").read_text("utf-8")
        paths = {name: path for name, path in self._paths.items() if "ca.pem" not in name}
        (server.directory / "nats-server.conf").write_text(
            changed(
                single,
                {
                    "gateway-broker-1": server.directory.name,
                    "0.0.0.0:4222": server.url.removeprefix("tls://"),
                    "/var/lib/nats": str(server.store_dir),
                    "127.0.0.1:8222": server.monitor,
                    "50GB": "1GB",
                    **paths,
                },
            )
        )
        server.config.write_text(
            changed(
                cluster,
                {
                    "0.0.0.0:6222": f"127.0.0.1:{self.routes[number]}",
                    "0.0.0.0:7422": f"127.0.0.1:{self.leaf_ports[number]}",
                    "tls://broker-2.example.org:6222": f"tls://127.0.0.1:{others[0]}",
                    "tls://broker-3.example.org:6222": f"tls://127.0.0.1:{others[1]}",
                    **self._paths,
                },
            )
        )
        listed = json.dumps([user_entry(user) for user in users])
        (server.directory / "nats-users.conf").write_text(f"users = {listed}\n")

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses that nodes connect to."""
        return tuple(server.url for server in self.servers)

    def named(self, name: str) -> Server:
        """Return the server of that name."""
        return next(server for server in self.servers if server.directory.name == name)

    def __enter__(self) -> Self:
        """Start all three."""
        for server in self.servers:
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all three."""
        for server in self.servers:
            server.close()


def make_leaf(
    directory: Path,
    users: Sequence[BrokerUser],
    tls: Mapping[str, Path],
    hub_ports: Sequence[int],
    seed: str,
) -> Server:
    """Make a county's leaf from nats-leaf.conf; it logs in at the hub with the seed."""
    (port,) = free_ports(1)
    leaf = Server(directory, port)
    text = changed(
        (DEPLOY / "nats-leaf.conf").read_text("utf-8"),
        {
            "0.0.0.0:4222": f"127.0.0.1:{port}",
            "reconnect: 2s": "reconnect: 200ms",
            **{f"/etc/nats/{name}": str(path) for name, path in tls.items()},
        },
    )
    hubs = "\n".join(f"tls://127.0.0.1:{hub}" for hub in hub_ports)
    text = re.sub(r"urls: \[[^\]]*\]", f"urls: [\n{hubs}\n]", text)
    leaf.config.write_text(text)
    listed = json.dumps([user_entry(user) for user in users])
    (directory / "nats-users.conf").write_text(f"users = {listed}\n")
    (directory / "nats-leaf-seed.conf").write_text(f'nkey: "{seed}"\n')
    return leaf
