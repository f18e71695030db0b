"""The text of an estate's node.toml and client profiles. Pure.

Paths are relative to the file, so that the directory may be moved as a whole.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.cli.estate_plan import HomePlan, NodePlan
from gateway.crypto.development import file_stem
from gateway.domain.organisations import OrgId


@dataclass(frozen=True)
class Ports:
    """Loopback ports: the broker's, and each node's by its name."""

    broker: int
    nodes: Mapping[str, int]


def node_toml(node: NodePlan, ports: Ports, broker: str, *, reflection: bool) -> str:
    """Return the configuration of a node; `broker` is its broker's table, or empty."""
    return "\n".join(
        [
            f"# Node {node.name} for development. It is written anew when the estate is laid out",
            "# again; set what you want otherwise in the environment: GATEWAY__NODE__LOG_LEVEL=DEBUG.",
            "",
            "[node]",
            _line("name", node.name),
            _line("listen", f"127.0.0.1:{ports.nodes[node.name]}"),
            _line("reflection", reflection),
            _line("announce", "state/announce.json"),
            "",
            "[tls]",
            _line("ca", "../../ca.pem"),
            _line("certificate", "server.crt"),
            _line("key", "server.key"),
            "",
            "[directory]",
            _line("file", "../../directory.bin"),
            _line("authority", "../../authority.pub.pem"),
            "",
            "[store]",
            _line("url", "sqlite:///state/node.db"),
            _line("vault_key", "vault.key"),
            "",
            "[bus]",
            _line("url", f"tls://127.0.0.1:{ports.broker}"),
            _line("ca", "../../ca.pem"),
            _line("nkey_seed", "nkey.seed"),
            broker,
            *(_home(home) for home in node.homes),
        ]
    )


def broker_table(
    port: int, public_nkeys: Mapping[str, str], at_home: Mapping[str, Iterable[OrgId]]
) -> str:
    """Return `[bus.bundled]` with a user for each node, by its name."""
    lines = [
        "",
        "[bus.bundled]",
        _line("directory", "../../broker/state"),
        _line("listen", f"127.0.0.1:{port}"),
        _line("certificate", "../../broker/server.crt"),
        _line("key", "../../broker/server.key"),
    ]
    for name, organisations in at_home.items():
        lines += [
            "",
            "[[bus.bundled.nodes]]",
            _line("name", name),
            _line("nkey", public_nkeys[name]),
            _line("organisations", [str(org) for org in organisations]),
        ]
    return "\n".join([*lines, ""])


def profile_toml(org: OrgId, port: int) -> str:
    """Return the profile with which a client of the organisation calls its node."""
    stem = file_stem(org)
    lines = [
        _line("target", f"127.0.0.1:{port}"),
        _line("ca", "../ca.pem"),
        _line("cert", f"{stem}.crt"),
        _line("key", f"{stem}.key"),
    ]
    return "\n".join([*lines, ""])


def _home(home: HomePlan) -> str:
    stem = file_stem(home.organisation.id)
    lines = [
        f"# {home.organisation.name}",
        "[[organisations]]",
        _line("organisation", str(home.organisation.id)),
        _line("sign", [f"file:keys/{stem}.sign.pem"]),
        _line("seal", [f"file:keys/{stem}.seal.pem"]),
    ]
    if home.adapter is not None:
        lines.append(_line("adapter", home.adapter))
    if home.settings:
        lines.append("[organisations.settings]")
        lines += [_line(key, value) for key, value in home.settings.items()]
    return "\n".join([*lines, ""])


def _line(key: str, value: str | bool | Sequence[str]) -> str:
    # A JSON text, truth value or list of texts is the same in TOML.
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
