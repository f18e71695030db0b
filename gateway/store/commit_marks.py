"""The mark of a transaction, by which its end is found out when COMMIT was not answered.

Each process on PostgreSQL has one row, into which every transaction writes its own number. If that
number stands there afterwards, so does the rest. (The server's pg_xact_status would tell as much,
but for a crash: a transaction number that never reached the disk is given out a second time.)
"""

import secrets
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, DateTime, Engine, String, Table, select, text

from gateway.store.tables import metadata

commit_marks = Table(
    "commit_marks",
    metadata,
    Column("writer", String(40), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("marked_at", DateTime(timezone=True), nullable=False),
)
"""One row for each process that wrote within the last day; by the database's clock."""

_SET: Final = text(
    "INSERT INTO commit_marks (writer, number, marked_at)"
    " VALUES (:writer, :number, clock_timestamp())"
    " ON CONFLICT (writer) DO UPDATE SET number = :number, marked_at = excluded.marked_at"
)
_FORGET: Final = text(
    "DELETE FROM commit_marks WHERE marked_at < clock_timestamp() - interval '1 day'"
)
_STANDS: Final = select(commit_marks.c.number)


class CommitMark:
    """The mark of one process; of no use to more than one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = secrets.token_hex(16)
        self._number = 0

    def set(self, connection: Connection) -> None:
        """Mark the writing transaction that this connection has begun."""
        if not self._number:
            connection.execute(_FORGET)
        self._number += 1
        connection.execute(_SET, {"writer": self._writer, "number": self._number})

    def stands(self) -> bool:
        """Whether the transaction marked last was committed.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, UnsafeStore: the database cannot be asked.
        """
        # Beginning waits for the writers' lock, which the lost transaction keeps to its end.
        with self._engine.begin() as connection:
            found = connection.execute(_STANDS.where(commit_marks.c.writer == self._writer))
            return found.scalar() == self._number
