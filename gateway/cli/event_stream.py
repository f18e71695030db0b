"""Following the log and facts of others: proved complete, each on a line, positions acknowledged."""

import hashlib
import uuid
from collections.abc import Iterator

import click
import grpc

from gateway.cli.client_command import Desk
from gateway.cli.reading import text_of
from gateway.cli.screen import Screen
from gateway.cli.words import heading
from gateway.domain.fact_chain import FactChain, FactVerdict, judge_notice
from gateway.domain.log_chain import head_of
from gateway.v1 import event_pb2 as v1
from gateway.v1.fact_pb2 import FactNotice, ReplayFactsRequest, ReplayFactsResponse

FOLLOW_SECONDS = 600.0
"""Deadline of one stream that waits for events; another one follows it."""

WIDTHS = {"position": 6, "recorded_at": 19, "type": 30, "source": 24, "actor_post": 18}
"""Columns of an event line."""


def pages(desk: Desk, request: v1.SubscribeRequest) -> Iterator[v1.SubscribeResponse]:
    """Yield the pages of a subscription, each proved to go on where the one before ended.

    A stream that waits for more and was cut off, by its deadline or by a node that stops, is
    followed by another.

    Raises:
        grpc.RpcError: refused, broken off, or no page came before the deadline.
        click.ClickException: the pages contradict the chain of the log.
    """
    waits = not request.stop_at_end
    seconds = max(FOLLOW_SECONDS, desk.timeout) if waits else desk.timeout
    while True:
        moved = False
        try:
            for page in desk.connection.listen(request, v1.SubscribeResponse, seconds):
                moved = True
                _prove(page, request)
                request.after_position, request.after_head = page.position, page.head
                yield page
        except grpc.RpcError as error:
            late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and (moved or waits)
            cut_off = error.code() is grpc.StatusCode.UNAVAILABLE and moved and waits
            if not (late or cut_off):
                raise
        else:
            return


def _prove(page: v1.SubscribeResponse, request: v1.SubscribeRequest) -> None:
    if not page.head:  # a gateway that keeps no chain yet
        return
    holds = request.after_head in {b"", page.previous_head}
    if not request.HasField("filter") or request.filter == v1.EventFilter():
        after = page.position - len(page.events)
        payloads = [logged.envelope.payload for logged in page.events]
        holds = holds and head_of(page.previous_head, after, payloads) == page.head
    if not holds:
        raise click.ClickException(
            f"The log is not complete up to position {page.position}: its chain does not hold."
        )


def notices(desk: Desk, request: ReplayFactsRequest) -> Iterator[FactNotice]:
    """Yield the facts of a chain, each proved to follow the one before.

    Raises:
        grpc.RpcError: refused or broken off, or the deadline has passed.
        click.ClickException: the notices contradict the chain.
    """
    chain: FactChain | None = None
    seconds = max(FOLLOW_SECONDS, desk.timeout) if request.follow else desk.timeout
    for page in desk.connection.listen(request, ReplayFactsResponse, seconds):
        for envelope in page.notices:
            notice = FactNotice.FromString(envelope.payload)
            previous = notice.previous_notice_hash.hex()
            life = notice.incarnation
            chain = chain or _start_of(request, previous, life)
            digest = hashlib.sha256(envelope.payload).hexdigest()
            verdict = judge_notice(chain, notice.sequence, previous, digest, life)
            if verdict is not FactVerdict.TAKE:
                raise click.ClickException(
                    f"The chain does not hold at number {notice.sequence}: {verdict}."
                )
            chain = chain.heard(life).advanced(digest)
            yield notice


def _start_of(request: ReplayFactsRequest, previous: str, life: int) -> FactChain:
    """Return where the chain stood before the first notice: at the number asked for, or anew."""
    if life == request.incarnation and request.after_sequence:
        return FactChain(request.after_sequence, previous, life)
    return FactChain(incarnation=life)


def show_notice(screen: Screen, notice: FactNotice) -> None:
    """Show one published fact like an event of the log, under its number in the chain."""
    event = v1.Event.FromString(notice.event.payload)
    show_event(screen, v1.LoggedEvent(position=notice.sequence, envelope=notice.event, event=event))


def show_event(screen: Screen, logged: v1.LoggedEvent) -> None:
    """Show one event of the log on one line."""
    event, language = logged.event, screen.language
    cells = [(text_of(logged, "position", language), WIDTHS["position"])]
    cells += [
        (text_of(event, name, language), width)
        for name, width in WIDTHS.items()
        if name != "position"
    ]
    cells.append((event.event_id, len(event.event_id)))
    cases = " ".join(reference.case_id for reference in event.cases)
    cells.append((f"{heading('case', language)} {cases}" if cases else "", 0))
    screen.item(logged, cells)


def acknowledge(desk: Desk, subscriber: str, position: int) -> None:
    """Store how far the subscriber has got. Every page is a request of its own.

    Raises:
        grpc.RpcError: refused, or no answer.
    """
    desk.call(
        v1.AckEventsRequest(
            request_id=str(uuid.uuid4()),
            actor_post=desk.actor_post,
            subscriber=subscriber,
            position=position,
        ),
        v1.AckEventsResponse,
    )
