"""The real time."""

from datetime import UTC, datetime


class SystemClock:
    """Implements `gateway.ports.clock.Clock` with the clock of the machine."""

    def now(self) -> datetime:
        """Return the present moment as an aware datetime in UTC."""
        return datetime.now(UTC)
