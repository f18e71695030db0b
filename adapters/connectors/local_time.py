"""Dates and times as an agency's system writes them: local, without a zone, often as text."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from adapters.connectors.faults import UnreadableRecord


class LocalTime(BaseModel):
    """How a system writes dates and times; part of its mapping.

    Formats are those of `datetime.strftime`. A driver may hand over `date` and `datetime` values
    instead of text; both are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = "Asia/Shanghai"
    date_format: str = "%Y%m%d"
    time_format: str = "%Y%m%d%H%M%S"

    def write_date(self, day: date) -> str:
        """Return a day in the system's form."""
        return day.strftime(self.date_format)

    def read_date(self, value: object) -> date | None:
        """Return a day; None where the system holds none.

        Raises:
            UnreadableRecord: the value is no date in that form.
        """
        if value is None or value == "":
            return None
        if isinstance(value, date):
            return value.date() if isinstance(value, datetime) else value
        return self._parsed(value, self.date_format).date()

    def read_time(self, value: object) -> datetime:
        """Return a moment in UTC.

        Raises:
            UnreadableRecord: there is none, or it is no time in that form.
        """
        moment = value if isinstance(value, datetime) else self._parsed(value, self.time_format)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.zone))
        return moment.astimezone(UTC)

    def here(self, moment: datetime) -> datetime:
        """Return an aware moment as the system's own clock shows it: whole seconds, no zone."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None, microsecond=0)

    def day_begins(self, day: date) -> datetime:
        """Return the first moment of a day in the system's zone, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @staticmethod
    def _parsed(value: object, form: str) -> datetime:
        try:
            # The zone is not in the text; the callers add it.
            return datetime.strptime(str(value), form)  # noqa: DTZ007
        except ValueError:
            raise UnreadableRecord("A record holds a date or time in an unknown form.") from None
