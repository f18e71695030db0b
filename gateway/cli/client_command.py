"""A client command: the shared options, the connection, the screen, and refusals shown as such.

`Desk` is what a command works at. A command asks it to call, and to show what came back; who acts
and under which request_id is settled before the command runs.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import click
import grpc
from google.protobuf.message import Message

from gateway.cli.connection import Connection
from gateway.cli.lazy_group import keep_examples
from gateway.cli.options import LEAF_NAMES, CallOptions, leaf_options
from gateway.cli.refusals import trouble_of
from gateway.cli.screen import Screen
from gateway.v1.case_pb2 import GetCaseRequest, GetCaseResponse
from gateway.v1.letter_pb2 import GetLetterRequest, GetLetterResponse

A = TypeVar("A", bound=Message)
F = TypeVar("F", bound=Callable[..., Any])

PAGE = 200
"""Most items that a List answers at once."""

ELSEWHERE = "The options of `gateway --help` (--profile, --target, ...) may stand here too."


class Page(Protocol):
    """An answer of a List."""

    @property
    def next_page_token(self) -> str:
        """Token of the next page; empty on the last."""


P = TypeVar("P", bound=Page)


class Desk:
    """What a command works at.

    Attributes:
        connection: the calls.
        screen: the answers.
        actor_post: post that acts.
        timeout: deadline of one call, seconds.
    """

    def __init__(
        self, connection: Connection, options: CallOptions, actor_post: str, request_id: str
    ) -> None:
        self.connection = connection
        self.screen = Screen(options.lang, as_json=options.json)
        self.actor_post = actor_post
        self.timeout = options.timeout
        self._request_id = request_id
        self.acted = False

    @property
    def request_id(self) -> str:
        """The one request_id of this invocation; taking it means that the command acts."""
        self.acted = True
        return self._request_id

    def call(self, request: Message, answer: type[A]) -> A:
        """Call and return the answer.

        Raises:
            grpc.RpcError: refused, or no answer; the command line shows it.
        """
        return self.connection.call(request, answer)

    def show(self, request: Message, answer: type[A]) -> None:
        """Call and show the answer.

        Raises:
            grpc.RpcError: as for `call`.
        """
        self.screen.answer(self.call(request, answer))

    def show_list(
        self,
        fetch: Callable[[int, str], P],
        items: Callable[[P], Iterable[Message]],
        columns: tuple[str, ...],
        limit: int,
    ) -> None:
        """Fetch pages by (size, token) until `limit` items are there (0: all) and show them.

        Raises:
            grpc.RpcError: as for `call`.
        """
        found: list[Message] = []
        token, more = "", True
        while more and (limit == 0 or len(found) < limit):
            page = fetch(min(PAGE, limit - len(found)) if limit else PAGE, token)
            found += items(page)
            token = page.next_page_token
            more = bool(token)
        self.screen.items(found[: limit or None], columns, more=more)

    def case_version(self, case_id: str) -> int:
        """Read a case and return its present version.

        Raises:
            grpc.RpcError: as for `call`.
        """
        return self.call(GetCaseRequest(case_id=case_id), GetCaseResponse).case.version

    def letter_version(self, letter_id: str) -> int:
        """Read a letter and return its present version.

        Raises:
            grpc.RpcError: as for `call`.
        """
        return self.call(GetLetterRequest(letter_id=letter_id), GetLetterResponse).letter.version


class PostOption(click.Option):
    """`--post` of a command that acts, with the post that usually does."""

    def __init__(self, *args: Any, usual: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.usual = usual


def acts(usual: str, *, once: bool = True) -> Callable[[F], F]:
    """Give a command `--post` (else `usual`) and, where it acts once, `--request-id`."""

    def add(function: F) -> F:
        if once:
            function = click.option(
                "--request-id",
                type=click.UUID,
                help="Repeat an earlier request: the same id gives the same answer.",
            )(function)
        return click.option(
            "--post",
            cls=PostOption,
            usual=usual,
            metavar="POST",
            help=f"Post that acts; else GATEWAY_POST, else {usual}.",
        )(function)

    return add


class ClientCommand(click.Command):
    """A command whose callback takes a `Desk` (`@click.pass_obj`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = keep_examples(self.help)
        self.params += leaf_options()
        self.epilog = self.epilog or ELSEWHERE

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command at a desk of its own; a refused call ends it with its exit code."""
        above: CallOptions = ctx.obj
        options = above.overlaid({name: ctx.params.pop(name, None) for name in LEAF_NAMES})
        request_id = ctx.params.pop("request_id", None) or uuid.uuid4()
        with Connection(options) as connection:
            post = ctx.params.pop("post", None) or options.post or self._usual_post()
            desk = Desk(connection, options, post, str(request_id))
            ctx.obj = desk
            try:
                return super().invoke(ctx)
            except grpc.RpcError as error:
                trouble = trouble_of(error, options.lang)
                desk.screen.trouble(trouble, str(request_id) if desk.acted else "")
                ctx.exit(trouble.exit_code)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first line of the help, uncut."""
        return (self.help or "").partition("\n")[0]

    def _usual_post(self) -> str:
        posts: Sequence[str] = [one.usual for one in self.params if isinstance(one, PostOption)]
        return posts[0] if posts else ""


class ClientGroup(click.Group):
    """A group of client commands."""

    command_class = ClientCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = keep_examples(self.help)
