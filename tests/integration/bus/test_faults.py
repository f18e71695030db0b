"""The bus while the broker is killed, loses its disk, hangs, or is not what it should be."""

import asyncio
import os
import shutil
import signal
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import Client

from gateway.bus.node_keys import user_seed
from gateway.bus.streams import MAIL_STREAM, StreamState
from gateway.log_events import LogEvent
from gateway.ports.bus import BusUnavailable, Disposition
from tests.integration.bus.certificates import make_certificates
from tests.integration.bus.nodes import PATIENCE, ZHENXIONG, Broker, Collector, Nodes
from tests.world.cluster import free_ports


async def stop(task: "asyncio.Task[None]") -> None:
    """Cancel a reader and see that it ends."""
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.cancelled()


async def test_mail_outlives_the_killed_broker(nodes: Nodes, broker: Broker) -> None:
    """A kill -9 loses nothing that was confirmed; readers go on without being told."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox, held = Collector(), asyncio.Event()

    async def handler(items: Sequence[bytes]) -> Sequence[Disposition]:
        await held.wait()
        return await inbox(items)

    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, handler))
    await sender.bus.publish(ZHENXIONG, [b"single"])
    await sender.bus.publish(ZHENXIONG, [b"%d" % n for n in range(50)])
    broker.kill()
    await receiver.until_event(LogEvent.BUS_DISCONNECTED)
    held.set()  # what the handler held is done now, but the broker cannot hear that
    broker.server.start()
    await sender.until_event(LogEvent.BUS_CONNECTED, times=2)
    await sender.bus.publish(ZHENXIONG, [b"after"])
    await inbox.until(lambda seen: len(set(seen)) == 52)
    assert set(inbox.seen) == {b"single", b"after", *(b"%d" % n for n in range(50))}
    assert not receiver.codes_of(LogEvent.BUS_REGRESSED)
    await stop(reader)


async def test_without_a_broker_publishing_fails_at_once_and_for_good(
    nodes: Nodes, broker: Broker
) -> None:
    """What failed while the broker was down is not sent behind the caller's back later."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    broker.kill()
    await sender.until_event(LogEvent.BUS_DISCONNECTED)
    assert not sender.bus.ready
    for items in ([b"lost"], [b"lost"] * 30):
        with pytest.raises(BusUnavailable):
            await sender.bus.publish(ZHENXIONG, items)
    broker.server.start()
    await sender.until_ready()
    inbox = Collector()
    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
    await sender.bus.publish(ZHENXIONG, [b"first"])
    await inbox.until(bool)
    assert inbox.seen == [b"first"]
    assert (await sender.bus.stream_state()).last_seq == 1
    await stop(reader)


@pytest.mark.parametrize("count", [1, 30])
async def test_a_lost_link_ends_the_wait_for_an_answer(
    nodes: Nodes, broker: Broker, count: int
) -> None:
    """A publish in flight fails when the broker dies, long before its own time is over."""
    sender = await nodes.dial(replace(broker.address("wuhua"), answer=3600.0))
    await sender.until_ready()
    pid = broker.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    publishing = asyncio.create_task(sender.bus.publish(ZHENXIONG, [b"x"] * count))
    await asyncio.sleep(0)
    assert not publishing.done()
    broker.kill()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(BusUnavailable):
            await publishing


async def test_a_broker_that_hangs_is_not_waited_for(nodes: Nodes, broker: Broker) -> None:
    """Without an answer in time the outcome is unknown, and said so."""
    sender = await nodes.dial(replace(broker.address("wuhua"), answer=0.5))
    await sender.until_ready()
    pid = broker.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(BusUnavailable):
            await sender.bus.publish(ZHENXIONG, [b"x"])
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_the_lost_disk_of_the_broker_is_noticed_and_outlived(
    nodes: Nodes, broker: Broker
) -> None:
    """Stream and consumer are made again, the loss is told, and mail sent again arrives."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    states: list[StreamState] = []

    async def send_again(state: StreamState) -> None:
        states.append(state)
        await sender.bus.publish(ZHENXIONG, [b"unreceipted"])

    inbox = Collector()
    await sender.bus.publish(ZHENXIONG, [b"before"])
    before = await sender.bus.stream_state()
    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
    await inbox.until(bool)
    sender.bus.on_connect(send_again)
    broker.kill()
    shutil.rmtree(broker.server.store_dir)
    broker.server.start()
    await inbox.until(lambda seen: b"unreceipted" in seen)
    await sender.bus.publish(ZHENXIONG, [b"after"])
    await inbox.until(lambda seen: b"after" in seen)
    assert [state.lost_since(before) for state in states] == [True]
    await sender.until_event(LogEvent.BUS_REGRESSED)
    await stop(reader)


async def test_a_deleted_consumer_is_made_again(nodes: Nodes) -> None:
    """A reader whose durable vanished under it goes on with a new one."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox = Collector()
    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
    await sender.bus.publish(ZHENXIONG, [b"before"])
    await inbox.until(bool)
    raw, _ = await nodes.raw("zhenxiong")
    await raw.jetstream().delete_consumer(MAIL_STREAM, "mail_53_06_27_edu")
    await sender.bus.publish(ZHENXIONG, [b"after"])
    await inbox.until(lambda seen: b"after" in seen)
    await stop(reader)


async def test_a_node_may_start_before_the_broker(nodes: Nodes, broker: Broker) -> None:
    """Entering the connection waits for nobody; readers and readiness come with the broker."""
    broker.kill()
    node = await nodes.dial(broker.address("zhenxiong"))
    inbox = Collector()
    reader = asyncio.create_task(node.bus.consume(ZHENXIONG, inbox))
    await node.until_event(LogEvent.BUS_ERROR, what="connect")
    assert not node.bus.ready
    broker.server.start()
    await node.until_ready()
    await node.bus.publish(ZHENXIONG, [b"to myself"])
    await inbox.until(lambda seen: seen == [b"to myself"])
    await stop(reader)


async def test_every_address_is_tried(nodes: Nodes, broker: Broker) -> None:
    """A node finds the one server of several that is there."""
    own = broker.address("wuhua")
    dead = [f"tls://127.0.0.1:{port}" for port in free_ports(2)]
    node = await nodes.dial(replace(own, urls=(*dead, *own.urls)))
    await node.until_ready()
    assert len(node.codes_of(LogEvent.BUS_ERROR, what="connect")) == 2


async def test_dialling_ends_though_its_time_limit_is_swallowed(
    nodes: Nodes, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Python 3.12 a refused connection may swallow the cancellation that ends an attempt.

    The client library then dials on without any limit; so it is never let dial for long.
    """
    dialled = 0

    async def refuse(_client: Client, _server: object) -> None:
        nonlocal dialled
        dialled += 1
        if dialled == 1:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()  # until the limit
        await asyncio.sleep(0)
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(Client, "_connect_to_server", refuse)
        node = await nodes.dial(replace(broker.address("wuhua"), tries=1.0))
        await node.until_event(LogEvent.BUS_ERROR, what="connect")
        assert dialled >= 1
    await node.until_ready()


async def test_a_reader_can_be_stopped_while_the_broker_is_away(
    nodes: Nodes, broker: Broker
) -> None:
    """Cancelling does not depend on the link: not while waiting for it, nor as it breaks."""
    node = await nodes.join("zhenxiong")
    reader = asyncio.create_task(node.bus.consume(ZHENXIONG, inbox := Collector()))
    await node.bus.publish(ZHENXIONG, [b"to myself"])
    await inbox.until(bool)
    broker.kill()
    await stop(reader)
    late = asyncio.create_task(node.bus.consume(ZHENXIONG, inbox))
    await node.until_event(LogEvent.BUS_DISCONNECTED)
    await stop(late)


async def test_a_cancellation_is_never_taken_for_trouble(nodes: Nodes) -> None:
    """The client library reports a cancellation on a closed link as an error; it ends the task."""
    node = await nodes.join("zhenxiong")
    entered = asyncio.Event()

    async def talk() -> None:
        async with node.connection.exchange():
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise nats.errors.ConnectionClosedError from None

    talking = asyncio.create_task(talk())
    await entered.wait()
    await stop(talking)


async def test_a_stream_behind_its_consumer_delivers_what_comes_next(
    nodes: Nodes, broker: Broker
) -> None:
    """A stream that lost its messages starts to number anew, which its old consumer would skip."""
    sender, receiver = await nodes.join("wuhua"), await nodes.join("zhenxiong")
    inbox = Collector()
    reader = asyncio.create_task(receiver.bus.consume(ZHENXIONG, inbox))
    await sender.bus.publish(ZHENXIONG, [b"%d" % n for n in range(40)])
    await inbox.until(lambda seen: len(seen) == 40)
    broker.server.stop()
    (messages,) = broker.server.store_dir.rglob(f"{MAIL_STREAM}/msgs")
    shutil.rmtree(messages)
    broker.server.start()
    await sender.until_event(LogEvent.BUS_CONNECTED, times=2)
    await sender.bus.publish(ZHENXIONG, [b"after"])
    await inbox.until(lambda seen: b"after" in seen)
    await receiver.until_event(LogEvent.BUS_REGRESSED, consumer="mail_53_06_27_edu")
    assert sender.codes_of(LogEvent.BUS_REGRESSED) == [{"last_seq": 0}]
    await stop(reader)


async def test_a_foreign_broker_and_a_foreign_node_are_refused(
    nodes: Nodes, broker: Broker, tmp_path: Path
) -> None:
    """Neither a certificate of another authority nor an unknown nkey makes a link."""
    own = broker.address("wuhua")
    foreign_ca = replace(own, ca_file=make_certificates(tmp_path).ca)
    foreign_key = replace(own, seed=user_seed(os.urandom(32)))
    distrustful, unknown = await nodes.dial(foreign_ca), await nodes.dial(foreign_key)
    kind = (await distrustful.until_event(LogEvent.BUS_ERROR, what="connect"))["kind"]
    assert kind == ssl.SSLCertVerificationError.__name__
    await unknown.until_event(LogEvent.BUS_ERROR, what="connect")
    assert not distrustful.bus.ready
    assert not unknown.bus.ready


@pytest.mark.parametrize(
    "change",
    [
        {"urls": ()},
        {"urls": ("nats://127.0.0.1:4222",)},
        {"urls": ("tls://127.0.0.1",)},
        {"node": "a.b"},
        {"seed": "SUNO"},
    ],
)
def test_an_address_that_could_never_work_is_refused(
    broker: Broker, change: dict[str, object]
) -> None:
    """Plain text, a missing port, a wide node name and a broken seed fail before dialling."""
    with pytest.raises(ValueError, match=r"address|token|seed"):
        replace(broker.address("wuhua"), **change)  # type: ignore[arg-type]


def test_the_seed_is_never_shown(broker: Broker) -> None:
    """The representation of an address has no secret in it."""
    address = broker.address("wuhua")
    assert address.seed not in repr(address)
