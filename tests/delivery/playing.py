"""One run of officers and weather in a province, repeatable by its seed."""

import random
from collections import Counter

from tests.delivery.audit import Audit
from tests.delivery.conftest import Found
from tests.delivery.officers import Officers
from tests.delivery.weather import Weather
from tests.world.estate import SHUIFU, ZHENXIONG

STEPS = 220
ACTS = 0.25


async def play(founded: Found, seed: int) -> Counter[str]:
    """Play one seed and return what was seen; every invariant is checked after every step."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable run, no secret
    province = founded()
    officers = Officers(province, chance, (ZHENXIONG, SHUIFU, ZHENXIONG))
    weather, audit = Weather(province, chance), Audit(province)
    for _ in range(STEPS):
        if chance.random() < ACTS:
            await officers.do_something()
            await audit.check()
        elif await weather.blow():
            await audit.check()
    await weather.calm()
    await audit.check_tails()
    await weather.heal()
    await audit.check_healed()
    await audit.check_letters(officers.dispatched)
    return weather.seen
