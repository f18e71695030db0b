"""The stage: acts of organisations, and their effects seen where they must arrive.

An effect is seen when its signed event is in the log of the organisation concerned: the node stores
both in one transaction. Every event seen is verified there.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from gateway.cli.demonstration.faults import StepFailed
from gateway.cli.demonstration.lines import Line, Said, term_of
from gateway.cli.demonstration.players import Players, name_of
from gateway.cli.demonstration.sights import Match, Telling
from gateway.cli.demonstration.timeline import Timeline
from gateway.domain.organisations import OrgId
from gateway.v1 import event_pb2
from gateway.v1.case_pb2 import DropoutCase, GetCaseRequest, GetCaseResponse

A = TypeVar("A", bound=Message)

EFFECT_SECONDS = 20.0
"""How long an effect may take to arrive; far more than it does."""
_POLL_SECONDS = 0.02


class Stage:
    """Where the story is played.

    Attributes:
        verified: (organisation, event): what was verified where.
        refusals: reason of each refusal that was asked for.
    """

    def __init__(self, players: Players, timeline: Timeline) -> None:
        """Take who calls and where lines go."""
        self.verified: set[tuple[str, str]] = set()
        self.refusals: list[str] = []
        self._players = players
        self._timeline = timeline
        self._began = time.monotonic()

    def scene(self, title: Said, subtitle: Said) -> None:
        """Begin a child's story."""
        self._timeline.add(Line("scene", title, subtitle, datetime.now(UTC)))

    def ask(self, org: OrgId, request: Message, answer: type[A]) -> A:
        """Read something as an organisation. Raises StepFailed."""
        return self._players.ask(org, request, answer)

    def case(self, org: OrgId, case_id: str) -> DropoutCase:
        """Return a case as an organisation sees it now. Raises StepFailed."""
        return self.ask(org, GetCaseRequest(case_id=case_id), GetCaseResponse).case

    def require(self, condition: bool, expected: str) -> None:
        """Hold the story to what it promises. Raises StepFailed naming what was expected."""
        if not condition:
            raise StepFailed(f"This was expected and is not so: {expected}.")

    def act(self, org: OrgId, actor_post: str, request: Message, answer: type[A]) -> A:
        """Carry out an act as a post of an organisation; the clock of its effects starts here.

        Raises:
            StepFailed: refused, or no answer.
        """
        self._began = time.monotonic()
        return self._players.act(org, actor_post, request, answer)

    def see(
        self,
        kind: event_pb2.EventType.ValueType,
        match: Match,
        by: tuple[OrgId, ...],
        what: Said | Telling,
    ) -> event_pb2.Event:
        """Wait until all of `by` have the event, verify it at each, and show it as a line.

        `what` is said of it, or says it from the event.

        Raises:
            StepFailed: it does not arrive in time, or its signature does not hold.
        """
        term = term_of(event_pb2.EventType.Name(kind))
        self._timeline.doing(term)
        arrived = [self._await(org, kind, match, term) for org in by]
        taken = self._elapsed()
        event = arrived[0]
        verified = sum(self._verify(org, event.event_id) for org in by) == len(by)
        self._timeline.add(
            Line(
                "fact",
                term,
                what if isinstance(what, Said) else what(event),
                event.recorded_at.ToDatetime(UTC),
                organisation=event.source,
                actor_post=event.actor_post,
                legal_basis=tuple(event.legal_basis),
                verified=verified,
                seen_by=tuple(map(str, by)),
                milliseconds=taken,
                event_id=event.event_id,
            )
        )
        if not verified:
            raise StepFailed(f"The signature of event {event.event_id} ({term.en}) does not hold.")
        return event

    def done(self, org: OrgId, actor_post: str, term: Said, what: Said) -> None:
        """Show an act that stays inside the organisation and leaves no event."""
        self._show("act", org, actor_post, term, what)

    def until(
        self,
        org: OrgId,
        request: Message,
        answer: type[A],
        reached: Callable[[A], bool],
        shown: tuple[Said, Said],
    ) -> None:
        """Read until a state is reached, and show it as a line (its term, and what it says).

        Raises:
            StepFailed: it is not reached in time.
        """
        term, what = shown
        self._timeline.doing(term)
        deadline = time.monotonic() + EFFECT_SECONDS
        while not reached(self.ask(org, request, answer)):
            if time.monotonic() > deadline:
                raise StepFailed(f"{org} never reached: {term.en}.")
            time.sleep(_POLL_SECONDS)
        self._show("state", org, "", term, what)

    def refused(
        self, org: OrgId, actor_post: str, request: Message, answer: type[Message], reason: str
    ) -> None:
        """Try what must not be possible, and show the refusal as a line.

        Raises:
            StepFailed: it was carried out, or refused for another reason.
        """
        self._began = time.monotonic()
        trouble = self._players.refusal(org, actor_post, request, answer, reason)
        self.refusals.append(reason)
        meaning = term_of(f"ERROR_REASON_{reason}")
        term = Said(f"refused: {meaning.en}", f"已拒绝:{meaning.zh}")
        sentence = trouble.message.removesuffix(trouble.advice).strip()
        said = f"{name_of(request)}: {reason}. {sentence} {trouble.advice}"
        self._show("refusal", org, actor_post, term, Said(said, said))

    def _await(
        self, org: OrgId, kind: event_pb2.EventType.ValueType, match: Match, term: Said
    ) -> event_pb2.Event:
        """Follow the organisation's log until a matching event is in it."""
        request = event_pb2.SubscribeRequest(
            after_position=0, filter=event_pb2.EventFilter(types=[kind])
        )
        pages = self._players.connection(org).listen(
            request, event_pb2.SubscribeResponse, EFFECT_SECONDS
        )
        try:
            for page in pages:
                for logged in page.events:
                    if match(logged.event):
                        return logged.event
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                self._players.fail(org, request, error)
        raise StepFailed(f"{org} did not get the event: {term.en}.")

    def _verify(self, org: OrgId, event_id: str) -> bool:
        answer = self.ask(
            org, event_pb2.VerifyEventRequest(event_id=event_id), event_pb2.VerifyEventResponse
        )
        if answer.verified:
            self.verified.add((str(org), event_id))
        return answer.verified

    def _show(self, kind: str, org: OrgId, actor_post: str, term: Said, what: Said) -> None:
        line = Line(
            kind,
            term,
            what,
            datetime.now(UTC),
            organisation=str(org),
            actor_post=actor_post,
            milliseconds=self._elapsed(),
        )
        self._timeline.add(line)

    def _elapsed(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
