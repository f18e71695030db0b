"""Following the log: pages without end, each event on a line, positions acknowledged."""

import uuid
from collections.abc import Iterator

import grpc

from gateway.cli.client_command import Desk
from gateway.cli.reading import text_of
from gateway.cli.screen import Screen
from gateway.cli.words import heading
from gateway.v1 import event_pb2 as v1

FOLLOW_SECONDS = 600.0
"""Deadline of one stream that waits for events; another one follows it."""

WIDTHS = {"position": 6, "recorded_at": 19, "type": 30, "source": 24, "actor_post": 18}
"""Columns of an event line."""


def pages(desk: Desk, request: v1.SubscribeRequest) -> Iterator[v1.SubscribeResponse]:
    """Yield the pages of a subscription; where a deadline cuts it off, go on after the last page.

    Raises:
        grpc.RpcError: refused, broken off, or no page came before the deadline.
    """
    waits = not request.stop_at_end
    seconds = max(FOLLOW_SECONDS, desk.timeout) if waits else desk.timeout
    while True:
        moved = False
        try:
            for page in desk.connection.listen(request, v1.SubscribeResponse, seconds):
                moved = True
                request.after_position = page.position
                yield page
        except grpc.RpcError as error:
            late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            if not (late and (moved or waits)):
                raise
        else:
            return


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
