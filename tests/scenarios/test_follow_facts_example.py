"""The example in docs/examples follows facts over NATS, and misses none."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import IO

import pytest

from gateway.domain.facts import FactKind
from gateway.v1 import event_pb2, fact_pb2
from tests.stores import Stores
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.followers import SEED, SUPERVISED, Follower
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

EXAMPLE = Path(__file__).parents[2] / "docs/examples/follow_facts.py"
GRANTED = FactKind.TITLE_GRANTED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[RunningProvince]:
    """Two counties and public security at work, and a broker that will drop facts."""
    province = RunningProvince(tmp_path_factory.mktemp("province"), SUPERVISED, stores)
    try:
        province.start()
        yield province
    finally:
        province.close()


def lines_of(output: IO[str]) -> Queue[str]:
    """Read lines as they come, on a thread of their own."""
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in output:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def test_example_sees_a_gap_and_heals_it(world: RunningProvince) -> None:
    """The example takes facts as they come; when the broker has dropped some it reads them from
    their source, and it has every one, once and in order.
    """
    follower = Follower(world)
    follower.granted("53", GRANTED)
    Story(world).handed_over(ZHENXIONG)
    eventually(lambda: follower.replayed(WUHUA, GRANTED), "the first fact")
    follower.keeping_one_fact()
    for story in (Story(world), Story(world)):
        story.handed_over(ZHENXIONG)
    whole = eventually(
        lambda: found if len(found := follower.replayed(WUHUA, GRANTED)) >= 3 else None,
        "three facts",
    )
    clients = world.directory / "clients"
    (clients / "53_sup.nkey").write_text(SEED)
    address = world.nodes["wuhua"].address
    (clients / "530102_edu.toml").write_text(f'target = "{address}"\n')
    arguments = [str(world.directory), "53/sup", "53", "TITLE_GRANTED"]
    process = subprocess.Popen(
        [sys.executable, EXAMPLE, *arguments, world.broker.url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = lines_of(process.stdout)
        count = len(whole)
        expected = [f"530102/edu: 1 to {count - 1} are missing"]
        for number, notice in enumerate(whole, start=1):
            event = fact_pb2.FactNotice.FromString(notice.payload).event
            event_id = event_pb2.Event.FromString(event.payload).event_id
            expected.append(f"530102/edu: {number} is {event_id}")
        assert [lines.get(timeout=60).strip() for _ in expected] == expected
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
