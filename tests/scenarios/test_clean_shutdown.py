"""A node that is told to stop leaves nothing behind: no task, no thread, no port, no process."""

import socket
import threading
from pathlib import Path

import pytest

from gateway.transport import server
from gateway.v1 import case_pb2
from tests.stores import Stores
from tests.world.estate import WUHUA
from tests.world.running import RunningProvince
from tests.world.running_estate import TWO_COUNTIES
from tests.world.waiting import PATIENCE, eventually


def test_stopped_province_leaves_nothing(tmp_path: Path, stores: Stores) -> None:
    """Two nodes that served and were stopped have closed their ports and ended their threads."""
    before = set(threading.enumerate())
    world = RunningProvince(tmp_path / "world", TWO_COUNTIES, stores)
    world.start()
    addresses = [node.address for node in world.nodes.values()]
    pid = world.broker.pid
    assert pid is not None
    for address in addresses:
        assert _listens(address)

    world.close()

    assert world.broker.pid is None
    assert not Path(f"/proc/{pid}").exists()
    assert not [address for address in addresses if _listens(address)]
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not [
        name for name in left if name.startswith(("store", "adapter", "asyncio", "prov", "lease"))
    ]


def test_stopping_node_serves_whoever_comes_meanwhile(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health says NOT_SERVING first; calls are answered until none has come for a moment."""
    monkeypatch.setattr(server, "_QUIET_SECONDS", 3.0)
    world = RunningProvince(tmp_path / "world", TWO_COUNTIES, stores)
    world.start()
    listed = case_pb2.ListCasesRequest(page_size=1)
    world.ask(WUHUA, "CaseService/ListCases", listed)
    stopping = threading.Thread(target=lambda: world.run(world.nodes["wuhua"].stop()))
    stopping.start()
    eventually(lambda: not world.serving("wuhua"), "health sending callers elsewhere")
    assert not world.ask(WUHUA, "CaseService/ListCases", listed).cases
    stopping.join(PATIENCE)
    world.close()


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
