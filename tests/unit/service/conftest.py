"""The test province in which an agency was asked something."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.service import adapter_host
from tests.stores import Stores
from tests.unit.service.scripted_adapter import ask
from tests.world.province import Province


@pytest.fixture
async def province(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: Stores
) -> AsyncIterator[Province]:
    """Return a province in which the platform was asked to enter two absences."""
    monkeypatch.setattr(adapter_host, "_IDLE_SECONDS", 0.01)
    province = Province(tmp_path / "province", stores)
    await ask(province, 2)
    yield province
    await province.close()
