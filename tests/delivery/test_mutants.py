"""The simulation is no decoration: a gateway with a fault put into it is found out.

`make faults` plays many seeds against each fault, `MUTANT_SEEDS`, and reports in how many it shows.
"""

import asyncio
import json
import os

import pytest

from gateway.domain.errors import Refusal
from tests.delivery.conftest import Found
from tests.delivery.deaths import Deaths
from tests.delivery.mutants import HARMLESS, MUTANTS, Mutant
from tests.delivery.storm import play
from tests.faults.reporting import add_line

_REST_SECONDS = 60
MANY = int(os.environ.get("MUTANT_SEEDS", "24"))
FEW = 24


async def found_out(founded: Found, deaths: Deaths, seed: int) -> bool:
    """Whether an invariant breaks in the story of this seed, or the story never comes to rest."""
    try:
        async with asyncio.timeout(_REST_SECONDS):
            await play(founded, deaths, seed)
    except (AssertionError, Refusal):  # an officer is refused who acts on what was answered
        return True
    except TimeoutError:  # a good gateway's story takes seconds
        return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_a_gateway_with_this_fault_is_found_out(
    founded: Found, monkeypatch: pytest.MonkeyPatch, deaths: Deaths, mutant: Mutant
) -> None:
    """The invariants mean something: each of these faults breaks one within a few seeds."""
    mutant.put_in(monkeypatch)
    for seed in range(1, FEW + 1):
        if await found_out(founded, deaths, seed):
            return
    pytest.fail(f"{mutant.name} was not noticed")


async def test_nothing_rests_on_the_brokers_memory(
    founded: Found, monkeypatch: pytest.MonkeyPatch, deaths: Deaths
) -> None:
    """A receiver that acknowledges to the broker too early loses nothing: the sender sends again."""
    HARMLESS.put_in(monkeypatch)
    assert (await play(founded, deaths, 1)).seen["died at STORE_BEFORE_COMMIT"]


@pytest.mark.faults
@pytest.mark.timeout(60 * MANY)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_in_how_many_seeds_it_shows(
    founded: Found, monkeypatch: pytest.MonkeyPatch, deaths: Deaths, mutant: Mutant
) -> None:
    """Each fault shows in some of many seeds; the table says in how many."""
    mutant.put_in(monkeypatch)
    seeds = [seed for seed in range(1, MANY + 1) if await found_out(founded, deaths, seed)]
    line = {"mutant": mutant.name, "breaks": mutant.breaks, "found": seeds, "of": MANY}
    add_line(json.dumps(line))
    assert seeds or MANY < FEW, f"{mutant.name} was not noticed in {MANY} seeds"
