"""Small records of a store: requests already answered, titles, numbers, bookmarks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.domain.organisations import OrgId


class Requests(Protocol):
    """Answers given, so that the same request_id gives the same answer."""

    def answer(self, org: OrgId, request_id: str) -> tuple[bytes, bytes] | None:
        """Return (digest of the request, response bytes), or None."""
        ...

    def remember(
        self, org: OrgId, request_id: str, digest: bytes, response: bytes, at: datetime
    ) -> None:
        """Store the answer."""
        ...


class Titles(Protocol):
    """Signed titles by case, as serialised SignedEnvelopes."""

    def chain(self, org: OrgId, case_id: str) -> Sequence[bytes]:
        """Return the titles known to the organisation, oldest first."""
        ...

    def add(
        self, org: OrgId, case_id: str, term: int, number: int, digest: str, envelope: bytes
    ) -> None:
        """Store a title; there is at most one for each epoch."""
        ...


class Counters(Protocol):
    """Running numbers."""

    def next(self, org: OrgId, name: str) -> int:
        """Return the next number of that name, from 1."""
        ...

    def pass_over(self, org: OrgId, name: str, used: int) -> None:
        """Let no later number be `used` or below it."""
        ...


class Bookmarks(Protocol):
    """Where somebody has got to: an adapter's cursor, a subscriber's position."""

    def get(self, org: OrgId, name: str) -> str:
        """Return the bookmark, empty when there is none."""
        ...

    def set(self, org: OrgId, name: str, value: str) -> None:
        """Store the bookmark."""
        ...
