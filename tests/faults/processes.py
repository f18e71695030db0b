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
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.verifier import DirectoryVerifier
from gateway.ports.failpoints import Failpoint
from tests.faults.audit import Audit
from tests.faults.leaks import leaks
from tests.world.moving_clock import MovingClock
from tests.world.running import RunningNode, RunningProvince
from tests.world.waiting import eventually

_ROOT = Path(__file__).resolve().parents[2]
_LOOPBACK = "127.0.0.1"
_LONGEST_START = 90.0  # seconds; on a machine at rest a node starts in three
_LONGEST_END = 20.0
NODE = "tests.faults.node_process"
"""The program of a node that is as it should be."""


class NodeProcess(RunningNode):
    """One node as a process. It keeps its port over a restart, as a node in service does."""

    def __init__(self, config: NodeConfig, clock: MovingClock, directory: Path) -> None:
        name = config.node.name
        self._announce = directory / f"{name}.address.json"
        node = config.node.model_copy(update={"announce": self._announce})
        super().__init__(config.model_copy(update={"node": node}), clock)
        self._file = directory / f"{name}.config.json"
        self._failpoint = directory / f"{name}.failpoint"
        self._log = directory / f"{name}.log"
        self._now = clock.now
        self.program = NODE
        self.settings: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.killed = 0

    async def start(self) -> None:
        """Start the process. It says later that it listens."""
        await asyncio.get_running_loop().run_in_executor(None, self.launch)

    def begin(self) -> None:
        """Start the process and return once it has said where it listens."""
        self.launch()
        eventually(self.listens, f"{self.config.node.name} listening", most=_LONGEST_START)

    def launch(self) -> None:
        """Start the process. Its life is tied to the thread that calls this."""
        self._announce.unlink(missing_ok=True)
        self._failpoint.unlink(missing_ok=True)
        self._file.write_text(self.config.model_dump_json())
        environment = {
            **os.environ,
            "GATEWAY_FAILPOINTS": str(self._failpoint),
            **self.settings,
        }
        with self._log.open("ab") as log:
            # Tied to this process: a test run that is cut off leaves no node behind.
            tie = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
            self.process = subprocess.Popen(
                [*tie, sys.executable, "-m", self.program, self._file, self._now().isoformat()],
                cwd=_ROOT,
                env=environment,
                stderr=log,
            )

    def listens(self) -> bool:
        """Whether the process has said where it listens. Raises AssertionError when it ended."""
        assert self.process is not None
        assert self.process.poll() in {None, -signal.SIGKILL}, "the node did not start; see its log"
        if not self._announce.exists():
            return False
        self.address = json.loads(self._announce.read_text())["address"]
        node = self.config.node.model_copy(update={"listen": self.address})
        self.config = self.config.model_copy(update={"node": node})
        return True

    def arm(self, point: Failpoint) -> None:
        """Have the process die when it next reaches the point; return when that is certain."""
        self.tell(point)
        eventually(lambda: self.told, f"{point} armed")

    def tell(self, point: Failpoint) -> None:
        """Tell the process where to die."""
        assert self.process is not None
        self._failpoint.write_text(point)
        self.process.send_signal(signal.SIGUSR1)

    @property
    def told(self) -> bool:
        """Whether the process has understood where to die, or has died already."""
        return not self._failpoint.exists() or self.dead

    @property
    def dead(self) -> bool:
        """Whether the process has died of SIGKILL: the proof that the fault happened."""
        assert self.process is not None
        code = self.process.poll()
        assert code in {None, -signal.SIGKILL}, f"the node ended with {code}; see its log"
        return code is not None

    def died(self) -> None:
        """Wait until the process has died of SIGKILL."""
        eventually(lambda: self.dead, f"the death of {self.config.node.name}")
        self.killed += 1

    def kill(self) -> None:
        """Kill it now."""
        assert self.process is not None
        self.process.kill()
        self.died()

    async def stop(self) -> None:
        """Drain and stop it; one that does not end is killed, and that is an error."""
        if self.process is not None:
            self.process.terminate()
            await asyncio.get_running_loop().run_in_executor(None, self._ended)

    def _ended(self) -> None:
        assert self.process is not None
        try:
            self.process.wait(_LONGEST_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class ProcessProvince(RunningProvince):
    """Starts with `start`, ends with `close`, as the one it is."""

    def start(self) -> None:
        """Start everything, and make ready to audit it."""
        super().start()
        authority = (self.directory / "authority.pub.pem").read_bytes()
        listed = SignedDirectory(self.directory / "directory.bin", authority)
        self.audit = Audit(
            [self.engine(name) for name in self.nodes], DirectoryVerifier(listed), self.clock.now
        )

    def serving(self, name: str) -> bool:
        """Whether the node listens and its health service says SERVING."""
        return self.process(name).listens() and super().serving(name)

    def make_node(self, config: NodeConfig) -> RunningNode:
        """Make a node that runs as a process."""
        return NodeProcess(config, self.clock, self.directory)

    def process(self, name: str) -> NodeProcess:
        """Return a node as the process it is."""
        node = self.nodes[name]
        assert isinstance(node, NodeProcess)
        return node

    def restart(self, name: str) -> None:
        """Start a node that is not running, and wait until it serves."""
        self.process(name).begin()
        eventually(lambda: self.serving(name), f"{name} serving again")

    def replace(self, name: str, program: str, **settings: str) -> None:
        """Stop a node as an operator does, and start it with another program in its place."""
        node = self.process(name)
        if node.process is not None and node.process.poll() is None:
            self.run(node.stop())
        node.program, node.settings = program, settings
        self.restart(name)

    def leaked(self) -> list[str]:
        """Return where something of a child stands that belongs into the vault alone."""
        return leaks(self.directory, self.children, [self.engine(name) for name in self.nodes])

    def _listening(self) -> bool:
        """Whether somebody takes connections on the broker's port."""
        address = urlsplit(self.broker.url)
        with socket.socket() as probe:
            return probe.connect_ex((address.hostname or _LOOPBACK, address.port)) == 0

    def kill_broker(self) -> None:
        """Kill the broker with SIGKILL."""
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self._listening(), "the broker dead")
        self.broker.stop()

    def restart_broker(self) -> None:
        """Kill the broker with SIGKILL and start it again on its port."""
        before = self.broker.pid
        self.kill_broker()
        self.broker.start()
        assert self.broker.pid != before
