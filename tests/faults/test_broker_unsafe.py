"""Row N7: a node does not start on a broker that would lose mail, and stops on one that turns so."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from gateway.bootstrap.faults import NodeFault
from gateway.bus import server
from gateway.bus.permissions import BrokerSettings, BrokerUser, broker_config
from gateway.crypto.development import Estate
from gateway.ports.condition import Code
from tests.faults.reporting import FaultReport
from tests.world.estate import ESTATE, SHUIFU, WUHUA
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

pytestmark = pytest.mark.fault("N7")
SHUIFU_NODE = "shuifu"
_NAMES = {"wuhua", SHUIFU_NODE, "police"}


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvince]:
    """Two counties and public security over a real broker."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = RunningProvince(tmp_path_factory.mktemp("province"), estate)
    try:
        province.start()
        yield province
    finally:
        province.close()


def lazy(config: dict[str, Any]) -> None:
    """Acknowledge up to two minutes before the disk has it."""
    config["jetstream"]["sync_interval"] = "2m"


def silent(config: dict[str, Any]) -> None:
    """Say nothing of how mail is kept."""
    del config["accounts"]["GATEWAY"]["imports"]


@pytest.fixture
def restart(
    world: RunningProvince, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[dict[str, Any]], None] | None], None]:
    """Starts the broker anew with another configuration, or as it should be."""

    def again(change: Callable[[dict[str, Any]], None] | None) -> None:
        def changed(settings: BrokerSettings, users: Sequence[BrokerUser]) -> str:
            config = json.loads(broker_config(settings, users))
            if change is not None:
                change(config)
            return json.dumps(config)

        world.broker.stop()
        monkeypatch.setattr(server, "broker_config", changed)
        world.broker.start()

    return again


@pytest.mark.parametrize(
    ("change", "code"), [(lazy, Code.BROKER_LAZY_SYNC), (silent, Code.BROKER_SILENT)]
)
def test_a_node_does_not_start_on_an_unsafe_broker(
    world: RunningProvince,
    restart: Callable[[Callable[[dict[str, Any]], None] | None], None],
    fault_report: FaultReport,
    change: Callable[[dict[str, Any]], None],
    code: Code,
) -> None:
    """It ends at once, says why by a code, and what to do; mended, it starts."""
    node = world.nodes[SHUIFU_NODE]
    world.run(node.stop())
    restart(change)
    with pytest.raises(NodeFault, match=f"^{code}: .+ .+") as refused:
        world.run(node.start())
    fault_report.inject(f"start on a broker that is unsafe ({code})")
    assert len(str(refused.value).split(". ")) > 1
    restart(None)
    world.run(node.start())
    eventually(lambda: world.serving(SHUIFU_NODE), "serving again")


def test_a_broker_that_turns_unsafe_is_sent_nothing(
    world: RunningProvince,
    restart: Callable[[Callable[[dict[str, Any]], None] | None], None],
    fault_report: FaultReport,
) -> None:
    """Running nodes are NOT_SERVING; a letter waits in its sender's store and then arrives once."""
    story = Story(world)
    story.due(SHUIFU.division)
    restart(lazy)
    fault_report.inject("restart of the broker with a lazy disk")
    for name in world.nodes:
        eventually(lambda name=name: not world.serving(name), f"{name} not serving")  # type: ignore[misc]
    world.run(world.observer.caught_up())
    before = len(world.observer.seen)
    letter = story.dispatched(SHUIFU)
    world.run(world.observer.caught_up())
    assert len(world.observer.seen) == before
    with fault_report.healing():
        restart(None)
        assert story.letter(SHUIFU, "DELIVERED").letter_id == letter.letter_id
    story.letter(WUHUA, "DELIVERED")
    assert story.facts(SHUIFU).count("LETTER_DISPATCHED") == 1
