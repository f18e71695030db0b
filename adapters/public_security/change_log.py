"""From a row of the register's change log to a change that the gateway is told of."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping

from adapters.connectors.faults import UnreadableRecord
from adapters.connectors.serial_feed import LogEntry
from adapters.public_security.matching import has_reached
from adapters.public_security.places import Places
from adapters.public_security.register_mapping import Move
from gateway.adapter_api import Change, HukouFinding, HukouStatement


@dataclass(frozen=True)
class ChangeLog:
    """Reads rows of the log; anyone of `under_age` years or more stays in the register."""

    places: Places
    under_age: int

    def read(self, row: RowMapping) -> LogEntry:
        """Return one row as an entry; without a change when it moves no child.

        Everything comes from the row itself, so that reading it again gives an equal fact.

        Raises:
            UnreadableRecord: it holds a code or date that the mapping does not know.
        """
        serial = int(row[self.places.mapping.log.serial])
        try:
            return self._entry(row, serial)
        except UnreadableRecord as fault:
            raise UnreadableRecord(f"Change {serial} of the household register: {fault}") from None

    def _entry(self, row: RowMapping, serial: int) -> LogEntry:
        columns, times = self.places.mapping.log, self.places.mapping.local_time
        recorded_at = times.read_time(row[columns.recorded_at])
        moved_on = times.read_date(row[columns.moved_on])
        born = times.read_date(row[columns.birth_date])
        if moved_on is None or born is None:
            raise UnreadableRecord("A date is missing.")
        fact = None
        if not has_reached(self.under_age, born, moved_on):
            fact = self._fact(row, moved_on, recorded_at)
        if fact is None:
            return LogEntry(serial, recorded_at, None)
        key = f"{columns.table}/{serial}"
        return LogEntry(serial, recorded_at, Change(key, times.day_begins(moved_on), fact))

    def _fact(
        self, row: RowMapping, moved_on: date, recorded_at: datetime
    ) -> HukouStatement | None:
        columns = self.places.mapping.log
        county = str(row[columns.county] or "").strip()
        match self.places.mapping.moves.get(str(row[columns.move]).strip()):
            case Move.REGISTERED:
                township = str(row[columns.township] or "").strip()
                return self.places.statement(county, township, moved_on, recorded_at)
            case Move.OUT_OF_PROVINCE:
                return self.places.elsewhere(county, recorded_at)
            case Move.DECEASED:
                return HukouStatement(HukouFinding.DECEASED, recorded_at)
            case Move.CANCELLED:
                return HukouStatement(HukouFinding.NOT_FOUND, recorded_at)
            case Move.NO_MOVE:
                return None
            case None:
                raise UnreadableRecord("The kind of change is unknown.")
