"""The household register's tables, read by SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, TableClause, column, select, table

from adapters.connectors.faults import UnreadableRecord
from adapters.connectors.settings import SystemMapping
from adapters.connectors.sql import SqlConnector
from adapters.public_security.register_mapping import RegisterMapping, Standing


@dataclass(frozen=True, repr=False)
class Registration:
    """One row: a registration that a person has or had."""

    name: str
    former_name: str
    birth_date: date | None
    county: str
    township: str
    since: date | None
    standing: Standing
    ended: date | None
    destination: str


class HouseholdRegister:
    """Reads a register through its mapping; every method may raise SystemAway."""

    def __init__(self, connector: SqlConnector, mapping: RegisterMapping) -> None:
        self.mapping = mapping
        self._connector = connector
        self._person = _table(mapping.person, mapping.db_schema)
        self._log = _table(mapping.log, mapping.db_schema)

    def probe(self) -> None:
        """Ask for one value of each table: both are there and may be read."""
        serial = self._log.c[self.mapping.log.serial]
        self._rows(select(serial).limit(1), select(self._column("standing")).limit(1))

    def with_number(self, number: str) -> list[Registration]:
        """Return every registration under an identity number.

        Raises:
            UnreadableRecord: one of them holds a code or date that the mapping does not know.
        """
        found = select(self._person).where(self._column("id_number") == number)
        return [self._registration(row) for row in self._rows(found)]

    def names_born_on(self, day: date) -> list[tuple[str, str]]:
        """Return name and former name of everyone born that day, and nothing else of them."""
        names = select(self._column("name"), self._column("former_name")).where(
            self._column("birth_date") == self.mapping.local_time.write_date(day)
        )
        columns = self.mapping.person
        return [
            (_text(row, columns.name), _text(row, columns.former_name)) for row in self._rows(names)
        ]

    def log_after(self, serial: int, limit: int) -> Sequence[RowMapping]:
        """Return rows of the change log after a serial, lowest first."""
        order = self._log.c[self.mapping.log.serial]
        return self._rows(select(self._log).where(order > serial).order_by(order).limit(limit))

    def close(self) -> None:
        """Release the connector."""
        self._connector.close()

    def _column(self, field: str) -> ColumnElement[Any]:
        found: ColumnElement[Any] = self._person.c[getattr(self.mapping.person, field)]
        return found

    def _rows(self, *queries: Select[Any]) -> Sequence[RowMapping]:
        """Run queries in one transaction and return the rows of the last."""
        rows: Sequence[RowMapping] = ()
        with self._connector.transaction() as connection:
            for query in queries:
                rows = connection.execute(query).mappings().all()
        return rows

    def _registration(self, row: RowMapping) -> Registration:
        columns, times = self.mapping.person, self.mapping.local_time
        standing = self.mapping.standings.get(_text(row, columns.standing))
        if standing is None:
            raise UnreadableRecord("The household register holds an unknown cancellation mark.")
        return Registration(
            name=_text(row, columns.name),
            former_name=_text(row, columns.former_name),
            birth_date=times.read_date(row[columns.birth_date]),
            county=_text(row, columns.county),
            township=_text(row, columns.township),
            since=times.read_date(row[columns.since]),
            standing=standing,
            ended=times.read_date(row[columns.ended]),
            destination=_text(row, columns.destination),
        )


def _text(row: RowMapping, name: str) -> str:
    """Return a column's text; fixed-width columns come padded, absent values as none."""
    value = row[name]
    return "" if value is None else str(value).strip()


def _table(columns: SystemMapping, schema: str | None) -> TableClause:
    names = columns.model_dump()
    return table(names.pop("table"), *(column(name) for name in names.values()), schema=schema)
