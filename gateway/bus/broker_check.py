"""Whether the servers behind the link keep what they acknowledge: asked of all of them.

The question goes over the node's own link, to a service of the broker's system account that the
account of the nodes imports (see `permissions.broker_config` and deploy/). So there is no monitor
to guard, and every server of a cluster answers, whichever one the node is linked to.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from nats.aio.client import Client
from nats.aio.msg import Msg

from gateway.ports.condition import Code, Finding, Part

BROKER_STATE = "dx.v1.broker"
"""Subject on which every server says how it stands."""
STATE_SERVICE = "$SYS.REQ.SERVER.PING.STATSZ"
"""The same, as the system account names it."""
LEAST_VERSION = (2, 15, 0)
"""Before, `sync_interval: always` had gaps: nats-server #8475, #8456, #8366."""

_FIRST_ANSWER = 3.0  # seconds
_FURTHER_ANSWERS = 1.0  # a server that died just now is still counted by the others
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class UnsafeBroker(Exception):
    """The broker, or a stream on it, must not be used for mail.

    Attributes:
        finding: why, and what to do about it.
    """

    def __init__(self, code: Code, **facts: str) -> None:
        self.finding = Finding(Part.BUS, code, facts)
        super().__init__(self.finding.sentence)


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What one server says of itself.

    Attributes:
        name: its name.
        version: its version, as `2.15.1`.
        servers: how many servers it knows, itself included.
        keeps_mail: whether JetStream runs on it.
        syncs_always: whether it acknowledges only what the disk has.
    """

    name: str
    version: str
    servers: int
    keeps_mail: bool
    syncs_always: bool

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read an answer; what it does not say counts as unsafe.

        Raises:
            ValueError: it is not the answer of a server.
        """
        try:
            answer: Mapping[str, Any] = json.loads(data)
            server, state = answer["server"], answer["statsz"]
            jetstream = state.get("jetstream")
            return cls(
                str(server["name"]),
                str(server["ver"]),
                int(state["active_servers"]),
                jetstream is not None,
                jetstream is not None and jetstream["config"].get("sync_always") is True,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("That is not the answer of a server.") from error


def judge_version(server: str, version: str) -> None:
    """Refuse a server that is too old. Pure. Raises UnsafeBroker."""
    found = _VERSION.match(version)
    if found is None or tuple(map(int, found.groups())) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise UnsafeBroker(Code.BROKER_TOO_OLD, server=server, version=version, least=least)


def judge_link(client: Client) -> None:
    """Refuse the very server that a client is linked to when it is too old. Raises UnsafeBroker."""
    found = client.connected_server_version
    judge_version("at the link", f"{found.major}.{found.minor}.{found.patch}")


def judge(reports: Sequence[ServerReport]) -> None:
    """Refuse a broker of which one server would lose what it acknowledged. Pure.

    Raises:
        UnsafeBroker: it names the first such server.
    """
    for report in sorted(reports, key=lambda report: report.name):
        judge_version(report.name, report.version)
        if report.keeps_mail and not report.syncs_always:
            raise UnsafeBroker(Code.BROKER_LAZY_SYNC, server=report.name)


async def ask_servers(client: Client) -> list[ServerReport]:
    """Ask every server behind the link how it stands.

    One that does not answer in time is left out: it answers at the next round, or is dead.

    Raises:
        UnsafeBroker: nobody answers.
        nats.errors.Error, OSError, ValueError: the link is lost, or an answer is none.
    """
    answers: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = await client.subscribe(client.new_inbox(), cb=answers.put)
    try:
        await client.publish(BROKER_STATE, reply=inbox.subject)
        reports: list[ServerReport] = []
        try:
            while len(reports) < max((report.servers for report in reports), default=1):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(_FURTHER_ANSWERS if reports else _FIRST_ANSWER):
                    answer = await answers.get()
                if not answer.data:  # the broker's own word for: nobody serves this subject
                    break
                reports.append(ServerReport.read(answer.data))
        except TimeoutError:
            pass  # also how a refused permission looks from here
        if not client.is_connected:
            raise ConnectionResetError("The link was lost while the servers were asked.")
        if not reports:
            raise UnsafeBroker(Code.BROKER_SILENT, subject=BROKER_STATE)
        return reports
    finally:
        if client.is_connected:
            await inbox.unsubscribe()
