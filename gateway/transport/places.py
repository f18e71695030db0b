"""How much may be under way at once; what is beyond is refused at once, with advice."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from gateway.domain.errors import Reason, Refusal


class Places:
    """A bounded number of places for each key."""

    def __init__(self, most: int, what: str, advice: str) -> None:
        """Take the bound, the name of what is bounded, and what to do when all places are taken."""
        self._most = most
        self._what = what
        self._advice = advice
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def taken(self, key: Hashable) -> Iterator[None]:
        """Hold a place while inside. Raises Refusal(TOO_MANY)."""
        if self._taken[key] >= self._most:
            raise Refusal(
                Reason.TOO_MANY,
                f"There are {self._most} {self._what} already.",
                self._advice,
                most=str(self._most),
            )
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
