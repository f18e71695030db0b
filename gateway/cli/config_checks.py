"""What `gateway config check` looks at: everything a node needs at its start, without starting it.

Every check runs; each says what it found, and what to do when that is not good. Nothing is made:
a store that is not there yet is said to be so.
"""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.exc import DBAPIError

from gateway.bus.node_keys import public_nkey
from gateway.bus.server import BrokerFailed, server_program
from gateway.config import NodeConfig
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.faults import MaterialFault
from gateway.crypto.keyring import HeldKey, load_key, read_private_key
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated, require_current
from gateway.store.vault_key import VaultKeyFault, read_vault_key

_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_GROUP: Final = "gateway.adapters"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name in the settings, whether it is good, and what was found."""

    subject: str
    good: bool
    text: str


def check(config: NodeConfig, now: datetime) -> list[Finding]:
    """Look at everything that the settings name."""
    return [*check_files(config, now), *_store(config, now)]


def check_files(config: NodeConfig, now: datetime) -> list[Finding]:
    """Look at everything but the store, which is opened by looking at it."""
    findings: list[Finding] = []
    for one in (_tls, _bus, _vault, _keys, _adapters):
        findings += one(config, now)
    return findings


def _try(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except (MaterialFault, VaultKeyFault, BrokerFailed, UnsafeStore, StoreOutdated) as fault:
        return Finding(subject, False, str(fault))
    except OSError as error:
        return Finding(
            subject, False, f"{error.filename} cannot be read: {error.strerror}. Check the path."
        )
    except ValueError as error:
        return Finding(subject, False, str(error))
    except DBAPIError as error:
        # Its text may quote the URL with its password.
        return Finding(
            subject,
            False,
            f"The database does not answer as it should ({type(error.orig).__name__}). Check that "
            "it runs, and that user and password are right.",
        )


def _tls(config: NodeConfig, now: datetime) -> Iterator[Finding]:
    tls = config.tls
    yield _try("tls.ca", lambda: _certificate(tls.ca, now))
    yield _try("tls.certificate", lambda: _certificate(tls.certificate, now))
    yield _try("tls.key", lambda: _fits(tls.key, tls.certificate))


def _bus(config: NodeConfig, now: datetime) -> Iterator[Finding]:
    bus = config.bus
    yield _try("bus.ca", lambda: _certificate(bus.ca, now))
    yield _try("bus.nkey_seed", lambda: _seed(config))
    if bus.bundled is not None:
        bundled = bus.bundled
        yield _try("bus.bundled", lambda: f"{server_program().name}, {len(bundled.nodes)} nodes")
        yield _try("bus.bundled.certificate", lambda: _certificate(bundled.certificate, now))
        yield _try("bus.bundled.key", lambda: _fits(bundled.key, bundled.certificate))


def _vault(config: NodeConfig, _now: datetime) -> Iterator[Finding]:
    path = config.store.vault_key
    yield _try("store.vault_key", lambda: f"{8 * len(read_vault_key(path))} bits, mode 0600")


def _keys(config: NodeConfig, now: datetime) -> Iterator[Finding]:
    """Look at the directory, and whether each organisation and its keys stand in it."""
    loaded: list[SignedDirectory] = []

    def directory() -> str:
        authority = config.directory.authority.read_bytes()
        loaded.append(SignedDirectory(config.directory.file, authority))
        listed = len(loaded[0].organisations())
        return f"version {loaded[0].version}, signed by the authority, {listed} organisations"

    yield _try("directory", directory)
    for home in config.organisations:
        org = OrgId.parse(home.organisation)
        if loaded:
            yield _try(home.organisation, lambda org=org: _listed(loaded[0], org, config))  # type: ignore[misc]
        for purpose, uris in ((KeyPurpose.SIGN, home.sign), (KeyPurpose.SEAL, home.seal)):
            subject = f"{home.organisation} {purpose.lower()}"
            for uri in uris:
                yield _try(subject, lambda uri=uri, purpose=purpose: _key(uri, purpose))  # type: ignore[misc]
            if loaded:
                yield _try(
                    f"{subject}, current",
                    lambda org=org, purpose=purpose, uris=uris: _current(  # type: ignore[misc]
                        loaded[0], org, purpose, uris, now
                    ),
                )


def _store(config: NodeConfig, _now: datetime) -> Iterator[Finding]:
    url = config.store.url

    def look() -> str:
        path = sqlite_file(url)
        if path is not None and not path.exists():
            return "not there yet; it is made at the first start, or by: gateway db migrate"
        engine = open_engine(url)
        try:
            require_current(engine)
        finally:
            engine.dispose()
        return "opens, its schema is current"

    yield _try("store.url", look)


def _adapters(config: NodeConfig, _now: datetime) -> Iterator[Finding]:
    installed = sorted(entry_points(group=_GROUP).names)
    for home in config.organisations:
        if home.adapter is not None:
            good = home.adapter in installed
            yield Finding(
                f"{home.organisation} adapter",
                good,
                f"{home.adapter} is installed"
                if good
                else f"There is no adapter {home.adapter}. Installed: {', '.join(installed)}.",
            )


def _certificate(path: Path, now: datetime) -> str:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        raise ValueError(f"{path} holds no certificate in PEM form.") from None
    end = min(certificate.not_valid_after_utc for certificate in found)
    begin = max(certificate.not_valid_before_utc for certificate in found)
    if not begin <= now < end:
        raise ValueError(f"{path} is valid from {begin:%F} to {end:%F} only. Have it renewed.")
    return f"valid until {end:%F}"


def _fits(key: Path, certificate: Path) -> str:
    public = [
        each.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for each in (
            read_private_key(key).public_key(),
            x509.load_pem_x509_certificates(certificate.read_bytes())[0].public_key(),
        )
    ]
    if public[0] != public[1]:
        raise ValueError(f"{key} is not the key of {certificate}. Name the pair that was issued.")
    return "fits the certificate, mode 0600"


def _seed(config: NodeConfig) -> str:
    path = config.bus.nkey_seed
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OPEN_TO_OTHERS:
        raise ValueError(f"{path} is open to other users (mode {mode:04o}). Run: chmod 600 {path}")
    public = public_nkey(path.read_text("ascii"))
    users = config.bus.bundled.nodes if config.bus.bundled else ()
    mine = [user.nkey for user in users if user.name == config.node.name]
    if mine and mine != [public]:
        raise ValueError(
            f"bus.bundled.nodes has another nkey for {config.node.name} than {path} makes. "
            f"Write there: {public}"
        )
    return f"user {public[:8]}..., mode 0600"


def _listed(directory: SignedDirectory, org: OrgId, config: NodeConfig) -> str:
    entry = directory.organisation(org)
    if entry is None:
        raise ValueError("The directory does not list it. Have the authority enter it.")
    if entry.node not in {"", config.node.name}:
        raise ValueError(
            f"The directory has it at home on {entry.node}, not on {config.node.name}. "
            "Correct one of the two."
        )
    return f"listed as {entry.name}"


def _key(uri: str, purpose: KeyPurpose) -> str:
    held = load_key(uri)
    if _purpose(held) is not purpose:
        raise ValueError(f"{uri} is a key to {_purpose(held).lower()}. List it there.")
    return f"{held.algorithm}, {held.key_id[:12]}..."


def _purpose(held: HeldKey) -> KeyPurpose:
    return KeyPurpose.SIGN if held.sign is not None else KeyPurpose.SEAL


def _current(
    directory: SignedDirectory,
    org: OrgId,
    purpose: KeyPurpose,
    uris: tuple[str, ...],
    now: datetime,
) -> str:
    current = directory.current_key(org, purpose, now)
    if current is None:
        raise ValueError(
            f"The directory has no valid key with which {org} may {purpose.lower()}. Have the "
            "authority enter one."
        )
    if current.key_id not in {load_key(uri).key_id for uri in uris}:
        raise ValueError(
            f"The directory's present key {current.key_id[:12]}... is not among those configured."
        )
    return f"as in the directory, until {current.not_after:%F}"
