"""The processes of a demonstration: one broker, and `gateway serve` for every node.

All are this command's own children and end with it, on Linux even when it is killed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2

from gateway.bus import tether
from gateway.bus.server import BundledServer
from gateway.cli.connection import secure_channel
from gateway.cli.demonstration.faults import NodeFell
from gateway.cli.estate import LaidOut
from gateway.cli.options import CallOptions

READY_SECONDS = 60.0
"""How long all nodes may take to serve; a cold and busy machine takes a while."""
_STOP_SECONDS = 10.0
_DYING_SECONDS = 1.0
_POLL_SECONDS = 0.02
_LAST_LINES = 3


class Processes:
    """The running estate: started on entering, stopped on leaving, whatever happened between."""

    def __init__(self, directory: Path, laid: LaidOut, callers: Mapping[str, Path]) -> None:
        """Take where the estate is laid out, and a client profile for each node.

        Logs go to `<dir>/logs`, process identifiers to `<dir>/processes.json`.
        """
        self._directory = directory
        self._laid = laid
        self._callers = callers
        broker = laid.broker
        self._broker = BundledServer(
            broker.directory, broker.certificate, broker.key, broker.users, port=broker.port
        )
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start the broker, then all nodes at once; `wait_until_serving` waits for them.

        Raises:
            BrokerFailed: the broker does not start.
            OSError: a process or file cannot be made.
        """
        (self._directory / "logs").mkdir(exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._broker.start()
            for name, config in self._laid.nodes.items():
                self._nodes[name] = self._start(name, config)
            self._write_down()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def log_of(self, name: str) -> Path:
        """Return the file that takes a node's standard output and error."""
        return self._directory / "logs" / f"{name}.log"

    def wait_until_serving(self, seconds: float = READY_SECONDS) -> None:
        """Wait until the health service of every node says SERVING.

        Raises:
            NodeFell: one ended, or does not serve in time.
        """
        deadline = time.monotonic() + seconds
        for name in self._nodes:
            while not (self._laid.nodes[name].parent / "state" / "announce.json").exists():
                self._check(name, deadline)
                time.sleep(_POLL_SECONDS)
        for name in self._nodes:
            self._await_health(name, deadline)

    def fallen(self) -> str:
        """Return a sentence for every node that ended by itself; empty while all run.

        To be asked after a call failed: a node's connections break a moment before it has ended.
        """
        deadline = time.monotonic() + _DYING_SECONDS
        while all(process.poll() is None for process in self._nodes.values()):
            if time.monotonic() > deadline:
                return ""
            time.sleep(_POLL_SECONDS)
        return " ".join(
            self._epitaph(name, process.returncode)
            for name, process in self._nodes.items()
            if process.poll() is not None
        )

    def stop(self) -> None:
        """End the nodes, all at once, then the broker: SIGTERM, SIGKILL when that is not enough."""
        for process in self._nodes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self._nodes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._nodes = {}
        self._broker.stop()

    def _start(self, name: str, config: Path) -> "subprocess.Popen[bytes]":
        # A twin in the user's environment would reach into every node.
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")
        }
        command = [sys.executable, "-P", "-m", "gateway.cli", "serve", "--config", str(config)]
        with self.log_of(name).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own program and file
                [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                process_group=0,  # Ctrl-C reaches this command, which then stops them in order
            )

    def _write_down(self) -> None:
        pids = {
            "demo": os.getpid(),
            "broker": self._broker.pid,
            "nodes": {name: process.pid for name, process in self._nodes.items()},
        }
        temporary = self._directory / "processes.new"
        temporary.write_text(json.dumps(pids), "utf-8")
        temporary.replace(self._directory / "processes.json")

    def _await_health(self, name: str, deadline: float) -> None:
        with secure_channel(CallOptions(profile=self._callers[name])) as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            left = max(0.1, deadline - time.monotonic())
            try:
                for answer in watch(health_pb2.HealthCheckRequest(), timeout=left):
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
            except grpc.RpcError:
                self._check(name, deadline)
        raise NodeFell(f"The node {name} does not serve; its log is {self.log_of(name)}.")

    def _check(self, name: str, deadline: float) -> None:
        code = self._nodes[name].poll()
        if code is not None:
            raise NodeFell(self._epitaph(name, code))
        if time.monotonic() > deadline:
            raise NodeFell(f"The node {name} did not start in time; see {self.log_of(name)}.")

    def _epitaph(self, name: str, code: int) -> str:
        lines = self.log_of(name).read_text("utf-8", "replace").splitlines()
        last = " | ".join(lines[-_LAST_LINES:]) or "nothing"
        return f"The node {name} ended with code {code}. The end of its log: {last}"
