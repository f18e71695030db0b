"""The options that every client command shares: which gateway, as whom, and how to answer.

They stand before the command, after it, or in the environment; later ones win, and a profile
named on the command line wins over single values from the environment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import click
from click.core import ParameterSource

if TYPE_CHECKING:  # grpc is not loaded for `gateway --help`
    import grpc

    from gateway.cli.words import Language

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_SECONDS = 10.0
IDENTITY = ("target", "ca", "cert", "key")
"""What a profile holds."""

_FILE = click.Path(dir_okay=False, path_type=Path)
_LANGUAGES = click.Choice(["en", "zh"])

_CONNECTION: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("profile", "TOML file with target, ca, cert and key.", {"type": _FILE}),
    ("target", "Address of the gateway, host:port.", {"metavar": "HOST:PORT"}),
    ("ca", "Certificate of the authority, PEM.", {"type": _FILE}),
    ("cert", "Your organisation's certificate, PEM.", {"type": _FILE}),
    ("key", "Its private key, PEM.", {"type": _FILE}),
    (
        "timeout",
        "Deadline of one call; 10 unless given.",
        {"type": click.FloatRange(min=0.1), "metavar": "SECONDS"},
    ),
)
_ANSWER: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lang", "Language of tables.", {"type": _LANGUAGES}),
    ("json", "Answer in JSON, for scripts.", {"is_flag": True, "default": None}),
)
_POST = ("post", "Post that acts, for example CASE_OFFICER.", {"metavar": "POST"})
LEAF_NAMES = (*(name for name, _, _ in _CONNECTION), "lang", "json")
"""Names of the options that every client command takes itself."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The shared options as given; None or empty where nothing was given.

    Attributes:
        profile: TOML file that holds the four below.
        target: `host:port`.
        ca, cert, key: PEM files.
        post: post that acts; empty for the usual one of the command.
        lang: language of tables.
        json: whether to answer in JSON.
        timeout: deadline of one call, seconds.
        open_channel: in tests, what opens the channel instead of mutual TLS.
    """

    profile: Path | None = None
    target: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    post: str | None = None
    lang: "Language" = "en"
    json: bool = False
    timeout: float = DEFAULT_SECONDS
    open_channel: "Callable[[], grpc.Channel] | None" = None

    @classmethod
    def read(cls, ctx: click.Context, given: Mapping[str, object]) -> Self:
        """Take the options that stand before the command, or in the environment.

        `ctx.obj` may be a function that opens a channel; it then replaces the connection.
        """
        values = {name: value for name, value in given.items() if value is not None}
        if ctx.get_parameter_source("profile") is ParameterSource.COMMANDLINE:
            for name in IDENTITY:
                if ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
                    values.pop(name, None)
        return cls(open_channel=ctx.obj, **cast(dict[str, Any], values))

    def overlaid(self, given: Mapping[str, object]) -> Self:
        """Put the options that stand after the command over these."""
        values = {name: value for name, value in given.items() if value is not None}
        if "profile" in values:
            values = dict.fromkeys(IDENTITY, None) | values
        return replace(self, **cast(dict[str, Any], values))


def _option(name: str, text: str, settings: Mapping[str, Any], **more: Any) -> Callable[[F], F]:
    return click.option(f"--{name}", help=text, **(dict(settings) | more))


def root_options(function: F) -> F:
    """Add the shared options with their environment twins, for `gateway` itself."""
    for name, text, settings in reversed((*_CONNECTION, _POST, *_ANSWER)):
        twin = f"GATEWAY_{name.upper()}"
        function = _option(name, text, settings, envvar=twin, show_envvar=True)(function)
    return function


def leaf_options() -> list[click.Parameter]:
    """Return the shared options as a client command takes them; only the answer's are shown."""

    def carrier() -> None:
        """Hold the options for click to collect."""

    for name, text, settings in reversed(_CONNECTION):
        _option(name, text, settings, hidden=True)(carrier)
    for name, text, settings in reversed(_ANSWER):
        _option(name, text, settings)(carrier)
    return list(reversed(carrier.__click_params__))  # type: ignore[attr-defined]
