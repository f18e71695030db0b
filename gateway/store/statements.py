"""Statements prepared once: written in SQLAlchemy Core, compiled at first use, run by the driver.

A letter takes dozens of small statements. SQLAlchemy spends 90 microseconds on each that is built
anew, SQLite three on carrying it out; so what runs for every letter is prepared, and only what
depends on the caller's conditions is still built when it is asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table, bindparam, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement, ColumnElement
from sqlalchemy.types import TypeEngine

from gateway.store.disk_faults import heed

_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Prepared:
    """The text of one statement for one dialect, and how values go in and come out."""

    text: str
    positional: bool
    names: tuple[str, ...]
    binds: Mapping[str, _Convert]
    fixed: Mapping[str, Any]
    results: tuple[_Convert | None, ...] | None

    def parameters(self, values: dict[str, Any]) -> Any:
        """Return the driver's parameters."""
        values = {**self.fixed, **values}
        for name, convert in self.binds.items():
            values[name] = convert(values[name])
        return [values[name] for name in self.names] if self.positional else values

    def row(self, found: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return a row of the driver as values of ours."""
        if self.results is None:
            return found
        return tuple(
            value if convert is None else convert(value)
            for value, convert in zip(found, self.results, strict=True)
        )


class Statement:
    """One statement; what changes from run to run is a `bindparam` in it."""

    def __init__(self, element: Executable) -> None:
        self._element = element
        self._prepared: dict[str, _Prepared] = {}

    def prepared(self, dialect: Dialect) -> _Prepared:
        """Return the form for a dialect, compiling it the first time."""
        known = self._prepared.get(dialect.name)
        if known is None:
            known = self._prepared[dialect.name] = _prepare(self._element, dialect)
        return known


def insertion(table: Table, *left_out: str) -> Statement:
    """Return the statement that inserts a row with all columns but those left to their default."""
    names = [column.name for column in table.columns if column.name not in left_out]
    return Statement(insert(table).values({name: bindparam(name) for name in names}).inline())


def given(*columns: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that each column equals the value given under its name."""
    return tuple(column == bindparam(str(column.key)) for column in columns)


def placing(table: Table) -> Statement:
    """Return the statement that inserts a row, or replaces the one under the same key.

    In words of its own: SQLAlchemy has this for each database apart, and both spell it the same.
    """
    key = ", ".join(column.name for column in table.primary_key)
    names = [column.name for column in table.columns]
    changes = (f"{n} = excluded.{n}" for n in names if n not in table.primary_key.columns)
    placed = text(
        f"INSERT INTO {table.name} ({', '.join(names)}) "  # noqa: S608 - names of our tables
        f"VALUES ({', '.join(f':{name}' for name in names)}) "
        f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)}"
    )
    return Statement(placed.bindparams(*(bindparam(c.name, type_=c.type) for c in table.columns)))


def _prepare(element: Executable, dialect: Dialect) -> _Prepared:
    assert isinstance(element, ClauseElement)
    compiled: Any = element.compile(dialect=dialect)
    positions = getattr(compiled, "positiontup", None)
    names = tuple(positions if positions is not None else compiled.binds)
    into = {name: _into(compiled.binds[name].type, dialect) for name in dict.fromkeys(names)}
    results = tuple(
        _out_of(column.type, dialect) for column in getattr(element, "selected_columns", ())
    )
    return _Prepared(
        text=str(compiled),
        positional=positions is not None,
        names=names,
        binds={name: convert for name, convert in into.items() if convert is not None},
        fixed={n: bind.value for n, bind in compiled.binds.items() if not bind.required},
        results=results if any(results) else None,
    )


def _into(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    # Both drivers take and give bytes as they are.
    return (
        None
        if isinstance(kind, LargeBinary)
        else kind.dialect_impl(dialect).bind_processor(dialect)
    )


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(kind, LargeBinary):
        return None
    return kind.dialect_impl(dialect).result_processor(dialect, None)


class Cursor:
    """The driver's cursor of one connection inside its transaction.

    Every method raises sqlalchemy.exc.DBAPIError, as SQLAlchemy's own execution would.
    """

    def __init__(self, connection: Connection) -> None:
        if not connection.in_transaction():
            connection.begin()
        self._connection = connection
        self._dialect = connection.dialect
        self._cursor: Any = connection.connection.cursor()

    def row(self, statement: Statement, **values: Any) -> tuple[Any, ...] | None:
        """Return the first row found, or None."""
        prepared = statement.prepared(self._dialect)
        self._run(self._cursor.execute, prepared.text, prepared.parameters(values))
        found = self._run(self._cursor.fetchone)
        return None if found is None else prepared.row(found)

    def rows(self, statement: Statement, **values: Any) -> list[tuple[Any, ...]]:
        """Return every row found."""
        prepared = statement.prepared(self._dialect)
        self._run(self._cursor.execute, prepared.text, prepared.parameters(values))
        return [prepared.row(found) for found in self._run(self._cursor.fetchall)]

    def change(self, statement: Statement, **values: Any) -> int:
        """Change something and return how many rows it met."""
        prepared = statement.prepared(self._dialect)
        self._run(self._cursor.execute, prepared.text, prepared.parameters(values))
        return int(self._cursor.rowcount)

    def change_each(self, statement: Statement, rows: Iterable[dict[str, Any]]) -> None:
        """Change something for each of the rows; nothing for none."""
        prepared = statement.prepared(self._dialect)
        parameters = [prepared.parameters(row) for row in rows]
        if parameters:
            self._run(self._cursor.executemany, prepared.text, parameters)

    def command(self, text: str) -> None:
        """Carry out a command without values."""
        self._run(self._cursor.execute, text, ())

    def _run(self, call: Callable[..., Any], *given: Any) -> Any:
        driver = self._dialect.loaded_dbapi
        try:
            return call(*given)
        except driver.Error as fault:
            heed(fault)
            lost = self._connection.invalidated or self._dialect.is_disconnect(
                fault, self._connection.connection, self._cursor
            )
            if lost:
                self._connection.invalidate(fault)
            raise DBAPIError.instance(
                given[0] if given else None,
                None,
                fault,
                driver.Error,
                hide_parameters=True,
                connection_invalidated=lost,
                dialect=self._dialect,
            ) from fault
