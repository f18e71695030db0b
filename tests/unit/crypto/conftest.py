"""A bench for each test of this room."""

from pathlib import Path

import pytest

from tests.unit.crypto.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench with nothing made yet."""
    return Bench(tmp_path)
