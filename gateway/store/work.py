"""The unit of work: one connection in one transaction, and every repository on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from gateway.domain.absences import Absence
from gateway.domain.cases import DropoutCase
from gateway.domain.errors import Refusal
from gateway.domain.exchanges import AgencyExchange
from gateway.domain.letters import Letter
from gateway.domain.orders import RetrievalOrder
from gateway.domain.placements import Placement
from gateway.domain.subjects import Subject
from gateway.ports.shelf import Shelved
from gateway.ports.store import PartFailed
from gateway.store.backlog import SqlBacklog
from gateway.store.dead_letters import SqlDeadLetters
from gateway.store.event_log import SqlEventLog
from gateway.store.inbox import SqlInbox
from gateway.store.lanes import SqlLanes
from gateway.store.ledger import SqlBookmarks, SqlCounters, SqlRequests, SqlTitles
from gateway.store.outbox import SqlOutbox
from gateway.store.published_facts import SqlPublishedFacts
from gateway.store.recovered_facts import SqlRecoveredFacts
from gateway.store.recovery import SqlRecoveries
from gateway.store.returns import SqlReturns, SqlStarts
from gateway.store.shelf_tables import SHELVES
from gateway.store.shelves import SqlShelf
from gateway.store.statements import Cursor
from gateway.store.subscribers import SqlSubscribers
from gateway.store.vault import SqlVault

T = TypeVar("T", bound=Shelved)

BY_THE_TASK = (IntegrityError, DataError, ProgrammingError)
"""What the database says to one statement; any other word of it is about the whole transaction."""


def is_about_all(fault: Exception) -> bool:
    """Whether the database has said that nothing of the transaction may be kept."""
    return isinstance(fault, DBAPIError) and not isinstance(fault, BY_THE_TASK)


class SavepointNeeded(BaseException):
    """A part failed that had no savepoint: nothing of the transaction may be kept.

    Not an Exception, so that no task can take it for a failure of its own.
    """


class SqlWork:
    """Implements gateway.ports.store.Work.

    With `savepoints` off a part that fails ends the whole transaction by SavepointNeeded. Parts
    seldom fail, and SQLite copies every page that it changes under a savepoint.
    """

    def __init__(
        self, connection: Connection, vault_key: bytes, *, savepoints: bool = True
    ) -> None:
        self._connection = connection
        self._savepoints = savepoints
        self._cursor = cursor = Cursor(connection)
        self.absences = self.shelf(Absence)
        self.subjects = self.shelf(Subject)
        self.cases = self.shelf(DropoutCase)
        self.letters = self.shelf(Letter)
        self.orders = self.shelf(RetrievalOrder)
        self.placements = self.shelf(Placement)
        self.exchanges = self.shelf(AgencyExchange)
        self.counters = SqlCounters(cursor)
        self.events = SqlEventLog(connection, cursor, self.counters)
        self.outbox = SqlOutbox(connection, cursor)
        self.inbox = SqlInbox(connection, cursor)
        self.lanes = SqlLanes(connection)
        self.dead_letters = SqlDeadLetters(connection)
        self.backlog = SqlBacklog(connection)
        self.vault = SqlVault(cursor, vault_key)
        self.requests = SqlRequests(cursor)
        self.titles = SqlTitles(cursor)
        self.bookmarks = SqlBookmarks(cursor)
        self.subscribers = SqlSubscribers(connection)
        self.facts = SqlPublishedFacts(connection)
        self.recoveries = SqlRecoveries(connection, cursor)
        self.recovered_facts = SqlRecoveredFacts(connection)
        self.returns = SqlReturns(connection)
        self.starts = SqlStarts(connection)

    def shelf(self, kind: type[T]) -> SqlShelf[T]:
        """See Work.shelf."""
        return SqlShelf(self._cursor, SHELVES[kind], kind)

    @property
    def lost(self) -> bool:
        """Whether the link has broken, whatever the task makes of it: nothing of it is kept."""
        return self._connection.invalidated

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See Work.savepoint."""
        if not self._savepoints:
            try:
                yield
            except Exception as fault:
                if self.lost:
                    raise
                raise SavepointNeeded from fault
            return
        self._cursor.command("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not self.lost:  # else nothing is left to undo
                self._cursor.command("ROLLBACK TO SAVEPOINT part")
                self._cursor.command("RELEASE SAVEPOINT part")
            raise
        self._cursor.command("RELEASE SAVEPOINT part")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """See Work.attempt."""
        try:
            with self.savepoint():
                yield
        except Refusal:
            raise
        except Exception as fault:
            if self.lost or is_about_all(fault):
                raise
            # Whatever it is: its part alone is undone.
            raise PartFailed(type(fault).__name__) from fault
