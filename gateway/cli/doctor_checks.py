"""What `gateway doctor` looks at: everything that a node rests on, from outside.

Nothing is changed or made. The store is opened for reading only; the running node is asked by the
standard health service, which says what fails, while the checks here say why.
"""

import asyncio
import json
import socket
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy.engine import make_url

from gateway.bootstrap.broker import address_of
from gateway.bootstrap.clock_watch import judged
from gateway.bootstrap.health import (
    DIRECTORY_VERSION,
    LATEST_MOMENT,
    directory_findings,
    key_findings,
)
from gateway.bus.look import look_at_broker
from gateway.bus.streams import StreamLimits
from gateway.cli.config_checks import check_files
from gateway.cli.connection import options_with_profile, secure_channel
from gateway.cli.options import IDENTITY, CallOptions
from gateway.config import NodeConfig
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.faults import MaterialFault
from gateway.domain.organisations import OrgId
from gateway.ports.condition import RUNNING, Code, Finding, Part, good
from gateway.store.checks import remembered, store_findings

_ENDS_SOON: Final = timedelta(days=30)
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ANSWERS: Final = 2.0  # seconds


def examine(config: NodeConfig, file: Path, options: CallOptions, now: datetime) -> list[Finding]:
    """Look at everything and return what was found, part by part."""
    home = min(str(OrgId.parse(one.organisation)) for one in config.organisations)
    known = remembered(config.store.url, home)
    return [
        *_settings(config, file, now),
        *_directory(config, known, now),
        *store_findings(config.store.url, now),
        *_bus(config),
        *_clock(known, now),
        *_node(config, options),
    ]


def _settings(config: NodeConfig, file: Path, now: datetime) -> Iterator[Finding]:
    checked = check_files(config, now)
    wrong = [one for one in checked if not one.good]
    for one in wrong:
        facts = {"setting": one.subject, "what": one.text}
        yield Finding(Part.SETTINGS, Code.SETTING_WRONG, facts)
    if not wrong:
        yield good(Part.SETTINGS, f"{len(checked)} settings, files and keys are in order")
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & _OPEN_TO_OTHERS and make_url(config.store.url).password:
        facts = {"path": str(file), "mode": f"{mode:04o}"}
        yield Finding(Part.SETTINGS, Code.OPEN_TO_OTHERS, facts)
    for setting, path in _certificates(config):
        until = _end_of(path)
        if until is not None and now <= until < now + _ENDS_SOON:
            facts = {"setting": setting, "until": f"{until:%F}"}
            yield Finding(Part.SETTINGS, Code.CERTIFICATE_ENDS, facts)


def _certificates(config: NodeConfig) -> Iterator[tuple[str, Path]]:
    yield from (("tls.ca", config.tls.ca), ("tls.certificate", config.tls.certificate))
    yield "bus.ca", config.bus.ca
    if config.bus.bundled is not None:
        yield "bus.bundled.certificate", config.bus.bundled.certificate


def _end_of(path: Path) -> datetime | None:
    """Return when the first certificate of a file ends; what cannot be read is a wrong setting."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    return min(certificate.not_valid_after_utc for certificate in found)


def _directory(config: NodeConfig, known: dict[str, str], now: datetime) -> list[Finding]:
    try:
        directory = SignedDirectory(config.directory.file, config.directory.authority.read_bytes())
    except (MaterialFault, OSError):
        return []  # said among the settings
    home = frozenset(OrgId.parse(one.organisation) for one in config.organisations)
    findings = directory_findings(directory, home, config.node.name)
    seen = known.get(DIRECTORY_VERSION, "0")
    if directory.version < int(seen):
        facts = {"version": str(directory.version), "seen": seen}
        findings.append(Finding(Part.DIRECTORY, Code.DIRECTORY_ROLLED_BACK, facts))
    return [*findings, *key_findings(directory, home, now)]


def _bus(config: NodeConfig) -> Iterator[Finding]:
    settings = config.bus
    if settings.bundled is not None and not _runs(config):
        what = "the bundled broker, which runs with this node"
        yield Finding(Part.BUS, Code.NOT_ASKED, {"what": what})
        return
    urls = settings.urls
    if settings.ports_file is not None and settings.ports_file.exists():
        urls = urls or (str(json.loads(settings.ports_file.read_text())["url"]),)
    if not urls:
        yield Finding(Part.BUS, Code.BUS_AWAY, {"what": ": its address is not known"})
        return
    try:
        address = address_of(config, urls)
    except (OSError, ValueError):
        return  # said among the settings
    yield asyncio.run(look_at_broker(address, StreamLimits(replicas=settings.replicas)))


def _clock(known: dict[str, str], now: datetime) -> Iterator[Finding]:
    moment = known.get(LATEST_MOMENT)
    yield judged(now, datetime.fromisoformat(moment) if moment else now)


def _node(config: NodeConfig, options: CallOptions) -> Iterator[Finding]:
    address = _address(config)
    if address is None or not _runs(config):
        yield Finding(Part.NODE, Code.NODE_AWAY, {"address": address or config.node.listen})
        return
    yield good(Part.NODE, f"somebody listens at {address}")
    if options.profile is not None:
        options = options_with_profile(options, options.profile)
    if not all(getattr(options, name) for name in IDENTITY):
        yield Finding(Part.NODE, Code.NOT_ASKED, {"what": "the running node; name a --profile"})
        return
    yield _asked(options.overlaid({"target": address}))


def _runs(config: NodeConfig) -> bool:
    address = _address(config)
    return address is not None and _listens(address)


def _address(config: NodeConfig) -> str | None:
    """Return where the node listens: as it has announced, else as it is told to."""
    announce = config.node.announce
    if announce is not None and announce.exists():
        return str(json.loads(announce.read_text())["address"])
    return config.node.listen if config.node.port else None


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS).close()
    except OSError:
        return False
    return True


def _asked(options: CallOptions) -> Finding:
    """Ask the running node's health service about each part."""
    failing = []
    with secure_channel(options) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            for part in RUNNING:
                request = health_pb2.HealthCheckRequest(service=part)
                answer = stub.Check(request, timeout=_ANSWERS)
                if answer.status != health_pb2.HealthCheckResponse.SERVING:
                    failing.append(part)
        except grpc.RpcError:
            return Finding(Part.NODE, Code.NODE_AWAY, {"address": options.target or ""})
    if failing:
        return Finding(Part.NODE, Code.NODE_NOT_SERVING, {"parts": ", ".join(failing)})
    return good(Part.NODE, "the running node says SERVING for every part")
