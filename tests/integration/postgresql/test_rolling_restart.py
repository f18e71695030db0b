"""U2: two processes of one node on one database are restarted in turn, and no client notices."""

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import func, select

from adapters.reference.people import child
from gateway.crypto.development import Estate
from gateway.domain.absences import Absence
from gateway.domain.organisations import OrgId
from gateway.store.leases import leases
from gateway.store.shelf_tables import SHELVES
from gateway.v1 import absence_pb2
from tests.delivery.officers import report_on
from tests.faults.processes import NodeProcess, ProcessProvince
from tests.faults.reporting import FaultReport
from tests.world.clients import METHODS, credentials
from tests.world.estate import ESTATE, WUHUA, WUHUA_SCHOOL
from tests.world.waiting import eventually

CLERKS, REPORTS = 4, 25
# What a client of two addresses does: take whoever serves, and try again what was UNAVAILABLE.
RETRYING = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}


class Twins(ProcessProvince):
    """One county whose node runs twice."""

    def start(self) -> None:
        """Start both processes."""
        super().start()
        (self.directory / "twin").mkdir()
        self.first = self.process("wuhua")
        node = self.first.config.node.model_copy(update={"listen": "127.0.0.1:0"})
        config = self.first.config.model_copy(update={"node": node})
        self.second = NodeProcess(config, self.clock, self.directory / "twin")
        self.second.begin()
        eventually(lambda: self.serves(self.second), "the second process serving")

    def close(self) -> None:
        """Stop both."""
        self.run(self.second.stop())
        super().close()

    def serves(self, process: NodeProcess) -> bool:
        """Whether this process says that it serves."""
        stub: Any = health_pb2_grpc.HealthStub(self.clients.channel(WUHUA, process.address))
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def count(self, org: OrgId) -> int:
        """How many absences the organisation has in its store."""
        query = select(func.count()).where(SHELVES[Absence].c.org == str(org))
        with self.engine("wuhua").connect().execution_options(reading=True) as connection:
            return int(connection.execute(query).scalar_one())

    def holders(self) -> tuple[str, int]:
        """Who has the lease, and the how manieth holder that is."""
        with self.engine("wuhua").connect().execution_options(reading=True) as connection:
            row = connection.execute(select(leases.c.holder, leases.c.fence)).one()
        return row.holder, row.fence


@pytest.fixture
def twins(tmp_path: Path, url: str) -> Iterator[Twins]:
    """Both processes, on one database."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name == "wuhua"))
    made = Twins(tmp_path / "twins", estate, lambda _path: url)
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def channel(twins: Twins) -> Iterator[grpc.Channel]:
    """The school's client, which knows both addresses."""
    stem = twins.directory / "clients" / "530102_sch_3153000123"
    mine = credentials(
        twins.directory / "ca.pem", stem.with_suffix(".crt"), stem.with_suffix(".key")
    )
    options = (
        ("grpc.service_config", json.dumps(RETRYING)),
        ("grpc.ssl_target_name_override", "127.0.0.1"),
        ("grpc.initial_reconnect_backoff_ms", 100),
    )
    addresses = f"ipv4:{twins.first.address},{twins.second.address}"
    with grpc.secure_channel(addresses, mine, options) as made:
        yield made


class Clerks:
    """Clerks of one school who report child after child until they are told to stop."""

    def __init__(self, channel: grpc.Channel) -> None:
        method = METHODS["AbsenceService/ReportAbsence"]
        self._report: Any = channel.unary_unary(
            "/gateway.v1.AbsenceService/ReportAbsence",
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        self.answered: list[str] = []
        self.errors: list[grpc.RpcError] = []
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLERKS)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what is under way is finished."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self) -> None:
        while not self._stop.is_set() and not self.errors:
            request: absence_pb2.ReportAbsenceRequest = report_on(child(next(self._numbers)))
            request.request_id = str(uuid4())
            try:
                answer = self._report(request, timeout=60, wait_for_ready=True)
            except grpc.RpcError as error:
                self.errors.append(error)
            else:
                self.answered.append(answer.absence.absence_id)

    def some_more(self) -> None:
        """Wait until so many more were answered, or one was not."""
        enough = len(self.answered) + REPORTS
        eventually(lambda: self.errors or len(self.answered) >= enough, "more reports", most=60)


def pid_of(node: NodeProcess) -> int:
    """The process that the node runs in."""
    assert node.process is not None
    return node.process.pid


@pytest.mark.fault("U2")
def test_rolling_restart(twins: Twins, channel: grpc.Channel, fault_report: FaultReport) -> None:
    """Each process is told to end under load and started anew: every report is answered, each is
    there once and has reached the bureau, and the duties were handed on each time.
    """
    holder, fence = twins.holders()
    with Clerks(channel) as clerks:
        for process in (twins.first, twins.second, twins.first):
            clerks.some_more()
            assert process.process is not None
            process.process.terminate()
            assert process.process.wait(30) == 0
            fault_report.inject("SIGTERM under load")
            clerks.some_more()
            process.begin()
            eventually(lambda process=process: twins.serves(process), "serving again")  # type: ignore[misc]
        clerks.some_more()
    assert not clerks.errors, clerks.errors[0]
    assert len(set(clerks.answered)) == len(clerks.answered) == twins.count(WUHUA_SCHOOL)
    eventually(lambda: twins.count(WUHUA) == len(clerks.answered), "all reports at the bureau")
    assert twins.holders()[0] != holder
    assert twins.holders()[1] > fence, "the duties never moved"


def test_killed_holder_is_followed(twins: Twins, channel: grpc.Channel) -> None:
    """SIGKILL of the process that has the duties: the other takes them over by itself, and every
    report reaches the bureau.
    """
    holder, fence = twins.holders()
    pid = int(holder.split("/")[1])
    with Clerks(channel) as clerks:
        clerks.some_more()
        victim = twins.first if pid_of(twins.first) == pid else twins.second
        assert pid_of(victim) == pid
        victim.kill()
        clerks.some_more()
    assert not clerks.errors, clerks.errors[0]
    assert len(set(clerks.answered)) == len(clerks.answered) == twins.count(WUHUA_SCHOOL)
    eventually(lambda: twins.count(WUHUA) == len(clerks.answered), "all reports at the bureau")
    assert twins.holders()[1] == fence + 1
    victim.begin()
