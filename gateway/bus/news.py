"""What happens on the bus, as it is told to whoever records it."""

from typing import Protocol

from gateway.log_events import LogEvent, log


class OnState(Protocol):
    """Takes note of what happens on the bus: an event of the closed list and codes."""

    def __call__(self, event: LogEvent, /, **codes: str | int) -> None:
        """Record one event."""
        ...


_LEVELS = {LogEvent.BUS_CONNECTED: "info", LogEvent.BROKER_UNSAFE: "error"}


def to_log(event: LogEvent, /, **codes: str | int) -> None:
    """Record an event of the bus in the node's log; whatever is not routine as a warning."""
    log(event, level=_LEVELS.get(event, "warning"), **codes)
