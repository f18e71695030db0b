"""A county behind a leaf server: its node works unchanged, within the county's rights."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import nats.errors
import pytest
from nats.aio.msg import Msg

from gateway.bus.address import BrokerAddress
from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.bus.streams import MAIL_STREAM
from gateway.bus.subjects import durable_name, mail_subject
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable
from gateway.ports.condition import Code
from tests.faults.proxy import GOOD, Line, Proxy
from tests.faults.reporting import FaultReport
from tests.integration.bus.certificates import Certificates
from tests.integration.bus.clustered import THREE, ClusteredBroker, Relay
from tests.integration.bus.nodes import HOMES, POLICE, WUHUA, ZHENXIONG, Collector, Node, Nodes
from tests.world.cluster import Cluster, Server, make_leaf

DOMAIN = "gateway"
COUNTY = "zhenxiong"


class LeafBroker(ClusteredBroker):
    """The cluster, and the leaf of one county in front of it."""

    leaf: Server

    def address(self, node: str) -> BrokerAddress:
        """Nodes of the county connect to its leaf."""
        address = super().address(node)
        if node == COUNTY:
            return replace(address, urls=(self.leaf.url,), domain=DOMAIN)
        return address


@pytest.fixture
def line() -> Iterator[Proxy]:
    """The line between the leaf and the cluster."""
    with Proxy(("127.0.0.1", 0)) as proxy:
        yield proxy


@pytest.fixture
def broker(tmp_path: Path, certificates: Certificates, line: Proxy) -> Iterator[LeafBroker]:
    """Three servers, and a leaf that logs in as the county and may do no more than its node."""
    seeds = {node: user_seed(os.urandom(32)) for node in HOMES}
    leaf_seed = user_seed(os.urandom(32))
    behind = permissions_of(COUNTY, HOMES[COUNTY], DOMAIN)
    users = [
        BrokerUser(public_nkey(seeds[node]), permissions_of(node, orgs))
        for node, orgs in HOMES.items()
        if node != COUNTY
    ]
    files = {"server.crt": certificates.cert, "server.key": certificates.key}
    files["ca.pem"] = certificates.ca
    hub = [*users, BrokerUser(public_nkey(leaf_seed), behind)]
    with Cluster(tmp_path / "hub", hub, files) as cluster:
        line.point_to(("127.0.0.1", cluster.leaf_ports[0]))
        broker = LeafBroker(cluster, certificates, seeds)
        own = [BrokerUser(public_nkey(seeds[COUNTY]), behind)]
        broker.leaf = make_leaf(tmp_path / "leaf", own, files, [line.port], leaf_seed)
        broker.leaf.start()
        try:
            yield broker
        finally:
            broker.leaf.close()


@pytest.fixture
async def nodes(broker: LeafBroker) -> AsyncIterator[Nodes]:
    """The way to connect nodes."""
    async with AsyncExitStack() as stack:
        yield Nodes(broker, stack)


async def joined(nodes: Nodes) -> tuple[Node, Node]:
    """One county at the cluster, one behind its leaf."""
    return await nodes.join("wuhua", limits=THREE), await nodes.join(COUNTY, limits=THREE)


async def test_mail_passes_the_leaf_both_ways(nodes: Nodes) -> None:
    """Single items and batches arrive in order, and the broker is judged through the leaf."""
    here, county = await joined(nodes)
    boxes = {WUHUA: Collector(), ZHENXIONG: Collector()}
    reading = [
        asyncio.create_task(node.bus.consume(org, boxes[org]))
        for node, org in ((here, WUHUA), (county, ZHENXIONG))
    ]
    items = [b"%d" % number for number in range(60)]
    for node, receiver in ((here, ZHENXIONG), (county, WUHUA)):
        await node.bus.publish(receiver, items[:3])
        await node.bus.publish(receiver, items[3:])
    for box in boxes.values():
        await box.until(lambda seen: len(seen) >= len(items))
        assert box.seen == items
    for task in reading:
        task.cancel()
    await asyncio.wait(reading)
    assert not county.codes_of(LogEvent.BROKER_UNSAFE)


@pytest.mark.fault("W1")
async def test_a_cut_line_is_waited_out(
    nodes: Nodes, line: Proxy, fault_report: FaultReport
) -> None:
    """Cut off, the county's node says so and confirms nothing; healed, all mail goes on."""
    here, county = await joined(nodes)
    inbox = Collector()
    reading = asyncio.create_task(county.bus.consume(ZHENXIONG, inbox))
    await here.bus.publish(ZHENXIONG, [b"before"])
    await inbox.until(bool)
    line.become(Line(refuse=True))
    fault_report.inject("line between leaf and cluster cut", line.seen["resets"])
    await county.until_event(LogEvent.BUS_DISCONNECTED)
    assert county.bus.finding.code is Code.BUS_AWAY
    with pytest.raises(BusUnavailable):
        await county.bus.publish(WUHUA, [b"waits in the store"])
    await here.bus.publish(ZHENXIONG, [b"meanwhile"])
    with fault_report.healing():
        line.become(GOOD)
        await inbox.until(lambda seen: b"meanwhile" in seen)
    await county.until_ready()
    relay = Relay(here)
    relay.start()
    await relay.go_on()
    await relay.stop()
    await inbox.until(lambda seen: set(seen) >= set(relay.confirmed))
    reading.cancel()
    await asyncio.wait([reading])
    assert not county.codes_of(LogEvent.BUS_REGRESSED)


async def test_the_leaf_has_no_right_beyond_its_county(
    nodes: Nodes, broker: LeafBroker, certificates: Certificates
) -> None:
    """Whoever owns the leaf hears no other mail and calls nothing that is not the county's."""
    here, county = await joined(nodes)
    config = broker.leaf.directory / "nats-users.conf"
    everything = f'users = [{{nkey: "{public_nkey(broker.seeds[COUNTY])}"}}]\n'
    config.write_text(everything)
    broker.leaf.close()
    broker.leaf.start()
    await county.until_event(LogEvent.BUS_CONNECTED, times=2)
    raw, _ = await nodes.raw(COUNTY)
    heard: list[Msg] = []

    async def keep(message: Msg) -> None:
        heard.append(message)

    for subject in (">", "dx.v1.mail.>", mail_subject(POLICE), "$JS.>", "_INBOX_wuhua.>"):
        await raw.subscribe(subject, cb=keep)
    await raw.flush()
    await here.bus.publish(POLICE, [b"for the police alone"])
    await here.bus.stream_state()
    other = f"{MAIL_STREAM}.{durable_name(POLICE)}"
    for call in (
        f"STREAM.DELETE.{MAIL_STREAM}",
        f"STREAM.PURGE.{MAIL_STREAM}",
        f"STREAM.MSG.GET.{MAIL_STREAM}",
        f"CONSUMER.CREATE.{other}.{mail_subject(POLICE)}",
        f"CONSUMER.MSG.NEXT.{other}",
        f"CONSUMER.INFO.{other}",
    ):
        for api in ("$JS.API", f"$JS.{DOMAIN}.API"):
            with pytest.raises((nats.errors.TimeoutError, nats.errors.NoRespondersError)):
                await raw.request(f"{api}.{call}", b"{}", timeout=0.2)
    assert (await here.bus.stream_state()).last_seq == 1
    assert not [message for message in heard if b"police alone" in message.data]
    assert (
        b'"config"'
        in (await raw.request(f"$JS.{DOMAIN}.API.STREAM.INFO.{MAIL_STREAM}", b"", timeout=20)).data
    )
