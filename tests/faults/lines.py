"""A province of processes with a line of its own between each node and the broker, and its clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from gateway.config import NodeConfig
from gateway.crypto.development import Estate, EstateNode
from gateway.domain.organisations import OrgId
from tests.faults.processes import ProcessProvince
from tests.faults.proxy import Line, Proxy
from tests.world.clients import Clients

_HOST = "127.0.0.1"


class LinedProvince(ProcessProvince):
    """`to_broker` and `to_clients` are the lines, by the name of the node."""

    def __init__(self, directory: Path, estate: Estate) -> None:
        super().__init__(directory, estate)
        self.to_broker: dict[str, Proxy] = {}
        self.to_clients: dict[str, Proxy] = {}
        self.clients = Clients(directory, self._line_to)

    def _config(self, node: EstateNode) -> NodeConfig:
        config = super()._config(node)
        line = Proxy((_HOST, urlsplit(self.broker.url).port or 0)).__enter__()
        self.to_broker[node.name] = line
        bus = config.bus.model_copy(update={"url": f"tls://{line.address}"})
        return config.model_copy(update={"bus": bus})

    def _line_to(self, org: OrgId) -> str:
        """Return the near end of the clients' line to the node of an organisation."""
        name = self._node_of[org]
        port = int(self.nodes[name].address.rpartition(":")[2])
        if name not in self.to_clients:
            self.to_clients[name] = Proxy((_HOST, port)).__enter__()
        self.to_clients[name].point_to((_HOST, port))
        return self.to_clients[name].address

    def close(self) -> None:
        """Stop everything, the lines last."""
        try:
            super().close()
        finally:
            for line in (*self.to_broker.values(), *self.to_clients.values()):
                line.__exit__(None, None, None)

    def open_files(self, name: str) -> int:
        """Return how many descriptors the node's process has open."""
        return len(list(self._proc(name, "fd").iterdir()))

    def threads(self, name: str) -> int:
        """Return how many threads the node's process has."""
        return len(list(self._proc(name, "task").iterdir()))

    def memory(self, name: str) -> int:
        """Return how many bytes of the node's process are in memory."""
        pages = int(self._proc(name, "statm").read_text().split()[1])
        return pages * 4096

    def _proc(self, name: str, what: str) -> Path:
        process = self.process(name).process
        assert process is not None
        return Path(f"/proc/{process.pid}/{what}")


@contextmanager
def bad(line: Proxy, how: Line) -> Iterator[None]:
    """Make a line bad while the block runs."""
    line.become(how)
    try:
        yield
    finally:
        line.become(Line())
