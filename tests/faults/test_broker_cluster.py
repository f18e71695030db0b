"""Row N6 from end to end: whole stories over three brokers, each of which dies in its turn."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import NodeConfig
from gateway.crypto.development import EstateNode
from gateway.log_events import LogEvent
from tests.faults.broker_harm import said
from tests.faults.load import LoadedProvince, officers_at_work
from tests.faults.reporting import FaultReport
from tests.integration.bus.certificates import make_certificates
from tests.world.cluster import Cluster
from tests.world.waiting import eventually

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
_CALM_BY = 120.0  # seconds


class ClusteredProvince(LoadedProvince):
    """The loaded province over three brokers; its own single one idles."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.certificates = make_certificates(directory / "broker")
        made = self.certificates
        files = {"server.crt": made.cert, "server.key": made.key, "ca.pem": made.ca}
        self.cluster = Cluster(directory / "cluster", self.broker._users, files)

    def _config(self, node: EstateNode) -> NodeConfig:
        config = super()._config(node)
        bus = {"url": ",".join(self.cluster.urls), "ca": self.certificates.ca, "replicas": 3}
        return config.model_copy(update={"bus": config.bus.model_copy(update=bus)})


@pytest.fixture
def clustered(tmp_path: Path) -> Iterator[ClusteredProvince]:
    """Two counties and two agencies, each a process, over three real brokers."""
    province = ClusteredProvince(tmp_path)
    with province.cluster:
        try:
            province.start()
            yield province
        finally:
            province.close()


@pytest.mark.faults
@pytest.mark.fault("N6")
def test_each_of_three_brokers_dies_in_turn(
    clustered: ClusteredProvince, fault_report: FaultReport
) -> None:
    """Officers go on with their work; nothing is lost, nothing counts twice, no mail is missed."""
    with officers_at_work(clustered, 2) as officers:
        for server in clustered.cluster.servers * ROUNDS:
            server.kill()
            fault_report.inject("kill -9 of one of three brokers")
            told = officers.told
            eventually(lambda told=told: officers.told > told, "a story told", most=_CALM_BY)  # type: ignore[misc]
            officers.check()
            server.start()
            # Else the next to die would be the second of three: then mail waits.
            eventually(server.healthy, "the server has caught up", most=_CALM_BY)
    with fault_report.healing():
        eventually(clustered.settled, "everything receipted", most=_CALM_BY)
    fault_report.require(clustered.audit.healed(clustered.answered))
    assert not said(clustered, LogEvent.BUS_REGRESSED)
