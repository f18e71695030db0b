"""The store: everything a node must not forget, written in short transactions."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from gateway.domain.absences import Absence
from gateway.domain.cases import DropoutCase
from gateway.domain.exchanges import AgencyExchange
from gateway.domain.letters import Letter
from gateway.domain.orders import RetrievalOrder
from gateway.domain.placements import Placement
from gateway.domain.subjects import Subject
from gateway.ports.backlog import Backlog
from gateway.ports.dead_letters import DeadLetters
from gateway.ports.event_log import EventLog
from gateway.ports.inbox import Inbox
from gateway.ports.lanes import Lanes
from gateway.ports.ledger import Bookmarks, Counters, Requests, Titles
from gateway.ports.outbox import Outbox
from gateway.ports.published_facts import PublishedFacts
from gateway.ports.recovery import RecoveredFacts, Recoveries, Returns, Starts
from gateway.ports.shelf import Shelf, Shelved
from gateway.ports.subscribers import Subscribers
from gateway.ports.vault import Vault

T = TypeVar("T")
Kept = TypeVar("Kept", bound=Shelved)


class StoreUnavailable(Exception):
    """The store did not take the transaction. Nothing of it happened, but for OutcomeUnknown."""


class OutcomeUnknown(StoreUnavailable):
    """The link broke during the commit and nobody can say how it ended. Ask again: a command
    with its request_id, mail and relay by themselves; nothing is done twice.
    """


class PartFailed(Exception):
    """A part of a transaction failed in a way that nobody foresaw; that part alone was undone."""


class Work(Protocol):
    """One transaction with all that it can reach."""

    @property
    def absences(self) -> Shelf[Absence]: ...
    @property
    def subjects(self) -> Shelf[Subject]: ...
    @property
    def cases(self) -> Shelf[DropoutCase]: ...
    @property
    def letters(self) -> Shelf[Letter]: ...
    @property
    def orders(self) -> Shelf[RetrievalOrder]: ...
    @property
    def placements(self) -> Shelf[Placement]: ...
    @property
    def exchanges(self) -> Shelf[AgencyExchange]: ...
    @property
    def events(self) -> EventLog: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def backlog(self) -> Backlog: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def lanes(self) -> Lanes: ...
    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def titles(self) -> Titles: ...
    @property
    def counters(self) -> Counters: ...
    @property
    def bookmarks(self) -> Bookmarks: ...
    @property
    def subscribers(self) -> Subscribers: ...
    @property
    def facts(self) -> PublishedFacts: ...
    @property
    def recoveries(self) -> Recoveries: ...
    @property
    def recovered_facts(self) -> RecoveredFacts: ...
    @property
    def returns(self) -> Returns: ...
    @property
    def starts(self) -> Starts: ...

    def shelf(self, kind: type[Kept]) -> Shelf[Kept]:
        """Return the shelf of one kind of aggregate."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Enter a part of the transaction that is undone alone when an exception leaves it."""
        ...

    def attempt(self) -> AbstractContextManager[None]:
        """Enter a savepoint out of which only a Refusal comes as it is.

        Whatever else the part raises leaves as PartFailed, named by its type alone, so that one
        damaged record stops nobody else. A fault of the database itself still ends the task.
        """
        ...


class Store(Protocol):
    """Runs tasks in transactions. Tasks are plain functions and must be repeatable."""

    async def write(self, task: Callable[[Work], T]) -> T:
        """Run the task and commit; waiting tasks share a transaction, each in its savepoint.

        Returns only when the commit is on disk. Raises what the task raises (its part is undone),
        StoreUnavailable when the transaction could not be committed, and OutcomeUnknown when even
        that could not be found out.
        """
        ...

    async def read(self, task: Callable[[Work], T]) -> T:
        """Run a task that changes nothing."""
        ...

    def bell(self) -> asyncio.Event:
        """Return a new event that is set after every commit; the holder clears it."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the last attempt to write succeeded."""
        ...
