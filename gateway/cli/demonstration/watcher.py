"""The subscriber: follows one organisation's log and verifies every event as it arrives."""

from collections.abc import Callable
from datetime import UTC
from threading import Condition, Thread
from types import TracebackType
from typing import Self

import grpc

from gateway.cli.connection import Connection
from gateway.cli.demonstration.faults import StepFailed
from gateway.cli.demonstration.lines import Line, Said, term_of
from gateway.cli.options import CallOptions
from gateway.cli.refusals import trouble_of
from gateway.v1 import event_pb2

STREAM_SECONDS = 300.0
"""Deadline of the subscription; a demonstration is long over by then."""


class Watcher:
    """One subscription on a thread of its own, with a connection of its own."""

    def __init__(
        self, organisation: str, options: CallOptions, show: Callable[[Line], None]
    ) -> None:
        """Take whose log, how to connect, and where lines go."""
        self.seen: list[event_pb2.Event] = []
        self.unverified: list[str] = []
        self._organisation = organisation
        self._options = options
        self._connection = Connection(options)
        self._show = show
        self._position = 0
        self._fault = ""
        self._moved = Condition()
        self._thread = Thread(target=self._follow, name="subscriber", daemon=True)

    def __enter__(self) -> Self:
        """Attach the subscription."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._connection.__exit__(None, None, None)
        self._thread.join(self._options.timeout)

    def catch_up(self, seconds: float) -> None:
        """Wait until it has seen everything that the log holds now.

        Raises:
            StepFailed: it does not get there in time, broke off, or saw an event whose signature
                does not hold.
        """
        with Connection(self._options) as connection:
            request = event_pb2.SubscribeRequest(stop_at_end=True, page_size=1)
            pages = connection.listen(request, event_pb2.SubscribeResponse, seconds)
            end = next(pages).end_position
        with self._moved:
            self._moved.wait_for(lambda: self._position >= end or self._fault, seconds)
        if self._position < end:
            raise StepFailed(f"The subscriber of {self._organisation} lags behind. {self._fault}")
        if self.unverified:
            raise StepFailed(f"The subscriber could not verify: {', '.join(self.unverified)}.")

    def _follow(self) -> None:
        request = event_pb2.SubscribeRequest(after_position=0)
        try:
            for page in self._connection.listen(
                request, event_pb2.SubscribeResponse, STREAM_SECONDS
            ):
                for logged in page.events:
                    self._take(logged)
                with self._moved:
                    self._position = page.position
                    self._moved.notify_all()
        except grpc.RpcError as error:
            self._break_off(trouble_of(error, "en").message)
        except ValueError:  # the channel was closed between two calls
            self._break_off("The connection was closed.")

    def _break_off(self, fault: str) -> None:
        with self._moved:
            self._fault = fault
            self._moved.notify_all()

    def _take(self, logged: event_pb2.LoggedEvent) -> None:
        event = logged.event
        answer = self._connection.call(
            event_pb2.VerifyEventRequest(envelope=logged.envelope), event_pb2.VerifyEventResponse
        )
        self.seen.append(event)
        if not answer.verified:
            self.unverified.append(event.event_id)
        self._show(
            Line(
                "arrival",
                term_of(event_pb2.EventType.Name(event.type)),
                Said(f"⇢ subscriber got #{logged.position}", f"⇢ 订阅收到 #{logged.position}"),
                logged.logged_at.ToDatetime(UTC),
                organisation=event.source,
                actor_post=event.actor_post,
                legal_basis=tuple(event.legal_basis),
                verified=answer.verified,
                seen_by=(self._organisation,),
                event_id=event.event_id,
            )
        )
