"""The tables of the platform's dropout-control port, read and written by SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Integer, RowMapping, String, column, select, table
from sqlalchemy.types import TypeEngine

from adapters.assistance_platform.platform_mapping import PlatformMapping
from adapters.connectors.faults import SystemAway, UnreadableRecord, WriteConflict
from adapters.connectors.serial_feed import LogEntry
from adapters.connectors.sql import SqlConnector
from gateway.adapter_api import Change, Matter, PlatformEntry

_ATTEMPTS = 3
_TYPES: Mapping[str, type[TypeEngine[Any]]] = {"serial": Integer, "entered_at": DateTime}


@dataclass(frozen=True)
class Held:
    """An entry as the platform holds it."""

    fact: PlatformEntry
    external_reference: str


class Platform:
    """Makes and reads entries through the mapping; every method may raise SystemAway."""

    def __init__(self, connector: SqlConnector, mapping: PlatformMapping) -> None:
        self.mapping = mapping
        self._connector = connector
        entry, numbers = mapping.entry, mapping.numbers
        own = {field.column for kind in mapping.kinds.values() for field in kind.fields.values()}
        self._entries = table(
            mapping.table,
            *(
                column(name, _TYPES.get(field, String)())
                for field, name in entry.model_dump().items()
            ),
            *(column(name) for name in sorted(own)),
            schema=mapping.db_schema,
        )
        self._numbers = table(
            numbers.table,
            column(numbers.year, Integer),
            column(numbers.county, String),
            column(numbers.last, Integer),
            schema=mapping.db_schema,
        )
        self._matters = {kind.code: kind.matter for kind in mapping.kinds.values()}

    def probe(self) -> None:
        """Ask for one value of each table: both are there and may be read."""
        with self._connector.transaction() as connection:
            connection.execute(select(self._numbers).limit(1))
            connection.execute(select(self._entries.c[self.mapping.entry.serial]).limit(1))

    def enter(self, columns: Mapping[str, object], now: datetime) -> Held:
        """Make an entry, or return the one that its external reference made before.

        Args:
            columns: the entry's values by column, with its external reference and county.
            now: the moment of entry, aware.

        Raises:
            SystemAway: nothing was entered, or it is not known whether: ask again.
            ValueNotTaken: the platform has no room for a value.
            UnreadableRecord: the entry made before cannot be read.
        """
        reference = columns[self.mapping.entry.external_reference]
        for _ in range(_ATTEMPTS):
            try:
                with self._connector.transaction() as connection:
                    held = self._with_reference(connection, reference)
                    if held is None:
                        self._insert(connection, columns, now)
                        held = self._with_reference(connection, reference)
            except WriteConflict:
                continue  # another clerk drew the number, or entered the same, at this moment
            if held is not None:
                return held
        raise SystemAway("The platform does not take the entry at present.")

    def entries_after(self, serial: int, limit: int) -> Sequence[RowMapping]:
        """Return entries after a serial, lowest first."""
        order = self._entries.c[self.mapping.entry.serial]
        after = select(self._entries).where(order > serial).order_by(order).limit(limit)
        with self._connector.transaction() as connection:
            return connection.execute(after).mappings().all()

    def read(self, row: RowMapping) -> LogEntry:
        """Return one entry as a change; one made for the gateway names its exchange.

        Raises:
            UnreadableRecord: it holds a code or time that the mapping does not know.
        """
        serial = int(row[self.mapping.entry.serial])
        try:
            held = self._held(row)
        except UnreadableRecord as fault:
            raise UnreadableRecord(f"Entry {serial} of the platform: {fault}") from None
        entered_at = held.fact.entered_at
        change = Change(held.fact.entry_no, entered_at, held.fact, held.external_reference)
        return LogEntry(serial, entered_at, change)

    def close(self) -> None:
        """Release the connector."""
        self._connector.close()

    def _with_reference(self, connection: Connection, reference: object) -> Held | None:
        own = self._entries.c[self.mapping.entry.external_reference] == reference
        row = connection.execute(select(self._entries).where(own)).mappings().first()
        return None if row is None else self._held(row)

    def _insert(self, connection: Connection, columns: Mapping[str, object], now: datetime) -> None:
        entry = self.mapping.entry
        here = self.mapping.local_time.here(now)
        number = self._next_number(connection, here.year, str(columns[entry.county]))
        row = {**columns, entry.entry_no: number, entry.entered_at: here}
        connection.execute(self._entries.insert().values(row))

    def _next_number(self, connection: Connection, year: int, county: str) -> str:
        """Draw the next number; the row stays locked until the entry is committed with it."""
        names = self.mapping.numbers
        last = self._numbers.c[names.last]
        own = (self._numbers.c[names.year] == year, self._numbers.c[names.county] == county)
        drawn = connection.execute(
            self._numbers.update().where(*own).values({names.last: last + 1})
        )
        if drawn.rowcount == 0:
            first = {names.year: year, names.county: county, names.last: 1}
            connection.execute(self._numbers.insert().values(first))
        number = connection.execute(select(last).where(*own)).scalar_one()
        return self.mapping.number_format.format(year=year, county=county, last=number)

    def _held(self, row: RowMapping) -> Held:
        names = self.mapping.entry
        matter: Matter | None = self._matters.get(_text(row, names.matter))
        if matter is None:
            raise UnreadableRecord("Its kind of matter is unknown.")
        fact = PlatformEntry(
            matter,
            _text(row, names.entry_no),
            _text(row, names.object_id),
            self.mapping.local_time.read_time(row[names.entered_at]),
        )
        return Held(fact, _text(row, names.external_reference))


def _text(row: RowMapping, name: str) -> str:
    """Return a column's text; fixed-width columns come padded, absent values as none."""
    value = row[name]
    return "" if value is None else str(value).strip()
