"""Following the log: pages that prove their completeness, and what a subscriber wants again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.codec import fields
from gateway.ports.event_log import LogEntry, LogFilter
from gateway.service.desk import Desk
from gateway.service.pages import LARGEST, MOST_BYTES, Page
from gateway.service.read_events import logged_event
from gateway.service.tend_subscribers import diverged, heard, subscriber_name
from gateway.v1 import event_pb2

_MOST = 500
_DEFAULT = 100
_MOST_AGAIN = 20
_MOST_BYTES_AGAIN = 250_000


@dataclass(frozen=True)
class LogCursor:
    """Where a subscription stands.

    Attributes:
        position: up to where the log has been looked at.
        told: position of the last page sent.
        head: head of the chain at the position of the last page sent.
        sent: the redeliveries of this stream, each an event and how often it was set aside.
    """

    position: int
    told: int
    head: bytes
    sent: frozenset[tuple[str, int]] = field(default_factory=frozenset)


def open_log(desk: Desk, request: event_pb2.SubscribeRequest) -> None:
    """Note that a named subscriber is here. Raises Refusal(INVALID_FIELD or TOO_MANY)."""
    if request.subscriber:
        heard(desk, request.subscriber)


def log_page(desk: Desk, request: event_pb2.SubscribeRequest, cursor: LogCursor | None) -> Page:
    """EventService.Subscribe: the next page, the first when there is no cursor.

    Raises Refusal: INVALID_FIELD, or LOG_DIVERGED when the subscriber remembers another log.
    """
    now = cursor or _start(desk, request)
    condition = _condition(request.filter)
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    end = desk.work.events.end(desk.org)
    entries = desk.work.events.page(desk.org, now.position, size, condition, MOST_BYTES)
    position = entries[-1].position if _may_be_cut(entries, size) else max(end, now.position)
    again = _redeliveries(desk, request.subscriber, now.sent)
    caught_up = position >= end
    last = caught_up and request.stop_at_end
    response, following = None, LogCursor(position, now.told, now.head, now.sent)
    if entries or again or cursor is None or (last and position > now.told):
        head = desk.work.events.head(desk.org, position) or now.head
        response = event_pb2.SubscribeResponse(
            events=[logged_event(entry) for entry in entries],
            position=position,
            end_position=end,
            previous_head=now.head,
            head=head,
            redelivered=[logged_event(entry) for entry in again.values()],
        )
        following = LogCursor(position, position, head, now.sent | again.keys())
    return Page(response, following, more=not caught_up, last=last)


def _start(desk: Desk, request: event_pb2.SubscribeRequest) -> LogCursor:
    name = subscriber_name(request.subscriber)
    if request.HasField("after_position"):
        if request.after_position < 0:
            raise fields.invalid("after_position", "Positions begin with 1.", "Use 0 for all.")
        position = request.after_position
    else:
        position = (desk.work.subscribers.position(desk.org, name) or 0) if name else 0
    head = desk.work.events.head(desk.org, position)
    if head is None or request.after_head not in {b"", head}:
        raise diverged(position)
    return LogCursor(position, position, head)


def _condition(wanted: event_pb2.EventFilter) -> LogFilter:
    case_id = fields.uuid(wanted.case_id, "filter.case_id") if wanted.case_id else ""
    return LogFilter(tuple(wanted.types), case_id, wanted.source)


def _may_be_cut(entries: Sequence[LogEntry], size: int) -> bool:
    """Say whether there may be more matching entries than these.

    If not, everything up to the end of the log has been looked at.
    """
    held = sum(len(entry.envelope) for entry in entries)
    return len(entries) == size or held + LARGEST > MOST_BYTES


def _redeliveries(
    desk: Desk, name: str, sent: frozenset[tuple[str, int]]
) -> dict[tuple[str, int], LogEntry]:
    """Return what the subscriber wants again and this stream has not sent yet, within bounds."""
    if not name:
        return {}
    found: dict[tuple[str, int], LogEntry] = {}
    left = _MOST_BYTES_AGAIN
    for record in desk.work.subscribers.rejected_page(desk.org, name, 0, _MOST_AGAIN, wanted=True):
        entry = desk.work.events.get(desk.org, record.event_id)
        if entry is None or (record.event_id, record.times) in sent:
            continue
        left -= len(entry.envelope)
        if found and left < 0:
            break
        found[record.event_id, record.times] = entry
    return found
