"""A node that is told to stop leaves nothing behind: no task, no thread, no port, no process."""

import socket
import threading
from pathlib import Path

from tests.stores import Stores
from tests.world.running import RunningProvince
from tests.world.running_estate import TWO_COUNTIES


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


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
