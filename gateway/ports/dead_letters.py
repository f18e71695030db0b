"""The list of what did not take effect, one for each organisation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.domain.dead_letters import DeadLetter, DeadLetterKind, DeadLetterState
from gateway.domain.organisations import OrgId


class DeadLetters(Protocol):
    """Dead letters. One that was settled stays on record; only the open ones are the list."""

    def add(self, org: OrgId, letter: DeadLetter) -> bool:
        """Put it on the list; return whether it is new there.

        One that was healed or re-driven comes back to the list when it dies again, one that was
        discarded does not, unless it is the unproved claim of a peer.
        """
        ...

    def find(self, org: OrgId, kind: DeadLetterKind, subject: str) -> DeadLetter | None:
        """Return the dead letter of that kind and subject, or None."""
        ...

    def get(self, org: OrgId, letter_id: str) -> DeadLetter | None:
        """Return a dead letter, or None."""
        ...

    def put(self, org: OrgId, letter: DeadLetter) -> None:
        """Store how a dead letter stands now."""
        ...

    def heal(self, org: OrgId, kind: DeadLetterKind, subject: str, at: datetime) -> None:
        """Take it off the list, if it is there: it took effect after all."""
        ...

    def page(
        self,
        org: OrgId,
        *,
        after: str = "",
        limit: int = 200,
        kind: DeadLetterKind | None = None,
        state: DeadLetterState = DeadLetterState.OPEN,
    ) -> Sequence[DeadLetter]:
        """Return dead letters, oldest first, that follow the one named; without their bytes."""
        ...
