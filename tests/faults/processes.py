"""The running province with every node in a process of its own, which can be killed at a point."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from gateway.bus import tether
from gateway.config import NodeConfig
from gateway.ports.failpoints import ARMED, Failpoint
from tests.world.running import MovingClock, RunningNode, RunningProvince
from tests.world.waiting import eventually

_ROOT = Path(__file__).resolve().parents[2]


class NodeProcess(RunningNode):
    """One node as a process; `failpoint` is where it may be told to die."""

    def __init__(self, config: NodeConfig, clock: MovingClock, directory: Path) -> None:
        name = config.node.name
        self._announce = directory / f"{name}.address.json"
        node = config.node.model_copy(update={"announce": self._announce})
        super().__init__(config.model_copy(update={"node": node}), clock)
        self._file = directory / f"{name}.config.json"
        self._file.write_text(self.config.model_dump_json())
        self._log = directory / f"{name}.log"
        self._now = clock.now
        self.process: subprocess.Popen[bytes] | None = None
        self.killed = 0

    async def start(self) -> None:
        """Start the process; see `begin`."""
        await asyncio.get_running_loop().run_in_executor(None, self.begin)

    def begin(self, failpoint: Failpoint | None = None) -> None:
        """Start the process and return once it has said where it listens."""
        self._announce.unlink(missing_ok=True)
        environment = {**os.environ, "GATEWAY_FAILPOINT": failpoint.value if failpoint else ""}
        with self._log.open("ab") as log:
            # Tied to this process: a test run that is cut off leaves no node behind.
            tie = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
            node = [sys.executable, "-m", "tests.faults.node_process"]
            self.process = subprocess.Popen(
                [*tie, *node, str(self._file), self._now().isoformat()],
                cwd=_ROOT,
                env=environment,
                stderr=log,
            )
        eventually(self._announce.exists, f"{self.config.node.name} listening")
        self.address = json.loads(self._announce.read_text())["address"]

    def arm(self) -> None:
        """Arm the failpoint and return when the process has armed it."""
        assert self.process is not None
        before = self._log.read_bytes().count(ARMED)
        self.process.send_signal(signal.SIGUSR1)
        eventually(lambda: self._log.read_bytes().count(ARMED) > before, "the failpoint armed")

    def died(self) -> None:
        """Wait until the process has died of SIGKILL: the proof that the fault happened."""
        assert self.process is not None
        assert self.process.wait(30) == -signal.SIGKILL
        self.killed += 1

    def kill(self) -> None:
        """Kill it now."""
        assert self.process is not None
        self.process.kill()
        self.died()

    async def stop(self) -> None:
        """Drain and stop it."""
        if self.process is not None:
            self.process.terminate()
            await asyncio.get_running_loop().run_in_executor(None, self.process.wait, 30)


class ProcessProvince(RunningProvince):
    """Starts with `start`, ends with `close`, as the one it is."""

    def make_node(self, config: NodeConfig) -> RunningNode:
        """Make a node that runs as a process."""
        return NodeProcess(config, self.clock, self.directory)

    def process(self, name: str) -> NodeProcess:
        """Return a node as the process it is."""
        node = self.nodes[name]
        assert isinstance(node, NodeProcess)
        return node

    def restart(self, name: str, failpoint: Failpoint | None = None) -> None:
        """Start a node that is not running, and wait until it serves."""
        self.process(name).begin(failpoint)
        eventually(lambda: self.serving(name), f"{name} serving again")

    def restart_armed(self, name: str, failpoint: Failpoint) -> None:
        """Restart a running node so that it dies when it next reaches the point."""
        self.process(name).kill()
        self.restart(name, failpoint)
        self.process(name).arm()

    def _listening(self) -> bool:
        """Whether somebody takes connections on the broker's port."""
        address = urlsplit(self.broker.url)
        with socket.socket() as probe:
            return probe.connect_ex((address.hostname, address.port)) == 0

    def restart_broker(self) -> None:
        """Kill the broker with SIGKILL and start it again on its port."""
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self._listening(), "the broker dead")
        self.broker.stop()
        self.broker.start()
        assert self.broker.pid != pid
