"""Reading the log: one event, its verification, the case file."""

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from gateway.codec import enums, fields
from gateway.codec.cases import encode_epoch
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import RULES, FactKind
from gateway.domain.payload_types import EVENT
from gateway.domain.titles import Epoch
from gateway.ports.event_log import LogEntry, LogFilter
from gateway.ports.signing import Verification
from gateway.service.desk import Desk
from gateway.service.summaries import summary
from gateway.v1 import case_pb2, event_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope

_MOST = 500
_DEFAULT = 100


def logged_event(entry: LogEntry) -> event_pb2.LoggedEvent:
    """Return an entry of the log in the form of the contract."""
    envelope = SignedEnvelope.FromString(entry.envelope)
    return event_pb2.LoggedEvent(
        position=entry.position,
        envelope=envelope,
        event=event_pb2.Event.FromString(envelope.payload),
        logged_at=fields.timestamp(entry.logged_at),
    )


def get_event(desk: Desk, request: event_pb2.GetEventRequest) -> event_pb2.GetEventResponse:
    """EventService.GetEvent."""
    return event_pb2.GetEventResponse(event=logged_event(entry_of(desk, request.event_id)))


def verify_event(
    desk: Desk, request: event_pb2.VerifyEventRequest
) -> event_pb2.VerifyEventResponse:
    """EventService.VerifyEvent: the verifier's steps, then that the signer is the source.

    An event of the log is judged by the key's state at the moment of logging (B22), one brought
    along by its state now.
    """
    if request.WhichOneof("target") == "event_id":
        entry = entry_of(desk, request.event_id)
        envelope, at = SignedEnvelope.FromString(entry.envelope), entry.logged_at
    elif request.HasField("envelope"):
        envelope, at = request.envelope, desk.now
    else:
        raise fields.missing("target")
    found = desk.tools.verifier.verify(envelope, EVENT, at)
    steps = [
        event_pb2.VerificationStep(name=step.name, passed=step.passed, detail=step.detail)
        for step in found.steps
    ]
    verified = found.refusal is None
    if verified:
        verified = _source_signed(envelope, found)
        steps.append(
            event_pb2.VerificationStep(
                name="the signer is the source",
                passed=verified,
                detail=f"signed by {found.signer}",
            )
        )
    return event_pb2.VerifyEventResponse(
        verified=verified, steps=steps, signer=str(found.signer or ""), key_id=found.key_id
    )


def get_timeline(desk: Desk, request: case_pb2.GetTimelineRequest) -> case_pb2.GetTimelineResponse:
    """CaseService.GetTimeline: the case file, with the absence that came before the case."""
    case_id = fields.uuid(request.case_id, "case_id")
    case = desk.work.cases.require(desk.org, case_id)
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    after = fields.position(request.page_token, "page_token")
    entries = desk.work.events.page(desk.org, after, size, LogFilter(case_id=case.id))
    more = len(entries) == size
    return case_pb2.GetTimelineResponse(
        entries=[_timeline_entry(desk, entry) for entry in entries],
        next_page_token=str(entries[-1].position) if more else "",
    )


def entry_of(desk: Desk, event_id: str) -> LogEntry:
    """Return an entry of the organisation's log. Raises Refusal(NOT_FOUND or INVALID_FIELD)."""
    entry = desk.work.events.get(desk.org, fields.uuid(event_id, "event_id"))
    if entry is None:
        raise Refusal(
            Reason.NOT_FOUND,
            f"{desk.org} has no such event in its log.",
            "Check the identifier; what belongs to other organisations is not shown.",
        )
    return entry


def _source_signed(envelope: SignedEnvelope, found: Verification) -> bool:
    try:
        event = event_pb2.Event.FromString(envelope.payload)
    except DecodeError:
        return False
    return event.source == str(found.signer)


def _timeline_entry(desk: Desk, entry: LogEntry) -> case_pb2.TimelineEntry:
    envelope = SignedEnvelope.FromString(entry.envelope)
    event = event_pb2.Event.FromString(envelope.payload)
    found = desk.tools.verifier.verify(envelope, EVENT, entry.logged_at)
    kind = enums.maybe(FactKind, event.type)
    english, chinese = summary(event)
    epochs: Sequence[Epoch] = [
        Epoch(reference.title.epoch.term, reference.title.epoch.number)
        for reference in event.cases
        if reference.HasField("title")
    ]
    return case_pb2.TimelineEntry(
        event_id=event.event_id,
        type=event_pb2.EventType.Name(event.type),
        type_zh=RULES[kind].zh if kind else "",
        source=event.source,
        actor_post=event.actor_post,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        legal_basis=event.legal_basis,
        summary=english,
        summary_zh=chinese,
        epoch=encode_epoch(epochs[0]) if epochs else None,
        signature_verified=found.refusal is None and _source_signed(envelope, found),
        position=entry.position,
    )
