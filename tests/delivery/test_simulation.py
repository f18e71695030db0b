"""Whole stories under every kind of bad weather, by seed, on real stores and real signatures.

`DELIVERY_SEEDS` sets how many seeds are played (default 8) and `DELIVERY_FIRST_SEED` the first.
"""

import os

import pytest

from tests.delivery.conftest import Found
from tests.delivery.playing import play

FIRST = int(os.environ.get("DELIVERY_FIRST_SEED", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("DELIVERY_SEEDS", "8")))


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_everything_arrives_once(founded: Found, seed: int) -> None:
    """At most one store may act at any time and exactly one at the end; nothing is lost or done
    twice, lanes have no holes, receipts keep their bytes.
    """
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    seen = await play(founded, seed)
    assert sum(seen.values()) > 5, f"hardly any fault happened: {seen}"
