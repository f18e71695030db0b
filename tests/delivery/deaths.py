"""Deaths that a test outlives: an exception where the process would have been killed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.ports import failpoints
from gateway.ports.failpoints import Failpoint
from gateway.ports.store import StoreUnavailable


class Death(StoreUnavailable):
    """The process would be gone here."""


class Deaths:
    """Has a node die in the midst of an act, at a chosen point, and begins it anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at: list[Failpoint] = []
        monkeypatch.setattr(failpoints, "_die", self._die)

    def _die(self) -> None:
        self.at.extend(failpoints._armed)
        failpoints._armed.clear()
        raise Death

    @contextmanager
    def armed(self, point: Failpoint) -> Iterator[None]:
        """Arm a point while the block runs. The block may end by Death, or go on without noticing."""
        failpoints._armed.add(point)
        try:
            yield
        finally:
            failpoints._armed.clear()
