"""One node in a process of its own, whose disk, environment and program a test may choose."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.cli.doctor_checks import examine
from gateway.cli.options import CallOptions
from gateway.config import StoreSection
from gateway.crypto.development import Estate
from gateway.ports.condition import Part, Severity
from tests.faults.processes import NodeProcess, ProcessProvince
from tests.world.clients import Refused, refusal_of
from tests.world.estate import ESTATE, WUHUA, WUHUA_SCHOOL
from tests.world.inquiry import Inquiry
from tests.world.province import MONDAY
from tests.world.running import RunningNode
from tests.world.waiting import eventually

NAME = "wuhua"
SHIM = Path(__file__).with_name("disk_shim.c")


class LoneNode(ProcessProvince):
    """A county bureau, its school and its township on one node, with the store where it is told."""

    def __init__(self, directory: Path, store: Path, program: str = "") -> None:
        super().__init__(directory, Estate(tuple(n for n in ESTATE.nodes if n.name == NAME)))
        self.store = store
        self._program = program
        self.environment: dict[str, str] = {}

    def make_node(self, config: Any) -> RunningNode:
        """Make the node on its store, of its program."""
        section = StoreSection(url=self._store_url(NAME), vault_key=config.store.vault_key)
        node = super().make_node(config.model_copy(update={"store": section}))
        assert isinstance(node, NodeProcess)
        node.program = self._program or node.program
        return node

    def _store_url(self, name: str) -> str:
        return f"sqlite:///{self.store}"

    @property
    def node(self) -> NodeProcess:
        """The node."""
        return self.process(NAME)

    @property
    def log(self) -> str:
        """What the node has written to its log."""
        return (self.directory / f"{NAME}.log").read_text()

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the process and do not wait for it."""
        self.node.launch()
        assert self.node.process is not None
        return self.node.process

    def refuses_to_start(self, code: str) -> None:
        """See that the node does not start, and names the code with its sentence."""
        process = self.launch()
        assert process.wait(30) == 1
        assert code in self.log.rpartition("NodeFault: ")[2]

    def health(self, part: str = "") -> str:
        """Return what the health service says of a part, or of the node."""
        stub: Any = health_pb2_grpc.HealthStub(self.clients.channel(WUHUA))
        request = health_pb2.HealthCheckRequest(service=part)
        answer = stub.Check(request, timeout=5.0, wait_for_ready=True)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def becomes(self, state: str, part: Part) -> None:
        """Wait until both the part and the node as a whole are in that state."""
        eventually(lambda: self.health(part) == state, f"{part} {state}")
        eventually(lambda: self.health() == state, f"the node {state}")

    def doctor(self) -> set[str]:
        """Return the codes of what fails, as `gateway doctor` finds it from outside."""
        findings = examine(
            self.node.config, self.directory / f"{NAME}.config.json", CallOptions(), MONDAY
        )
        return {f.code for f in findings if f.severity is Severity.FAIL}

    def report(self) -> str:
        """Report an absence under a new request and return its request_id. Raises RpcError."""
        request = Inquiry(self).report()
        self.act(WUHUA_SCHOOL, "AbsenceService/ReportAbsence", request, "HEAD_TEACHER")
        return request.request_id

    def refused_report(self) -> Refused:
        """Report an absence and return the refusal."""
        with pytest.raises(grpc.RpcError) as caught:
            self.report()
        return refusal_of(caught.value)

    def answered(self, request_id: str) -> bool:
        """Whether the store remembers to have answered the request."""
        found = self.look(WUHUA_SCHOOL, lambda w: w.requests.answer(WUHUA_SCHOOL, request_id))
        return found is not None


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Give what is started inside these variables too."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def compiled_shim(directory: Path) -> Path:
    """Compile the disk that forgets. Skips, saying so, without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc), so durability is not proved here")
    library = directory / "disk_shim.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", library, SHIM, "-ldl", "-lpthread"], check=True
    )
    return library


def shimmed(library: Path, store: Path, fails: Path) -> Mapping[str, str]:
    """Return the environment under which a node has that disk."""
    return {"LD_PRELOAD": str(library), "DISK_FILES": str(store), "DISK_FAILS": str(fails)}
