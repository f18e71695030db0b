"""The unit of work: one connection in one transaction, and every repository on it."""

from collections.abc import Iterator
from contextlib import contextmanager

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
from gateway.ports.store import PartFailed
from gateway.store import tables
from gateway.store.event_log import SqlEventLog
from gateway.store.inbox import SqlInbox
from gateway.store.ledger import SqlBookmarks, SqlCounters, SqlRequests, SqlTitles
from gateway.store.outbox import SqlOutbox
from gateway.store.shelves import SqlShelf
from gateway.store.vault import SqlVault

BY_THE_TASK = (IntegrityError, DataError, ProgrammingError)
"""What the database says to one statement; any other word of it is about the whole transaction."""


class SqlWork:
    """Implements gateway.ports.store.Work."""

    def __init__(self, connection: Connection, vault_key: bytes) -> None:
        self._connection = connection
        self.absences = SqlShelf(connection, tables.absences, Absence)
        self.subjects = SqlShelf(connection, tables.subjects, Subject)
        self.cases = SqlShelf(connection, tables.cases, DropoutCase)
        self.letters = SqlShelf(connection, tables.letters, Letter)
        self.orders = SqlShelf(connection, tables.orders, RetrievalOrder)
        self.placements = SqlShelf(connection, tables.placements, Placement)
        self.exchanges = SqlShelf(connection, tables.exchanges, AgencyExchange)
        self.counters = SqlCounters(connection)
        self.events = SqlEventLog(connection, self.counters)
        self.outbox = SqlOutbox(connection)
        self.inbox = SqlInbox(connection)
        self.vault = SqlVault(connection, vault_key)
        self.requests = SqlRequests(connection)
        self.titles = SqlTitles(connection)
        self.bookmarks = SqlBookmarks(connection)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See Work.savepoint."""
        with self._connection.begin_nested():
            yield

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """See Work.attempt."""
        try:
            with self.savepoint():
                yield
        except Refusal:
            raise
        except BY_THE_TASK as fault:
            raise PartFailed(type(fault).__name__) from fault
        except DBAPIError:
            raise
        except Exception as fault:
            # Whatever it is: its part alone is undone.
            raise PartFailed(type(fault).__name__) from fault
