"""What one node may do on the broker, and the broker's configuration that says so. Pure.

Lists of what is allowed only: a deny list has been bypassed before, an allow list fails closed.
A node may send to every letter-box, take from those at home on it, and read only its own answers.
It may ask for the state of the mail stream (which shows how much waits, never what) and make the
stream where it is missing, because a broker that lost its disk must not wait for an operator. It
may ask the servers how they stand, because it uses none that would lose what they acknowledge.

What this cannot prevent: a hostile node may have its own mail delivered to the pull subject of
another's consumer, which makes the broker hand out that mail into the void. It is neither read nor
lost, and comes again after `ack_wait`. Where nodes are not trusted that far, give each an account.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.bus.broker_check import BROKER_STATE, STATE_SERVICE
from gateway.bus.fact_stream import FACT_STREAM
from gateway.bus.streams import HEADER_ROOM_BYTES, MAIL_STREAM, MAX_ITEM_BYTES
from gateway.bus.subjects import (
    FACT,
    MAIL,
    checked_token,
    durable_name,
    fact_durable,
    fact_filter,
    mail_subject,
)
from gateway.domain.entitlements import Entitlement
from gateway.domain.organisations import OrgId

_API = "$JS.API"
_SYSTEM = "SYSTEM"
_NODES = "GATEWAY"


@dataclass(frozen=True, slots=True)
class NodePermissions:
    """The subjects that a node may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """A node as the broker knows it: its public nkey (`U...`) and what it may do."""

    public_nkey: str
    permissions: NodePermissions


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What a single broker needs to run.

    Attributes:
        store_dir: where JetStream keeps its files.
        cert_file: PEM certificate chain of the broker; its names must fit how nodes dial it.
        key_file: PEM private key of that certificate.
        host: the address to listen on.
        port: the port to listen on; -1 for any free one.
        ports_file_dir: where the server writes which ports it took; needed with -1.
        monitor_port: loopback port of the HTTP monitor, -1 for any free one; None for no monitor.
        max_store_bytes: how much JetStream may keep on disk.
    """

    store_dir: Path
    cert_file: Path
    key_file: Path
    host: str = "127.0.0.1"
    port: int = -1
    ports_file_dir: Path | None = None
    monitor_port: int | None = None
    max_store_bytes: int = field(default=4 * 1024**3)


def inbox_prefix(node: str) -> str:
    """Return the prefix of a node's private inboxes.

    Raises:
        ValueError: the node's name cannot be part of a subject.
    """
    return f"_INBOX_{checked_token(node)}"


def permissions_of(node: str, at_home: Iterable[OrgId], domain: str = "") -> NodePermissions:
    """Return what a node needs that is home to these organisations, and nothing more.

    `domain` is the JetStream domain by which a node behind a leaf calls the broker.

    Raises:
        ValueError: the node's name or the domain cannot be part of a subject.
    """
    api = f"$JS.{checked_token(domain)}.API" if domain else _API
    publish = [
        f"{MAIL}.>",
        BROKER_STATE,
        f"{api}.STREAM.INFO.{MAIL_STREAM}",
        f"{api}.STREAM.CREATE.{MAIL_STREAM}",
        f"{api}.STREAM.INFO.{FACT_STREAM}",
        f"{api}.STREAM.CREATE.{FACT_STREAM}",
    ]
    for organisation in at_home:
        durable = durable_name(organisation)
        own = f"{MAIL_STREAM}.{durable}"
        publish += [
            f"{FACT}.*.{mail_subject(organisation).removeprefix(f'{MAIL}.')}",
            f"{api}.CONSUMER.CREATE.{own}.{mail_subject(organisation)}",
            f"{api}.CONSUMER.INFO.{own}",
            # A durable that is ahead of its stream must be made anew (a broker that lost its tail).
            f"{api}.CONSUMER.DELETE.{own}",
            f"{api}.CONSUMER.MSG.NEXT.{own}",
            # The server has two forms of acknowledgement and may change its default.
            f"$JS.ACK.{own}.>",
            f"$JS.ACK.*.*.{own}.>",
        ]
    return NodePermissions(tuple(publish), (f"{inbox_prefix(node)}.>",))


def follower_name(organisation: OrgId) -> str:
    """Return the name of an organisation that follows facts over NATS, also of its inboxes."""
    return "follower_" + mail_subject(organisation).removeprefix(f"{MAIL}.").replace(".", "_")


def permissions_of_follower(
    organisation: OrgId, entitlements: Iterable[Entitlement]
) -> NodePermissions:
    """Return what an organisation needs to follow what it is entitled to, and nothing more.

    It may make, read and acknowledge one durable consumer for each kind and division, whose filter
    stands in the very subject of the request. It publishes nothing, hears nothing but its own
    answers, and cannot ask the stream what else there is. The entitlements are those in force;
    without any it can do nothing.
    """
    publish: list[str] = []
    for division, kind in sorted(
        {
            (one.division, kind)
            for one in entitlements
            if one.organisation == organisation
            for kind in one.kinds - one.forbidden
        }
    ):
        own = f"{FACT_STREAM}.{fact_durable(organisation, division, kind)}"
        publish += [
            f"{_API}.CONSUMER.CREATE.{own}.{fact_filter(division, kind)}",
            f"{_API}.CONSUMER.INFO.{own}",
            f"{_API}.CONSUMER.DELETE.{own}",
            f"{_API}.CONSUMER.MSG.NEXT.{own}",
            f"$JS.ACK.{own}.>",
            f"$JS.ACK.*.*.{own}.>",
        ]
    return NodePermissions(tuple(publish), (f"{inbox_prefix(follower_name(organisation))}.>",))


def broker_config(settings: BrokerSettings, users: Sequence[BrokerUser]) -> str:
    """Render the configuration file of a single broker (JSON, which nats-server reads)."""
    config: dict[str, object] = {
        "server_name": "gateway-broker",
        "host": settings.host,
        "port": settings.port,
        "max_payload": MAX_ITEM_BYTES + HEADER_ROOM_BYTES,
        "jetstream": {
            "store_dir": str(settings.store_dir),
            "max_file_store": settings.max_store_bytes,
            "max_memory_store": 0,
            # The default acknowledges up to two minutes before the disk has it.
            "sync_interval": "always",
            # The server's default, said aloud: a request with an unknown field is an error.
            "strict": True,
        },
        "tls": {
            "cert_file": str(settings.cert_file),
            "key_file": str(settings.key_file),
            "min_version": "1.3",
            "timeout": 5,
        },
        "authorization": {"timeout": 5},
        "system_account": _SYSTEM,
        "accounts": {
            # Nobody logs in to it. It tells the nodes, and nobody else, how the server stands.
            _SYSTEM: {
                "exports": [
                    {"service": STATE_SERVICE, "response_type": "stream", "accounts": [_NODES]}
                ]
            },
            _NODES: {
                "jetstream": "enabled",
                "imports": [
                    {
                        "service": {"account": _SYSTEM, "subject": STATE_SERVICE},
                        "to": BROKER_STATE,
                    }
                ],
                "users": [user_entry(user) for user in users],
            },
        },
    }
    if settings.ports_file_dir is not None:
        config["ports_file_dir"] = str(settings.ports_file_dir)
    if settings.monitor_port is not None:
        config["http"] = f"127.0.0.1:{settings.monitor_port}"
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def user_entry(user: BrokerUser) -> dict[str, object]:
    """Return a user as it stands in the list `users` of a server's configuration."""
    return {
        "nkey": user.public_nkey,
        "permissions": {
            "publish": {"allow": list(user.permissions.publish)},
            "subscribe": {"allow": list(user.permissions.subscribe)},
        },
    }
