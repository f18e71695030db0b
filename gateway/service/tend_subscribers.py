"""The named subscribers of a log: how far they are, and what they could not process."""

import re
from dataclasses import replace
from typing import Final

from gateway.codec import enums, fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.ports.subscribers import RejectedRecord
from gateway.service.desk import Desk
from gateway.service.read_events import entry_of
from gateway.v1 import event_pb2

MOST_SUBSCRIBERS: Final = 100
"""Most names in one log: a name for every process that ever ran would hide the real ones."""

_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
_REASON_CODE: Final = re.compile(r"[A-Z0-9_]{1,40}")
_MOST: Final = 200
_DEFAULT: Final = 50


def subscriber_name(name: str, *, required: bool = False) -> str:
    """Check the name of a subscriber. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    if required and not name:
        raise fields.missing("subscriber")
    if name and not _NAME.fullmatch(name):
        raise fields.invalid(
            "subscriber", "The name is malformed.", "Use 1 to 64 of a-z, 0-9 and the hyphen."
        )
    return name


def diverged(position: int) -> Refusal:
    """Make the refusal of a position or head that this log does not have."""
    return Refusal(
        Reason.LOG_DIVERGED,
        f"The log is not the one that is remembered at position {position}.",
        "It may have been restored from a backup: read it again from a position before; events "
        "that you have are known by their event_id.",
        position=str(position),
    )


def heard(desk: Desk, name: str, position: int | None = None) -> None:
    """Note that a subscriber was heard; a new one begins at 0.

    Raises Refusal: INVALID_FIELD, or TOO_MANY when the log has as many names as it takes.
    """
    known = desk.work.subscribers.position(desk.org, subscriber_name(name))
    if known is None and desk.work.subscribers.count(desk.org) >= MOST_SUBSCRIBERS:
        raise Refusal(
            Reason.TOO_MANY,
            f"The log of {desk.org} has {MOST_SUBSCRIBERS} named subscribers already.",
            "Use one of the names that are there: see EventService.ListSubscribers.",
            field="subscriber",
        )
    kept = known or 0 if position is None else position
    desk.work.subscribers.keep(desk.org, name, kept, desk.now)


def ack_events(desk: Desk, request: event_pb2.AckEventsRequest) -> event_pb2.AckEventsResponse:
    """EventService.AckEvents."""
    name = subscriber_name(request.subscriber, required=True)
    before = desk.work.subscribers.position(desk.org, name) or 0
    if not before <= request.position <= desk.work.events.end(desk.org):
        raise fields.invalid(
            "position",
            f"The position lies outside {before} and the end of the log.",
            "Acknowledge the position of the last page dealt with.",
        )
    if request.head and request.head != desk.work.events.head(desk.org, request.position):
        raise diverged(request.position)
    heard(desk, name, request.position)
    if request.event_ids:
        ids = [fields.uuid(event_id, "event_ids") for event_id in request.event_ids]
        desk.work.subscribers.settle(desk.org, name, ids)
    return event_pb2.AckEventsResponse(position=request.position)


def list_subscribers(
    desk: Desk, request: event_pb2.ListSubscribersRequest
) -> event_pb2.ListSubscribersResponse:
    """EventService.ListSubscribers."""
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    after = subscriber_name(request.page_token)
    found = desk.work.subscribers.page(desk.org, after, size + 1)
    end = desk.work.events.end(desk.org)
    return event_pb2.ListSubscribersResponse(
        subscribers=[
            event_pb2.Subscriber(
                subscriber=record.name,
                position=record.position,
                lag=end - record.position,
                rejected_count=record.rejected,
                seen_at=fields.timestamp(record.seen_at),
            )
            for record in found[:size]
        ],
        next_page_token=found[size - 1].name if len(found) > size else "",
        end_position=end,
    )


def reject_event(
    desk: Desk, request: event_pb2.RejectEventRequest
) -> event_pb2.RejectEventResponse:
    """EventService.RejectEvent: into the list of what this subscriber could not process."""
    name = subscriber_name(request.subscriber, required=True)
    if not _REASON_CODE.fullmatch(request.reason_code):
        raise fields.invalid(
            "reason_code",
            "The reason is no code.",
            "Use 1 to 40 of A-Z, 0-9 and the underscore; free text could name a child.",
        )
    entry = entry_of(desk, request.event_id)
    heard(desk, name)
    before = desk.work.subscribers.rejected(desk.org, name, entry.event_id)
    record = RejectedRecord(
        entry.event_id,
        entry.position,
        entry.type,
        request.reason_code,
        desk.now,
        before.times + 1 if before else 1,
        wanted=False,
    )
    desk.work.subscribers.reject(desk.org, name, record)
    return event_pb2.RejectEventResponse(rejected=_rejected(record))


def list_rejected_events(
    desk: Desk, request: event_pb2.ListRejectedEventsRequest
) -> event_pb2.ListRejectedEventsResponse:
    """EventService.ListRejectedEvents."""
    name = subscriber_name(request.subscriber, required=True)
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    after = fields.position(request.page_token, "page_token")
    found = desk.work.subscribers.rejected_page(desk.org, name, after, size + 1)
    return event_pb2.ListRejectedEventsResponse(
        rejected_events=[_rejected(record) for record in found[:size]],
        next_page_token=str(found[size - 1].position) if len(found) > size else "",
    )


def redeliver_event(
    desk: Desk, request: event_pb2.RedeliverEventRequest
) -> event_pb2.RedeliverEventResponse:
    """EventService.RedeliverEvent: put before the subscriber again, on its next page."""
    name = subscriber_name(request.subscriber, required=True)
    event_id = fields.uuid(request.event_id, "event_id")
    before = desk.work.subscribers.rejected(desk.org, name, event_id)
    if before is None:
        raise Refusal(
            Reason.NOT_FOUND,
            f"The subscriber {name} has not set this event aside, or has dealt with it since.",
            "See EventService.ListRejectedEvents; any event can be read with GetEvent.",
            field="event_id",
        )
    record = replace(before, wanted=True)
    desk.work.subscribers.reject(desk.org, name, record)
    return event_pb2.RedeliverEventResponse(rejected=_rejected(record))


def _rejected(record: RejectedRecord) -> event_pb2.RejectedEvent:
    return event_pb2.RejectedEvent(
        event_id=record.event_id,
        position=record.position,
        type=enums.wire(enums.maybe(FactKind, record.type)),
        reason_code=record.reason,
        rejected_at=fields.timestamp(record.rejected_at),
        times=record.times,
        redelivery_wanted=record.wanted,
    )
