"""A shelf keeps one kind of aggregate, by organisation: state is never shared between two."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from gateway.domain.organisations import OrgId


class Shelved(Protocol):
    """What can stand on a shelf: it has an identifier, a version and a time of last change."""

    @property
    def id(self) -> str:
        """Identifier within the organisation."""
        ...

    @property
    def version(self) -> int:
        """Version from 1, raised by one with every change."""
        ...

    @property
    def changed_at(self) -> datetime:
        """Time of the last change, aware UTC."""
        ...


T = TypeVar("T", bound=Shelved)


class Shelf(Protocol[T]):
    """Aggregates of one kind."""

    def get(self, org: OrgId, key: str) -> T | None:
        """Return the organisation's value with that identifier, or None."""
        ...

    def require(self, org: OrgId, key: str) -> T:
        """Return it, or raise Refusal(NOT_FOUND): what belongs to others does not exist here."""
        ...

    def put(self, org: OrgId, value: T) -> None:
        """Insert version 1, or replace the version just before.

        Raises Refusal(STALE_VERSION) when another writer was faster.
        """
        ...

    def page(
        self,
        org: OrgId,
        *,
        after: str = "",
        limit: int = 50,
        states: Sequence[str] = (),
        case_id: str = "",
        subject_id: str = "",
    ) -> Sequence[T]:
        """Return values newest first (by identifier, which rises with time), below `after`."""
        ...
