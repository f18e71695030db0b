"""The simulation at its worst, by seed: what it reaches, and that a seed repeats itself.

`make faults` plays many seeds: `STORM_SEEDS` says how many, `STORM_FIRST_SEED` which is the first.
"""

import json
import os
from collections import Counter

import pytest

from tests.delivery.conftest import Found
from tests.delivery.coverage import EXPECTED
from tests.delivery.deaths import Deaths
from tests.delivery.storm import play
from tests.faults.reporting import add_line

FIRST = int(os.environ.get("STORM_FIRST_SEED", "1"))
SEEDS = int(os.environ.get("STORM_SEEDS", "200"))
ENOUGH = 100
"""So many seeds reach everything; fewer may miss what is rare."""


@pytest.mark.parametrize("seed", range(1, 5))
async def test_whoever_dies_everything_arrives_once(
    founded: Found, deaths: Deaths, seed: int
) -> None:
    """Nodes die at every failpoint, the broker comes back as of an earlier day; nothing is lost."""
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    assert (await play(founded, deaths, seed)).seen


async def test_a_seed_repeats_itself(founded: Found, deaths: Deaths) -> None:
    """The same seed plays the same story: what travelled, and what was seen of it."""
    first, second = [await play(founded, deaths, 3) for _ in range(2)]
    assert first == second


@pytest.mark.faults
@pytest.mark.timeout(60 * SEEDS)
async def test_many_seeds_reach_everything(founded: Found, deaths: Deaths) -> None:
    """Every invariant holds for each seed, and together they reach what there is to reach."""
    seen: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + SEEDS):
        print(f"seed {seed}")  # noqa: T201 - the last one shown has failed
        seen += (await play(founded, deaths, seed)).seen
    add_line(json.dumps({"simulation": seen, "first": FIRST, "seeds": SEEDS}))
    missed = [name for name in EXPECTED if not seen[name] and SEEDS >= ENOUGH]
    assert not missed, f"{SEEDS} seeds never reached {missed}"
