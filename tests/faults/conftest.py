"""A province of processes for the fault tests: one for each worker, used by one test at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.crypto.development import Estate
from tests.faults.processes import ProcessProvince
from tests.world.estate import ESTATE

_NAMES = {"wuhua", "zhenxiong", "police"}


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessProvince]:
    """Two counties and public security, each a process, over a real broker."""
    directory: Path = tmp_path_factory.mktemp("province")
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = ProcessProvince(directory, estate)
    try:
        province.start()
        yield province
    finally:
        province.close()
