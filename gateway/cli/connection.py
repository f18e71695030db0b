"""The connection of a client command: mutual TLS, one call or stream at a time, with deadlines.

The method of a call follows from its request: every RPC of the contract has a request of its own.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import click
import grpc
from google.protobuf.message import Message

from gateway.cli.options import IDENTITY, CallOptions

A = TypeVar("A", bound=Message)

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; a full page of events stays below."""


class Connection:
    """A channel to one gateway, opened at the first call and closed with the command."""

    def __init__(self, options: CallOptions) -> None:
        self._options = options
        self._channel: grpc.Channel | None = None

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the channel; a stream still open ends with it."""
        if self._channel is not None:
            self._channel.close()

    def call(self, request: Message, answer: type[A]) -> A:
        """Send one request and return the one answer.

        Raises:
            grpc.RpcError: refused, or no answer before the deadline.
            click.UsageError: it is not clear whom to call, or as whom.
        """
        method = self._open().unary_unary(
            method_path(type(request)),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return method(request, timeout=self._options.timeout)

    def listen(self, request: Message, answer: type[A], seconds: float) -> Iterator[A]:
        """Send one request and yield the answers of its stream, for at most `seconds`.

        Raises:
            grpc.RpcError: refused, broken off, or the deadline has passed.
            click.UsageError: as for `call`.
        """
        method = self._open().unary_stream(
            method_path(type(request)),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        yield from method(request, timeout=seconds)

    def converse(
        self, kind: type[Message], requests: Iterable[Message], answer: type[A], seconds: float
    ) -> Iterator[A]:
        """Send a stream of requests of one kind and yield the answers, for at most `seconds`.

        Raises:
            grpc.RpcError: refused as a whole, broken off, or the deadline has passed.
            click.UsageError: as for `call`.
        """
        method = self._open().stream_stream(
            method_path(kind),
            request_serializer=kind.SerializeToString,
            response_deserializer=answer.FromString,
        )
        yield from method(iter(requests), timeout=seconds)

    def _open(self) -> grpc.Channel:
        if self._channel is None:
            injected = self._options.open_channel
            self._channel = injected() if injected else secure_channel(self._options)
        return self._channel


def method_path(kind: type[Message]) -> str:
    """Return the full path of the RPC that takes this request.

    Raises:
        LookupError: no RPC of the contract takes it.
    """
    name = kind.DESCRIPTOR.full_name
    for service in kind.DESCRIPTOR.file.services_by_name.values():
        for method in service.methods:
            if method.input_type.full_name == name:
                return f"/{service.full_name}/{method.name}"
    raise LookupError(f"no method takes {name}")


def secure_channel(options: CallOptions) -> grpc.Channel:
    """Open a channel with mutual TLS; the connection itself is made at the first call.

    Raises:
        click.UsageError: target, ca, cert or key is missing or cannot be read.
    """
    if options.profile is not None:
        options = options_with_profile(options, options.profile)
    missing = [f"--{name}" for name in IDENTITY if getattr(options, name) is None]
    if missing:
        raise click.UsageError(
            f"Missing {', '.join(missing)}: name them, or a --profile that holds them "
            "(as `gateway certs dev` writes one for every organisation)."
        )
    ca, cert, key = (_read(path) for path in (options.ca, options.cert, options.key) if path)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=ca, private_key=key, certificate_chain=cert
    )
    return grpc.secure_channel(
        options.target or "",
        credentials,
        options=[("grpc.max_receive_message_length", LARGEST_ANSWER)],
    )


def options_with_profile(options: CallOptions, path: Path) -> CallOptions:
    """Fill what is not given from a profile; its paths are relative to the file.

    Raises:
        click.UsageError: the file cannot be read, is no TOML, or has other keys.
    """
    try:
        profile = tomllib.loads(_read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The profile {path} is no TOML: {error}.") from None
    wrong = [
        name
        for name, value in profile.items()
        if name not in IDENTITY or not isinstance(value, str)
    ]
    if wrong:
        raise click.UsageError(
            f"The profile {path} may hold target, ca, cert and key as text, not {', '.join(wrong)}."
        )
    given = {name: getattr(options, name) for name in IDENTITY}
    held = {
        name: value if name == "target" else path.parent / value for name, value in profile.items()
    }
    return options.overlaid(held).overlaid(given)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"Cannot read {path}: {error.strerror}.") from None
