"""State machines as tables: (state, trigger) -> state, complete and closed.

A machine lists every transition that exists; whatever is not listed is illegal. There is no code
path that moves a state without the table.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from gateway.domain.errors import Reason, Refusal

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


class Machine(Generic[S, T]):
    """A named transition table (D.3)."""

    def __init__(self, name: str, table: Mapping[tuple[S, T], S]) -> None:
        self.name = name
        self.table = dict(table)

    def next(self, state: S, trigger: T) -> S:
        """Return the state that `trigger` leads to from `state`.

        Raises Refusal(ILLEGAL_TRANSITION) when the table has no such transition; its metadata names
        the present state and the triggers that it allows.
        """
        try:
            return self.table[state, trigger]
        except KeyError:
            allowed = sorted(t for s, t in self.table if s == state)
            raise Refusal(
                Reason.ILLEGAL_TRANSITION,
                f"A {self.name} in state {state} does not take {trigger}.",
                f"What it takes now: {', '.join(allowed) or 'nothing, this state is final'}.",
                state=state,
                trigger=trigger,
                allowed=",".join(allowed),
            ) from None

    def allows(self, state: S, trigger: T) -> bool:
        """Say whether the table has the transition."""
        return (state, trigger) in self.table
