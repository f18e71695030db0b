"""Old backups come back at any moment, in any weather: never two actors, one in the end, by seed.

`DELIVERY_SEEDS` sets how many seeds are played (default 8) and `DELIVERY_FIRST_SEED` the first.
"""

import os
import random
from collections import Counter

import pytest

from gateway.domain.errors import Reason, Refusal
from tests.delivery.conftest import Found
from tests.delivery.officers import Officers
from tests.delivery.restoring import Restoring
from tests.delivery.weather import Weather
from tests.world.estate import SHUIFU, ZHENXIONG

FIRST = int(os.environ.get("DELIVERY_FIRST_SEED", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("DELIVERY_SEEDS", "8")))
STEPS = 160
DISASTERS = 3
VICTIMS = ("wuhua", "zhenxiong")

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


async def play(founded: Found, seed: int) -> Counter[str]:
    """Play one seed; whatever a client is refused while its bureau recovers is refused as such."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable run, no secret
    province = founded()
    restoring = Restoring(province)
    officers = Officers(province, chance, (ZHENXIONG, SHUIFU, ZHENXIONG))
    weather = Weather(province, chance)
    seen: Counter[str] = Counter()
    for name in VICTIMS:
        await restoring.back_up(name)
    disasters = set(chance.sample(range(STEPS // 4, STEPS), DISASTERS))
    for step in range(STEPS):
        luck = chance.random()
        if step in disasters:
            await restoring.restore(chance.choice(VICTIMS))
        elif luck < 0.30:
            try:
                await officers.do_something()
            except Refusal as refusal:
                seen[refusal.reason] += 1
        elif luck < 0.33:
            await restoring.back_up(chance.choice(VICTIMS))
        elif luck < 0.5:
            await restoring.step()
        else:
            await weather.blow()
        await restoring.actors()
        await restoring.check_titles()
    province.bus.away = False
    await restoring.settle()
    for _ in range(8):
        await restoring.settle()
        province.clock.advance(minutes=70)
    restoring.check_numbers()
    actors = await restoring.actors()
    assert {actors[case_id] for case_id in await restoring.held()} <= {1}, "nobody may act"
    await restoring.check_receipted()
    return seen


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_is_restored_one_may_act(founded: Found, seed: int) -> None:
    """Stores that may act on a case: never two; one, once everything has healed."""
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    seen = await play(founded, seed)
    assert set(seen) <= {Reason.RECOVERING, Reason.ILLEGAL_TRANSITION}, seen
