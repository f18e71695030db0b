"""A node that keeps to no rule but holds a valid key: what the broker does not let it do.

The node is home to 530102/edu. Each attempt is made by a plain client under its key, and the test
looks at what the broker did, not at what it answered.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from gateway.bus.streams import MAIL_STREAM, StreamLimits, mail_stream
from gateway.bus.subjects import durable_name, mail_subject
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent
from tests.integration.bus.nodes import POLICE, WUHUA, ZHENXIONG, Collector, Node, Nodes

SECRET = b"for the police alone"
OWN = f"{MAIL_STREAM}.{durable_name(WUHUA)}"
VICTIM = f"{MAIL_STREAM}.{durable_name(POLICE)}"


class Thief:
    """The hostile client and everything that ever reached it."""

    def __init__(self, client: Client, told: list[str]) -> None:
        self.client = client
        self.told = told
        self.heard: list[Msg] = []
        self.patience = 20.0  # seconds for an answer

    async def listen(self, subject: str) -> None:
        """Try to subscribe."""

        async def keep(message: Msg) -> None:
            self.heard.append(message)

        await self.client.subscribe(subject, cb=keep)

    async def say(self, subject: str, payload: bytes = b"{}", reply: str = "") -> None:
        """Publish, and wait until the broker has dealt with it."""
        await self.client.publish(subject, payload, reply=reply)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the broker has dealt with all that was sent, and has said so.

        An allowed request keeps its place in line; the client's own flush may overtake others.
        """
        assert await self.ask(f"$JS.API.STREAM.INFO.{MAIL_STREAM}", b"")

    async def ask(self, subject: str, payload: bytes = b"{}") -> dict[str, object]:
        """Publish a request; no answer is an empty one."""
        try:
            answer = await self.client.request(subject, payload, timeout=self.patience)
        except nats.errors.TimeoutError:
            return {}
        told: dict[str, object] = json.loads(answer.data)
        return told


def consumer(name: str, **config: object) -> bytes:
    """A request to create a consumer."""
    body = {"name": name, "durable_name": name, "ack_policy": "explicit", **config}
    return json.dumps({"stream_name": MAIL_STREAM, "config": body}).encode()


@pytest.fixture
async def victim(nodes: Nodes) -> Node:
    """The police node, whose letter-box exists and holds one secret."""
    node = await nodes.join("police")
    inbox = Collector()
    reader = asyncio.create_task(node.bus.consume(POLICE, inbox))
    await node.bus.publish(POLICE, [b"makes the consumer"])
    await inbox.until(bool)
    reader.cancel()
    await asyncio.wait([reader])
    await node.bus.publish(POLICE, [SECRET])
    return node


@pytest.fixture
async def thief(nodes: Nodes, victim: Node) -> AsyncIterator[Thief]:
    """The hostile node; whatever a test tried, the victim's mail is whole afterwards."""
    before = await victim.bus.stream_state()
    thief = Thief(*await nodes.raw("wuhua"))
    await thief.listen("_INBOX_wuhua.loot")
    yield thief
    assert not [message for message in thief.heard if SECRET in message.data]
    assert not (await victim.bus.stream_state()).lost_since(before)
    inbox = Collector()
    reader = asyncio.create_task(victim.bus.consume(POLICE, inbox))
    await inbox.until(lambda seen: SECRET in seen)
    reader.cancel()
    await asyncio.wait([reader])


@pytest.mark.parametrize(
    "subject",
    [
        "dx.v1.mail.>",
        "dx.v1.mail.*.*",
        mail_subject(POLICE),
        ">",
        "_INBOX_police.>",
        "_INBOX.>",
        "$JS.>",
        "$SYS.>",
    ],
)
async def test_it_hears_nothing_that_is_not_its_own(
    thief: Thief, victim: Node, subject: str
) -> None:
    """Neither mail on its way nor the answers to another node can be listened to."""
    await thief.listen(subject)
    await thief.settle()
    await victim.bus.publish(POLICE, [b"more mail"])
    await victim.bus.stream_state()
    await thief.settle()
    assert thief.heard == []
    assert any("permissions violation for subscription" in told for told in thief.told)


@pytest.mark.parametrize(
    "call",
    [
        f"STREAM.DELETE.{MAIL_STREAM}",
        f"STREAM.PURGE.{MAIL_STREAM}",
        f"STREAM.UPDATE.{MAIL_STREAM}",
        f"STREAM.MSG.GET.{MAIL_STREAM}",
        f"STREAM.MSG.DELETE.{MAIL_STREAM}",
        f"STREAM.SNAPSHOT.{MAIL_STREAM}",
        f"DIRECT.GET.{MAIL_STREAM}",
        f"DIRECT.GET.{MAIL_STREAM}.{mail_subject(POLICE)}",
        "STREAM.LIST",
        "STREAM.CREATE.THIEF",
        f"CONSUMER.LIST.{MAIL_STREAM}",
        f"CONSUMER.INFO.{VICTIM}",
        f"CONSUMER.DELETE.{VICTIM}",
        f"CONSUMER.RESET.{VICTIM}",
        f"CONSUMER.PAUSE.{VICTIM}",
        f"CONSUMER.MSG.NEXT.{VICTIM}",
        f"CONSUMER.DURABLE.CREATE.{VICTIM}",
        f"CONSUMER.CREATE.{MAIL_STREAM}",
        f"CONSUMER.CREATE.{MAIL_STREAM}.thief",
        f"CONSUMER.CREATE.{VICTIM}.{mail_subject(POLICE)}",
        f"CONSUMER.CREATE.{OWN}.{mail_subject(POLICE)}",
        f"CONSUMER.CREATE.{VICTIM}.{mail_subject(WUHUA)}",
    ],
)
async def test_calls_about_what_is_not_its_own_are_refused(thief: Thief, call: str) -> None:
    """The broker does not even answer."""
    thief.patience = 0.3  # no answer is the answer
    assert await thief.ask(f"$JS.API.{call}") == {}
    thief.patience = 20.0
    await thief.settle()
    assert any("permissions violation for publish" in told for told in thief.told)


@pytest.mark.parametrize(
    "request_",
    [
        consumer(durable_name(WUHUA), filter_subject=mail_subject(POLICE)),
        consumer(durable_name(WUHUA), filter_subject="dx.v1.mail.>"),
        consumer(durable_name(WUHUA), filter_subjects=[mail_subject(WUHUA), mail_subject(POLICE)]),
        consumer(durable_name(WUHUA)),
        consumer(durable_name(POLICE), filter_subject=mail_subject(WUHUA)),
        consumer(durable_name(POLICE), filter_subject=mail_subject(POLICE)),
    ],
)
async def test_its_own_call_cannot_carry_another_request(thief: Thief, request_: bytes) -> None:
    """The subject it may call decides: a body about somebody else's mail is an error."""
    answer = await thief.ask(f"$JS.API.CONSUMER.CREATE.{OWN}.{mail_subject(WUHUA)}", request_)
    assert "error" in answer


async def test_it_cannot_acknowledge_for_another(thief: Thief, victim: Node) -> None:
    """Neither form of the acknowledgement subject is open for another's consumer."""
    for sequence in (1, 2, 3):
        place = f"1.{sequence}.{sequence}.1.0"
        await thief.say(f"$JS.ACK.{VICTIM}.{place}", b"+ACK")
        await thief.say(f"$JS.ACK._.hash.{VICTIM}.{place}", b"+ACK")
    assert len([told for told in thief.told if "permissions violation" in told]) == 6


@pytest.mark.parametrize(
    "call",
    [
        f"$JS.API.STREAM.DELETE.{MAIL_STREAM}",
        f"$JS.API.STREAM.PURGE.{MAIL_STREAM}",
        f"$JS.API.STREAM.MSG.DELETE.{MAIL_STREAM}",
        f"$JS.API.CONSUMER.DELETE.{VICTIM}",
        f"$JS.API.CONSUMER.RESET.{VICTIM}",
        f"$JS.API.CONSUMER.MSG.NEXT.{VICTIM}",
        f"$JS.API.CONSUMER.CREATE.{MAIL_STREAM}.thief.{mail_subject(POLICE)}",
        f"$JS.ACK.{VICTIM}.1.2.2.1.0",
        f"$JS.ACK._.hash.{VICTIM}.1.2.2.1.0",
    ],
)
async def test_the_broker_does_not_call_on_its_behalf(thief: Thief, call: str) -> None:
    """A call as the reply subject of an allowed one does not borrow the broker's rights.

    The broker publishes acknowledgements, answers and deliveries itself, wherever it is told to. At
    worst it hands out the victim's mail to nobody; that mail comes again after `ack_wait`.
    """
    wanted = consumer(
        "thief", filter_subject=mail_subject(POLICE), deliver_subject="_INBOX_wuhua.loot"
    )
    create = f"$JS.API.CONSUMER.CREATE.{OWN}.{mail_subject(WUHUA)}"
    own = consumer(durable_name(WUHUA), filter_subject=mail_subject(WUHUA))
    assert "error" not in await thief.ask(create, own)
    for payload in (b"", b"+ACK", wanted):
        await thief.say(mail_subject(WUHUA), payload, reply=call)
        await thief.say(f"$JS.API.CONSUMER.MSG.NEXT.{OWN}", b'{"batch":9}', reply=call)
    for allowed in (f"STREAM.INFO.{MAIL_STREAM}", f"CONSUMER.INFO.{OWN}"):
        await thief.say(f"$JS.API.{allowed}", b"", reply=call)


async def test_it_cannot_change_the_stream_by_creating_it(thief: Thief, victim: Node) -> None:
    """Creating a stream that exists with other settings is an error, not an update."""
    config = mail_stream(StreamLimits(max_bytes=2**20)).as_dict() | {"max_age": 10**9}
    answer = await thief.ask(f"$JS.API.STREAM.CREATE.{MAIL_STREAM}", json.dumps(config).encode())
    assert "error" in answer


async def test_it_may_do_what_a_node_must(thief: Thief, nodes: Nodes) -> None:
    """The same key sends and receives as any node: the refusals above are not a broken key."""
    node = await nodes.join("wuhua")
    inbox = Collector()
    reader = asyncio.create_task(node.bus.consume(WUHUA, inbox))
    await node.bus.publish(ZHENXIONG, [b"to another"])
    await node.bus.publish(WUHUA, [b"to myself"])
    await inbox.until(lambda seen: seen == [b"to myself"])
    reader.cancel()
    await asyncio.wait([reader])
    assert not node.codes_of(LogEvent.BUS_ERROR)
    with pytest.raises(TimeoutError):  # the mail of an organisation that is not at home here
        await asyncio.wait_for(node.bus.consume(OrgId.parse("53/psb"), inbox), 1)
    assert node.codes_of(LogEvent.BUS_ERROR, what="refused")
