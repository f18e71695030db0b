"""The closed list of log events: whatever a node writes to its log is one of these lines.

Logs are JSON lines on standard error. They carry codes, tokens and counts, never a name, number,
telephone or address: `log` takes only the fields named here, and only values of harmless form.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum
from functools import partial

import structlog


class LogEvent(StrEnum):
    """What may be logged."""

    NODE_STARTING = "node.starting"
    NODE_READY = "node.ready"
    NODE_DRAINING = "node.draining"
    NODE_STOPPED = "node.stopped"
    RPC_REFUSED = "rpc.refused"
    RPC_FAILED = "rpc.failed"
    IDENTITY_REVEALED = "identity.revealed"
    BUS_CONNECTED = "bus.connected"
    BUS_DISCONNECTED = "bus.disconnected"
    BUS_ERROR = "bus.error"
    BUS_LEFT_BEHIND = "bus.left_behind"
    BUS_REGRESSED = "bus.regressed"
    BROKER_UNSAFE = "alarm.broker_unsafe"
    BROKER_STARTED = "broker.started"
    BROKER_STOPPED = "broker.stopped"
    MESSAGE_PUBLISHED = "message.published"
    MESSAGE_RESENT = "message.resent"
    MESSAGE_APPLIED = "message.applied"
    MESSAGE_PARKED = "message.parked"
    MESSAGE_REFUSED = "message.refused"
    MESSAGE_QUARANTINED = "message.quarantined"
    MESSAGE_DUPLICATE = "message.duplicate"
    MAIL_FAILED = "mail.failed"
    LANE_GAP = "lane.gap"
    LANE_STATED = "lane.stated"
    LANE_RENEWED = "lane.renewed"
    LANES_BALANCED = "lane.balanced"
    LANE_UNBALANCED = "alarm.lane_unbalanced"
    LANE_ALARM = "alarm.lane"
    DEAD_LETTER = "alarm.dead_letter"
    DEAD_LETTER_SETTLED = "dead_letter.settled"
    LANE_HELD_BACK = "lane.held_back"
    RECEIPT_CLOSED = "receipt.closed"
    EQUIVOCATION = "alarm.equivocation"
    DIRECTORY_LOADED = "directory.loaded"
    DIRECTORY_REFUSED = "directory.refused"
    ADAPTER_DONE = "adapter.done"
    ADAPTER_REFUSED = "adapter.refused"
    ADAPTER_TRY_LATER = "adapter.try_later"
    ADAPTER_FAILED = "adapter.failed"
    ADAPTER_ECHO = "adapter.echo"
    FACTS_FAILED = "facts.failed"
    FACTS_REFILLED = "facts.refilled"
    SUBSCRIBER_SLOW = "subscriber.slow"
    ENTITLEMENTS_APPLIED = "entitlements.applied"
    STORE_FAILED = "store.failed"
    STORE_BROKEN = "store.broken"
    CONDITION_CHANGED = "condition.changed"
    STORE_UNGUARDED = "store.unguarded"
    RECOVERY_BEGUN = "recovery.begun"
    RECOVERY_ANSWERED = "recovery.answered"
    RECOVERY_WAIVED = "recovery.waived"
    RECOVERY_CONFLICT = "alarm.recovery_conflict"
    RECOVERY_DIRECTORY_OLD = "alarm.recovery_directory_old"
    RECOVERY_FAILED = "recovery.failed"
    RECOVERY_ENDED = "recovery.ended"
    STORE_RUN_AGAIN = "store.run_again"
    STORE_WITHOUT_CHECKSUMS = "store.without_checksums"
    LEASE_TAKEN = "lease.taken"
    LEASE_LOST = "lease.lost"


_held: "ContextVar[HeldLines | None]" = ContextVar("held lines", default=None)
_HARMLESS = re.compile(r"^[A-Za-z0-9_.:/@+\-]{0,120}$")
_ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)|(?<!\d)1\d{10}(?!\d)")


def harmless(value: str | float | bool) -> str | int | float | bool:
    """Return the value when it has the form of a code, token or count, else a placeholder.

    Whatever has spaces, Chinese text, or looks like an identity or telephone number does not
    belong in a log line.
    """
    if isinstance(value, str) and (not _HARMLESS.match(value) or _ID_NUMBER.search(value)):
        return "withheld"
    return value


def configure(level: str = "INFO") -> None:
    """Write JSON lines to standard error from `level` (DEBUG, INFO, WARNING, ERROR) upward."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


class HeldLines:
    """Lines that wait until what they tell of is so."""

    def __init__(self) -> None:
        self._lines: list[Callable[[], None]] = []

    def add(self, line: Callable[[], None]) -> None:
        """Hold one more."""
        self._lines.append(line)

    def write(self) -> None:
        """Write them in their order; those that are never written are forgotten."""
        for line in self._lines:
            line()


@contextmanager
def held_lines() -> Iterator[HeldLines]:
    """Hold what is logged inside, by this thread or task: a transaction may yet come to nothing."""
    lines = HeldLines()
    before = _held.set(lines)
    try:
        yield lines
    finally:
        _held.reset(before)


def log(event: LogEvent, *, level: str = "info", **fields: str | float | bool) -> None:
    """Write one line, or hold it. Values that are not codes, tokens or counts are withheld."""
    held = _held.get()
    if held is None:
        log_at_once(event, level=level, **fields)
    else:
        held.add(partial(log_at_once, event, level=level, **fields))


def log_at_once(event: LogEvent, *, level: str = "info", **fields: str | float | bool) -> None:
    """Do the same whatever comes of the transaction that it is said in.

    A log that cannot be written, on a full disk or a closed pipe, keeps nothing else from its work.
    """
    with suppress(OSError, ValueError):
        structlog.get_logger().log(
            logging.getLevelNamesMapping()[level.upper()],
            event.value,
            **{name: harmless(value) for name, value in fields.items()},
        )
