"""Those who follow facts over NATS: what they hear, and what the broker does not let them do."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from gateway.bus.fact_stream import FACT_STREAM
from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import (
    BrokerUser,
    follower_name,
    permissions_of,
    permissions_of_follower,
)
from gateway.bus.subjects import fact_durable, fact_filter, fact_subject
from gateway.domain.entitlements import Entitlement
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.ports.bus import BusUnavailable
from gateway.ports.fact_carrier import OutFact
from tests.integration.bus.nodes import HOMES, PATIENCE, WUHUA, ZHENXIONG, Broker, Nodes
from tests.world.waiting import eventually

SUPERVISION = OrgId.parse("5306/sup")
GRANTED, RETURNED = FactKind.TITLE_GRANTED, FactKind.STUDENT_RETURNED
ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
RIGHT = Entitlement(SUPERVISION, "5306", frozenset({GRANTED}), *ALWAYS, "art. 13")
NAME = follower_name(SUPERVISION)
DURABLE = fact_durable(SUPERVISION, "5306", GRANTED)
FILTER = fact_filter("5306", GRANTED)
RELOADED = "Reloaded server configuration"


def fact(number: int) -> OutFact:
    """A fact on its way; the broker does not look into it."""
    return OutFact(f"event-{number}", number, datetime.now(UTC), f"fact {number}".encode())


def admit(broker: Broker, *rights: Entitlement) -> None:
    """Have the running broker let the follower in with these rights."""
    seed = broker.seeds.setdefault(NAME, user_seed(os.urandom(32)))
    users = [
        BrokerUser(public_nkey(broker.seeds[node]), permissions_of(node, orgs))
        for node, orgs in HOMES.items()
    ]
    follower = BrokerUser(public_nkey(seed), permissions_of_follower(SUPERVISION, rights))
    told = broker.server.store_dir.with_name("broker.log")
    before = told.read_text().count(RELOADED)
    broker.server.admit([*users, follower])
    eventually(lambda: told.read_text().count(RELOADED) > before, "the new users")


async def heard(client: Client, count: int) -> list[Msg]:
    """Take facts by the consumer of the right, until there are so many."""
    js = client.jetstream()
    config = ConsumerConfig(
        name=DURABLE,
        durable_name=DURABLE,
        filter_subject=FILTER,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
    )
    await js.add_consumer(FACT_STREAM, config)
    source = await js.pull_subscribe_bind(DURABLE, FACT_STREAM)
    found: list[Msg] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            for message in await source.fetch(count - len(found), timeout=5):
                await message.ack()
                found.append(message)
    return found


@pytest.fixture
async def follower(broker: Broker, nodes: Nodes) -> tuple[Client, list[str]]:
    """The follower at the broker, with its one right, and what it is told of errors."""
    admit(broker, RIGHT)
    return await nodes.raw(NAME)


async def publish(nodes: Nodes, name: str, org: OrgId, kind: FactKind, *numbers: int) -> None:
    """Have a node publish facts of its organisation."""
    node = await nodes.join(name)
    carrier = node.bus.facts()
    await carrier.mark()
    await carrier.publish(org, kind, [fact(number) for number in numbers])


async def test_it_hears_what_it_is_entitled_to_in_order(
    nodes: Nodes, follower: tuple[Client, list[str]]
) -> None:
    """Facts of its kind in its division come in order, with harmless attributes; no others do."""
    await publish(nodes, "wuhua", WUHUA, GRANTED, 1)
    await publish(nodes, "zhenxiong", ZHENXIONG, RETURNED, 1)
    await publish(nodes, "zhenxiong", ZHENXIONG, GRANTED, *range(1, 101))
    found = await heard(follower[0], 100)
    assert [message.data for message in found] == [fact(n).envelope for n in range(1, 101)]
    assert {message.subject for message in found} == {fact_subject(ZHENXIONG, GRANTED)}
    assert found[0].headers is not None
    assert found[0].headers["ce-id"] == "event-1"
    assert not follower[1]


@pytest.mark.parametrize(
    "call",
    [
        f"$JS.API.STREAM.INFO.{FACT_STREAM}",
        f"$JS.API.STREAM.MSG.GET.{FACT_STREAM}",
        f"$JS.API.DIRECT.GET.{FACT_STREAM}",
        f"$JS.API.STREAM.PURGE.{FACT_STREAM}",
        f"$JS.API.STREAM.DELETE.{FACT_STREAM}",
        f"$JS.API.CONSUMER.CREATE.{FACT_STREAM}",
        f"$JS.API.CONSUMER.CREATE.{FACT_STREAM}.{DURABLE}",
        f"$JS.API.CONSUMER.CREATE.{FACT_STREAM}.{DURABLE}.{fact_filter('53', GRANTED)}",
        f"$JS.API.CONSUMER.CREATE.{FACT_STREAM}.{DURABLE}.{fact_filter('5306', RETURNED)}",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{FACT_STREAM}.{DURABLE}",
        "$JS.API.CONSUMER.MSG.NEXT.MAIL.mail_53_psb",
        "$JS.API.STREAM.INFO.MAIL",
        "dx.v1.mail.53.psb",
        fact_subject(ZHENXIONG, GRANTED),
    ],
)
async def test_it_can_ask_and_say_nothing_else(
    nodes: Nodes, follower: tuple[Client, list[str]], call: str
) -> None:
    """What else there is, other kinds and divisions, mail and publishing are closed to it."""
    await publish(nodes, "zhenxiong", ZHENXIONG, GRANTED, 1)
    client, told = follower
    with pytest.raises(nats.errors.Error):
        await client.request(call, b"{}", timeout=0.3)
    await heard(client, 1)  # it keeps its place in line, so the refusal has been told
    assert any("permissions violation for publish" in text for text in told)


@pytest.mark.parametrize("subject", ["dx.v1.fact.>", FILTER, "dx.v1.mail.>", "_INBOX.>", "$JS.>"])
async def test_it_cannot_listen_past_its_consumer(
    nodes: Nodes, follower: tuple[Client, list[str]], subject: str
) -> None:
    """Even its own facts come by its consumer alone, which ends with its right."""
    client, told = follower
    passed: list[Msg] = []

    async def keep(message: Msg) -> None:
        passed.append(message)

    await client.subscribe(subject, cb=keep)
    await publish(nodes, "zhenxiong", ZHENXIONG, GRANTED, 1)
    await heard(client, 1)
    assert not passed
    assert any("permissions violation for subscription" in text for text in told)


async def test_a_right_that_ends_is_taken_back_from_an_open_link(
    broker: Broker, nodes: Nodes, follower: tuple[Client, list[str]]
) -> None:
    """Without its right the follower that is connected gets no more; nodes go on undisturbed."""
    await publish(nodes, "zhenxiong", ZHENXIONG, GRANTED, 1)
    await heard(follower[0], 1)
    admit(broker, replace(RIGHT, organisation=OrgId.parse("5301/sup")))
    await publish(nodes, "zhenxiong", ZHENXIONG, GRANTED, 2)

    async def refused() -> bool:
        try:
            await follower[0].request(
                f"$JS.API.CONSUMER.MSG.NEXT.{FACT_STREAM}.{DURABLE}", b'{"batch":1}', timeout=0.3
            )
        except nats.errors.Error:
            return True
        return False

    for _ in range(PATIENCE):
        if await refused():
            break
    else:
        pytest.fail("the right was not taken back")


async def test_a_node_publishes_for_its_own_alone(nodes: Nodes) -> None:
    """No node can state a fact on another organisation's subject: the broker does not take it."""
    node = await nodes.join("wuhua")
    carrier = node.bus.facts()
    await carrier.mark()
    exchange = asyncio.create_task(carrier.publish(ZHENXIONG, GRANTED, [fact(1)]))
    await node.until_event(node.events[0][0])
    with pytest.raises(BusUnavailable):
        await exchange
    assert (await carrier.mark()).last == 0


async def test_a_stream_that_would_show_facts_is_not_used(nodes: Nodes, broker: Broker) -> None:
    """A stream of that name with other settings is refused by name, and mail goes on."""
    node = await nodes.join("wuhua")
    js = (await node.connection.connected()).jetstream()
    await js.add_stream(name=FACT_STREAM, subjects=["dx.v1.fact.>"], allow_direct=True)
    with pytest.raises(BusUnavailable, match="allow_direct"):
        await node.bus.facts().mark()
    assert node.bus.ready
