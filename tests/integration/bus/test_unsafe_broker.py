"""A broker that would lose what it acknowledges is not used: at the link, and at any time after."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nats.js.api import PersistMode, StreamConfig

from gateway.bus import broker_check, server
from gateway.bus.address import BrokerAddress
from gateway.bus.broker_check import BROKER_STATE
from gateway.bus.look import look_at_broker
from gateway.bus.permissions import BrokerSettings, BrokerUser, NodePermissions, broker_config
from gateway.bus.streams import MAIL_STREAM, StreamLimits, mail_stream
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable
from gateway.ports.condition import Code
from tests.integration.bus.nodes import ZHENXIONG, Broker, Nodes

Config = dict[str, Any]


def lazy(config: Config) -> None:
    """Acknowledge up to two minutes before the disk has it."""
    config["jetstream"]["sync_interval"] = "2m"


def silent(config: Config) -> None:
    """Nobody may ask how the server stands."""
    del config["accounts"]["GATEWAY"]["imports"]


def forbidding(config: Config) -> None:
    """The users have no right to ask how the server stands."""
    for user in config["accounts"]["GATEWAY"]["users"]:
        user["permissions"]["publish"]["allow"].remove(BROKER_STATE)


def restart(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, change: Callable[[Config], None]
) -> None:
    """Start the broker anew with another configuration."""

    def changed(settings: BrokerSettings, users: list[BrokerUser]) -> str:
        config = json.loads(broker_config(settings, users))
        change(config)
        return json.dumps(config)

    broker.server.stop()
    monkeypatch.setattr(server, "broker_config", changed)
    broker.server.start()


def impatient(broker: Broker, node: str = "wuhua") -> BrokerAddress:
    """An address under which the broker is looked at again and again."""
    return replace(broker.address(node), tries=5.0, again=0.1)


@pytest.mark.fault("N7")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lazy, Code.BROKER_LAZY_SYNC),
        (silent, Code.BROKER_SILENT),
        (forbidding, Code.BROKER_SILENT),
    ],
)
async def test_a_broker_that_comes_back_unsafe_is_used_no_more(
    nodes: Nodes,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Config], None],
    code: Code,
) -> None:
    """It is named once, with what to do; nothing is published to it; mended, it is used again."""
    node = await nodes.dial(impatient(broker))
    await node.until_ready()
    restart(broker, monkeypatch, change)
    told = await node.until_event(LogEvent.BROKER_UNSAFE)
    assert told["code"] == code
    assert node.bus.finding.code is code
    assert node.bus.finding.advice
    assert await look_at_broker(impatient(broker), StreamLimits()) == node.bus.finding
    with pytest.raises(BusUnavailable):
        await node.bus.publish(ZHENXIONG, [b"waits in the store"])
    restart(broker, monkeypatch, lambda _: None)
    await node.until_ready()
    assert node.bus.finding.code is Code.GOOD
    assert len(node.codes_of(LogEvent.BROKER_UNSAFE)) == 1
    assert (await node.bus.stream_state()).last_seq == 0


async def test_a_broker_that_dies_while_it_is_asked_is_away_not_silent(
    nodes: Nodes, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that starts at that moment must not end: the broker will be back."""
    restart(broker, monkeypatch, forbidding)
    client, _ = await nodes.raw("police")
    asking = asyncio.create_task(broker_check.ask_servers(client))
    await asyncio.sleep(0)
    broker.server.stop()
    with pytest.raises(OSError, match="link was lost"):
        await asking


async def test_an_old_server_is_refused(
    nodes: Nodes, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is asked of the server itself; the advice says which is needed."""
    monkeypatch.setattr(broker_check, "LEAST_VERSION", (99, 0, 0))
    node = await nodes.dial(impatient(broker))
    told = await node.until_event(LogEvent.BROKER_UNSAFE)
    assert told["code"] == Code.BROKER_TOO_OLD
    assert "99.0.0" in node.bus.finding.advice
    monkeypatch.undo()
    await node.until_ready()


async def test_what_becomes_unsafe_under_a_standing_link_is_noticed(
    nodes: Nodes, broker: Broker
) -> None:
    """An operator who lets the stream forget mail is found out without any restart."""
    node = await nodes.dial(impatient(broker))
    await node.until_ready()
    everything = NodePermissions((">",), (">",))
    broker.server.admit([replace(user, permissions=everything) for user in broker.server._users])
    raw, _ = await nodes.raw("police")
    forgetful = replace(mail_stream(StreamLimits()), max_age=3600)
    await raw.jetstream().update_stream(forgetful)
    told = await node.until_event(LogEvent.BROKER_UNSAFE)
    assert (told["code"], told["what"]) == (Code.STREAM_UNSAFE, "max_age")
    with pytest.raises(BusUnavailable):
        await node.bus.publish(ZHENXIONG, [b"waits in the store"])
    await raw.jetstream().update_stream(mail_stream(StreamLimits()))
    await node.until_event(LogEvent.BUS_CONNECTED, times=2)


@pytest.mark.fault("N7")
@pytest.mark.parametrize(
    ("stream", "what"),
    [
        (replace(mail_stream(StreamLimits()), max_age=3600), "max_age"),
        (
            replace(mail_stream(StreamLimits()), persist_mode=PersistMode.ASYNC, allow_atomic=None),
            "allow_atomic+persist_mode",
        ),
    ],
)
async def test_an_unsafe_stream_is_not_used(nodes: Nodes, stream: StreamConfig, what: str) -> None:
    """A stream that forgets mail, or acknowledges before it wrote, is named by its setting."""
    raw, _ = await nodes.raw("police")
    await raw.jetstream().add_stream(stream)
    node = await nodes.dial(nodes.broker.address("wuhua"))
    told = await node.until_event(LogEvent.BROKER_UNSAFE)
    assert told == {"code": "STREAM_UNSAFE", "stream": MAIL_STREAM, "what": what}
    assert not node.bus.ready
    assert node.bus.finding.code is Code.STREAM_UNSAFE
    with pytest.raises(BusUnavailable):
        await node.bus.publish(ZHENXIONG, [b"x"])
