"""The forms that settings take, and how those that name a file find it.

Relative paths are relative to the file that the settings came from, never to the directory in
which the node happens to be started.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from gateway.domain.errors import Refusal
from gateway.domain.organisations import OrgId

HOME: Final = "home"
"""Key of the validation context that holds the directory of the settings' file."""

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql+psycopg://"
_ADDRESS: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT: Final = 65_535
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NKEY: Final = re.compile(r"U[A-Z2-7]{55}")


def _beside(path: str | Path, info: ValidationInfo) -> Path:
    home: Path = (info.context or {}).get(HOME, Path.cwd())
    return Path(os.path.normpath(home / path))


def _path(value: Path, info: ValidationInfo) -> Path:
    return _beside(value, info)


def _key_uri(value: str, info: ValidationInfo) -> str:
    scheme, colon, rest = value.partition(":")
    if not (scheme and colon and rest):
        raise ValueError("A key is named by a URI, file:PATH")
    return f"file:{_beside(rest, info)}" if scheme == "file" else value


def _sqlite_beside(value: str, info: ValidationInfo) -> str:
    name, mark, options = value.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{_beside(name, info)}{mark}{options}"


def _store_url(value: str, info: ValidationInfo) -> str:
    if value.startswith(_SQLITE):
        name = value.removeprefix(_SQLITE).partition("?")[0]
        if not name or name == ":memory:":
            raise ValueError("A store in memory forgets what it acknowledged; name a file")
        return _sqlite_beside(value, info)
    if value.startswith(_POSTGRESQL):
        return value
    raise ValueError(f"A store's URL begins with {_SQLITE} or {_POSTGRESQL}")


def _adapter_setting(value: object, info: ValidationInfo) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("An adapter's setting is a text or a number")  # noqa: TRY004 # pydantic's
    text = str(value)
    if text.startswith(_SQLITE) and not text.startswith(f"{_SQLITE}:"):
        return _sqlite_beside(text, info)
    return str(_beside(text, info)) if text.startswith(("./", "../")) else text


def _listen(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None or int(found["port"]) > _HIGHEST_PORT:
        raise ValueError("An address to listen on is HOST:PORT; port 0 takes any free one")
    return value


def _loopback(value: str) -> str:
    if value.rpartition(":")[0] != "127.0.0.1":
        raise ValueError(
            "The bundled broker listens on 127.0.0.1 only; for other machines run a "
            "nats-server of its own (deploy/nats-server.conf)"
        )
    return value


def _bus_url(value: str) -> str:
    for url in value.split(","):
        # `port` raises ValueError by itself when it is no number.
        parts = urlsplit(url.strip())
        if parts.scheme != "tls" or not parts.hostname or not parts.port:
            raise ValueError("The broker's address is tls://HOST:PORT, several parted by commas")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("The name of a node is 1 to 32 of a-z, 0-9 and hyphen")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("A JetStream domain is 1 to 32 letters, digits, hyphens or underscores")
    return value


def _nkey(value: str) -> str:
    if not _NKEY.fullmatch(value):
        raise ValueError("A broker user's public nkey is U and 55 of A-Z and 2-7, as in nkey.pub")
    return value


def _organisation(value: str) -> str:
    try:
        return str(OrgId.parse(value))
    except Refusal as refusal:
        raise ValueError(f"{refusal.message} {refusal.advice}") from refusal


def split_address(address: str) -> tuple[str, int]:
    """Return host (without brackets) and port of a checked `HOST:PORT`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


FilePath = Annotated[Path, AfterValidator(_path)]
KeyUri = Annotated[str, AfterValidator(_key_uri)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
AdapterSetting = Annotated[str, BeforeValidator(_adapter_setting)]
Address = Annotated[str, AfterValidator(_listen)]
LoopbackAddress = Annotated[Address, AfterValidator(_loopback)]
BusUrl = Annotated[str, AfterValidator(_bus_url)]
NodeName = Annotated[str, AfterValidator(_name)]
JetStreamDomain = Annotated[str, AfterValidator(_domain)]
Nkey = Annotated[str, AfterValidator(_nkey)]
Organisation = Annotated[str, AfterValidator(_organisation)]
