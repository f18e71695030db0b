"""Lays out a development estate on disk: material, a configuration for each node, client profiles.

    <dir>/  everything that gateway.crypto.development makes, and besides
            broker/state/    the broker's mail, made by it
            nodes/<name>/    node.toml  vault.key  state/ (the store, the address announced)
            clients/         <org>.toml

A second run with the same plan changes nothing: ports that were chosen once are kept.
"""

import os
import socket
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gateway.bus.permissions import BrokerUser, permissions_of
from gateway.cli.estate_files import Ports, broker_table, node_toml, profile_toml
from gateway.cli.estate_plan import EstatePlan
from gateway.crypto.development import Estate, EstateNode, file_stem, make_development
from gateway.crypto.files import private_directory, write_private, write_public
from gateway.store.vault_key import KEY_BYTES, vault_key_text

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class BrokerFiles:
    """What the estate's broker runs on, for whoever starts it (`gateway.bus.server`).

    `users` are all nodes with exactly their own permissions.
    """

    directory: Path
    certificate: Path
    key: Path
    port: int
    users: tuple[BrokerUser, ...]


@dataclass(frozen=True)
class LaidOut:
    """Where things are.

    Attributes:
        nodes: name of a node -> its node.toml.
        profiles: address of an organisation (`530102/edu`) -> its client profile.
        addresses: name of a node -> `host:port` of its endpoint.
        broker: what the broker runs on.
    """

    nodes: Mapping[str, Path]
    profiles: Mapping[str, Path]
    addresses: Mapping[str, str]
    broker: BrokerFiles


def lay_out(directory: Path, plan: EstatePlan, now: datetime, *, force: bool = False) -> LaidOut:
    """Write the estate; what is secret is made once and kept.

    Args:
        directory: where to; made when missing.
        plan: nodes and organisations, all of them: the broker's users are those of the plan.
        now: the present moment, aware.
        force: make certificates and keys anew. Stores and vault keys stay.

    Raises:
        MaterialFault: what exists cannot be used.
        OSError: the directory cannot be written.
    """
    homes = {node.name: [home.organisation for home in node.homes] for node in plan.nodes}
    estate = Estate(
        tuple(EstateNode(name, tuple(organisations)) for name, organisations in homes.items()),
        plan.elsewhere,
    )
    make_development(directory, estate, now, force=force)
    ports = _ports(directory, plan)
    public = {name: _text(directory / "nodes" / name / "nkey.pub") for name in homes}
    at_home = {name: [org.id for org in organisations] for name, organisations in homes.items()}
    nodes: dict[str, Path] = {}
    profiles: dict[str, Path] = {}
    for node in plan.nodes:
        home = directory / "nodes" / node.name
        private_directory(home / "state")
        if not (home / "vault.key").exists():
            write_private(home / "vault.key", vault_key_text(os.urandom(KEY_BYTES)).encode())
        starts_broker = plan.bundled and node is plan.nodes[0]
        table = broker_table(ports.broker, public, at_home) if starts_broker else ""
        nodes[node.name] = home / "node.toml"
        # Adapter settings may hold a password.
        write_private(
            nodes[node.name], node_toml(node, ports, table, reflection=plan.reflection).encode()
        )
        for one in at_home[node.name]:
            profile = directory / "clients" / f"{file_stem(one)}.toml"
            write_public(profile, profile_toml(one, ports.nodes[node.name]).encode())
            profiles[str(one)] = profile
    broker = directory / "broker"
    return LaidOut(
        nodes,
        profiles,
        {name: f"{LOOPBACK}:{port}" for name, port in ports.nodes.items()},
        BrokerFiles(
            broker / "state",
            broker / "server.crt",
            broker / "server.key",
            ports.broker,
            tuple(
                BrokerUser(public[name], permissions_of(name, orgs))
                for name, orgs in at_home.items()
            ),
        ),
    )


def _ports(directory: Path, plan: EstatePlan) -> Ports:
    """Take the plan's ports, else those of an earlier run, else free ones."""
    earlier = {node.name: _table(directory / "nodes" / node.name) for node in plan.nodes}
    wanted: dict[str, int | None] = {"": plan.broker_port}
    for node in plan.nodes:
        tables = earlier[node.name]
        wanted[""] = wanted[""] or _port(tables.get("bus", {}).get("url", ""))
        wanted[node.name] = node.port or _port(tables.get("node", {}).get("listen", ""))
    with ExitStack() as held:
        # All are held open until the last is found, so that no port is drawn twice.
        chosen = {name: port or _free_port(held) for name, port in wanted.items()}
    return Ports(chosen.pop(""), chosen)


def _table(home: Path) -> dict[str, Any]:
    path = home / "node.toml"
    return tomllib.loads(_text(path)) if path.exists() else {}


def _text(path: Path) -> str:
    return path.read_text("utf-8").strip()


def _port(address: str) -> int | None:
    digits = address.rpartition(":")[2]
    return int(digits) if digits.isdigit() else None


def _free_port(held: ExitStack) -> int:
    opened = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    opened.bind((LOOPBACK, 0))
    port: int = opened.getsockname()[1]
    return port
