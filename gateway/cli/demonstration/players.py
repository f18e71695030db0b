"""The players: every organisation's connection to its own node, with its own certificate."""

import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Protocol, Self, TypeVar, cast

import grpc
from google.protobuf.message import Message

from gateway.cli.connection import Connection
from gateway.cli.demonstration.faults import StepFailed
from gateway.cli.options import CallOptions
from gateway.cli.refusals import Trouble, trouble_of
from gateway.cli.words import Language
from gateway.domain.organisations import OrgId
from gateway.v1.directory_pb2 import GetOrganisationRequest, GetOrganisationResponse

A = TypeVar("A", bound=Message)

CALL_SECONDS = 20.0
"""Deadline of one call."""


class Command(Protocol):
    """What every request that changes something has."""

    request_id: str
    actor_post: str


class Players:
    """Calls in the name of an organisation. Every refusal not asked for ends the story."""

    def __init__(self, profiles: Mapping[str, Path], language: Language) -> None:
        """Take the client profile of each organisation, and the language of refusals."""
        self._profiles = profiles
        self._language: Language = language
        self._open = ExitStack()
        self._connections: dict[OrgId, Connection] = {}

    def __enter__(self) -> Self:
        """Return the players."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        self._open.close()

    def greet(self, organisations: tuple[OrgId, ...]) -> None:
        """Connect everyone, so that no later step is measured with its handshake.

        Raises:
            StepFailed: a node does not know its own organisation.
        """
        for org in organisations:
            self.ask(org, GetOrganisationRequest(organisation=str(org)), GetOrganisationResponse)

    def options(self, org: OrgId) -> CallOptions:
        """Return how an organisation connects."""
        return CallOptions(profile=self._profiles[str(org)], timeout=CALL_SECONDS)

    def connection(self, org: OrgId) -> Connection:
        """Return the organisation's connection to its own node."""
        if org not in self._connections:
            self._connections[org] = self._open.enter_context(Connection(self.options(org)))
        return self._connections[org]

    def ask(self, org: OrgId, request: Message, answer: type[A]) -> A:
        """Read something.

        Raises:
            StepFailed: refused, or no answer.
        """
        try:
            return self.connection(org).call(request, answer)
        except grpc.RpcError as error:
            self.fail(org, request, error)

    def act(self, org: OrgId, actor_post: str, request: Message, answer: type[A]) -> A:
        """Carry out an act as a post.

        Raises:
            StepFailed: refused, or no answer.
        """
        return self.ask(org, _by(request, actor_post), answer)

    def refusal(
        self, org: OrgId, actor_post: str, request: Message, answer: type[Message], reason: str
    ) -> Trouble:
        """Try what must be refused, and return the refusal.

        Raises:
            StepFailed: it was carried out, or refused for another reason.
        """
        try:
            self.connection(org).call(_by(request, actor_post), answer)
        except grpc.RpcError as error:
            trouble = trouble_of(error, self._language)
            if trouble.reason != reason:
                self.fail(org, request, error)
            return trouble
        raise StepFailed(f"{name_of(request)} by {org} was carried out; {reason} was due.")

    def fail(self, org: OrgId, request: Message, error: grpc.RpcError) -> NoReturn:
        """Turn a failed call into the failure of its step. Always raises StepFailed."""
        trouble = trouble_of(error, self._language)
        raise StepFailed(
            f"{name_of(request)} by {org} failed: {trouble.reason}. {trouble.message}"
        ) from error


def name_of(request: Message) -> str:
    """Return the name of the RPC that a request is for."""
    return request.DESCRIPTOR.name.removesuffix("Request")


def _by(request: Message, actor_post: str) -> Message:
    """Fill in who acts and under which identifier."""
    command = cast(Command, request)
    command.request_id = str(uuid.uuid4())
    command.actor_post = actor_post
    return request
