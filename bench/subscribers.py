"""Event deliveries: the gateway's subscriptions beside FastStream's durable consumers.

The subscribers are all of one organisation, so that they read one log; a node lets an organisation
read with 32 at once, and the clients wait for a place. FastStream's read all at once.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from bench import gateway_runs, province
from bench.figures import Estimate
from bench.floor_runs import plain_broker
from bench.orders import Worker
from bench.province import OTHER_NODE, RECEIVER, SENDER
from bench.report import Line

_MANY = 100
_OF_MANY = 300  # events that each of many subscribers reads


def lines(directory: Path, count: int, runs: int) -> Iterator[Line]:
    """Measure one subscriber and many, of gateway and FastStream in alternation."""
    with (
        province.running(directory / "gateway") as running,
        gateway_runs.caller(running, SENDER) as sender,
        gateway_runs.caller(running, RECEIVER) as reader,
        plain_broker(directory / "other") as url,
    ):
        gateway_runs.letters(running, sender, count)
        end = running.count(OTHER_NODE, "SELECT max(position) FROM events")
        with Worker("bench.faststream_consumer", url) as other:
            for subscribers, after in ((1, 0), (_MANY, max(0, end - _OF_MANY))):
                mine: list[float] = []
                theirs: list[float] = []
                for _ in range(runs):
                    began = time.monotonic()
                    got = reader.carry_out("subscribe", subscribers=subscribers, after=after)
                    mine.append(sum(got) / (time.monotonic() - began))
                    theirs.append(
                        other.carry_out("deliver", subscribers=subscribers, count=end - after)
                    )
                ratio = Estimate.of(a / b for a, b in zip(mine, theirs, strict=True))
                yield Line(
                    f"event deliveries a second to {subscribers} subscriber(s)",
                    f"{Estimate.of(mine):.0f}",
                    ">= FastStream's",
                    ratio.median >= 1,
                    f"FastStream {Estimate.of(theirs):.0f}; {ratio}x",
                )
