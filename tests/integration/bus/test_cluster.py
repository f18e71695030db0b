"""The bus on three brokers: nodes work unchanged while one of them fails, and wait out two."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.log_events import LogEvent
from gateway.ports.condition import Code
from tests.faults.reporting import FaultReport
from tests.integration.bus.certificates import Certificates
from tests.integration.bus.clustered import THREE, ClusteredBroker, Relay
from tests.integration.bus.nodes import HOMES, ZHENXIONG, Collector, Node, Nodes
from tests.world.cluster import Cluster, Server

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))

pytestmark = pytest.mark.fault("N6")


@pytest.fixture
def broker(tmp_path: Path, certificates: Certificates) -> Iterator[ClusteredBroker]:
    """Three servers with one user for each node of HOMES."""
    seeds = {node: user_seed(os.urandom(32)) for node in HOMES}
    users = [
        BrokerUser(public_nkey(seeds[node]), permissions_of(node, orgs))
        for node, orgs in HOMES.items()
    ]
    files = {"server.crt": certificates.cert, "server.key": certificates.key}
    with Cluster(tmp_path, users, files | {"ca.pem": certificates.ca}) as cluster:
        yield ClusteredBroker(cluster, certificates, seeds)


@dataclass
class Traffic:
    """Mail that flows from one node to another for the whole of a test."""

    nodes: Nodes
    sender: Node
    receiver: Node
    relay: Relay
    inbox: Collector

    async def ends_whole(self) -> None:
        """Stop sending, and see that everything that was confirmed arrives."""
        await self.relay.stop()
        await self.inbox.until(lambda seen: set(seen) >= set(self.relay.confirmed))
        assert not self.sender.codes_of(LogEvent.BUS_REGRESSED)


@pytest.fixture
async def traffic(broker: ClusteredBroker) -> AsyncIterator[Traffic]:
    """Mail that flows already."""
    async with AsyncExitStack() as stack:
        nodes, inbox = Nodes(broker, stack), Collector()
        sender = await nodes.join("wuhua", limits=THREE)
        receiver = await nodes.join("zhenxiong", limits=THREE)
        relay = Relay(sender)
        reading = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
        relay.start()
        await relay.go_on()
        yield Traffic(nodes, sender, receiver, relay, inbox)
        reading.cancel()
        await asyncio.wait([reading])


async def test_the_leader_may_die(
    broker: ClusteredBroker, traffic: Traffic, fault_report: FaultReport
) -> None:
    """Whatever was confirmed arrives, whichever server dies; sending goes on without it."""
    for _ in range(ROUNDS):
        leader = await broker.leader(traffic.nodes)
        leader.kill()
        fault_report.inject("kill -9 of the leading broker")
        with fault_report.healing():
            await traffic.relay.go_on()
        assert await broker.leader(traffic.nodes) is not leader
        leader.start()
    await traffic.ends_whole()
    fault_report.remark(f"{len(traffic.relay.confirmed)} items, {traffic.relay.refused} refusals")


async def test_without_two_of_three_mail_waits(
    broker: ClusteredBroker, traffic: Traffic, fault_report: FaultReport
) -> None:
    """One server alone confirms nothing; with a second one, sending goes on by itself."""
    first, second, _ = broker.cluster.servers
    for server in (first, second):
        server.kill()
        fault_report.inject("kill -9 of two of three brokers", 1)
    # A publication under way when the second died may still have been confirmed just before.
    refused = traffic.relay.refused
    await traffic.relay.until(lambda: traffic.relay.refused > refused + 1)
    confirmed = len(traffic.relay.confirmed)
    await traffic.relay.until(lambda: traffic.relay.refused > refused + 3)
    assert len(traffic.relay.confirmed) == confirmed
    with fault_report.healing():
        first.start()
        await traffic.relay.go_on()
    second.start()
    await traffic.ends_whole()


async def test_a_frozen_leader_is_left_behind(
    broker: ClusteredBroker, traffic: Traffic, fault_report: FaultReport
) -> None:
    """The others go on without a leader that is silent; when it wakes, it has nothing to say."""
    leader = await broker.leader(traffic.nodes)
    leader.signal(signal.SIGSTOP)
    fault_report.inject("SIGSTOP of the leading broker")
    with fault_report.healing():
        await traffic.relay.go_on()
    leader.signal(signal.SIGCONT)
    await traffic.relay.go_on()
    await traffic.ends_whole()


def lose(server: Server) -> str:
    """Take all that the server has on disk."""
    shutil.rmtree(server.store_dir)
    return "loss of one broker's disk"


def corrupt(server: Server) -> str:
    """Turn one bit in the midst of each of its logs and snapshots."""
    files = [path for path in server.store_dir.rglob("*") if path.suffix in {".blk", ".idx", ".db"}]
    spoiled = [path for path in files if path.stat().st_size > 64]
    assert spoiled
    for path in spoiled:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return "one bit turned in every log and snapshot of one broker"


@pytest.mark.parametrize("harm", [lose, corrupt])
async def test_the_disk_of_one_is_made_up_for_by_the_others(
    broker: ClusteredBroker, traffic: Traffic, fault_report: FaultReport, harm: object
) -> None:
    """A server that comes back with less, or with rubbish, costs nothing that was confirmed."""
    server = await broker.leader(traffic.nodes)
    server.kill()
    assert callable(harm)
    fault_report.inject(harm(server))
    server.start()
    with fault_report.healing():
        await traffic.relay.go_on()
    await traffic.ends_whole()


async def test_a_server_with_other_settings_is_found_out(
    broker: ClusteredBroker, traffic: Traffic, fault_report: FaultReport
) -> None:
    """One of three comes back with a lazy disk: all nodes stop, whichever they are linked to."""
    server = broker.cluster.servers[2]
    config = server.directory / "nats-server.conf"
    durable = config.read_text()
    config.write_text(durable.replace("sync_interval: always", "sync_interval: 2m"))
    server.kill()
    server.start()
    fault_report.inject("one broker with a lazy disk")
    for node in (traffic.sender, traffic.receiver):
        told = await node.until_event(LogEvent.BROKER_UNSAFE)
        assert told == {"code": Code.BROKER_LAZY_SYNC, "server": "broker-3"}
        assert not node.bus.ready
    config.write_text(durable)
    server.kill()
    server.start()
    with fault_report.healing():
        await traffic.relay.go_on()
    await traffic.ends_whole()
