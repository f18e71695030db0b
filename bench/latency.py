"""How long a letter takes to its committed receipt when letters come at a fixed rate."""

import sqlite3
import time
from contextlib import closing

from bench.orders import Worker
from bench.province import COUNTY_NODE, RECEIVER, SENDER, Province, TookTooLong

_LOOK_SECONDS = 0.002  # what a measured time may be too long by
_PATIENCE_SECONDS = 60.0


def latencies(province: Province, client: Worker, rate: float, seconds: float) -> list[float]:
    """Dispatch letters at a rate, whether or not earlier ones are done.

    Returns the milliseconds from each call to the moment its receipt was seen in the store.
    """
    seeder = province.seeder(COUNTY_NODE)
    letters = seeder.signed_letters(SENDER, RECEIVER, int(rate * seconds))
    seeder.close()
    client.order("dispatch", letters=letters, in_flight=0, rate=rate)
    receipted = _watch(province, set(letters), seconds + _PATIENCE_SECONDS)
    sent = dict(zip(letters, client.answer(), strict=True))
    return [(receipted[letter] - sent[letter]) * 1000 for letter in letters]


def _watch(province: Province, waiting: set[str], patience: float) -> dict[str, float]:
    """Look again and again which letters are delivered; return when each was first seen so."""
    seen: dict[str, float] = {}
    after = min(waiting)
    deadline = time.monotonic() + patience
    query = "SELECT id FROM letters WHERE org = ? AND state = 'DELIVERED' AND id >= ?"
    with closing(sqlite3.connect(f"file:{province.store(COUNTY_NODE)}?mode=ro", uri=True)) as store:
        while waiting:
            now = time.monotonic()
            if now > deadline:
                raise TookTooLong("the receipts of all letters")
            for (letter,) in store.execute(query, (str(SENDER), after)):
                if letter in waiting:
                    waiting.discard(letter)
                    seen[letter] = now
            after = min(waiting, default=after)
            time.sleep(_LOOK_SECONDS)
    return seen
