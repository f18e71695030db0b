"""A test province whose keys are made once for the whole run."""

import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from gateway.crypto.development import make_development
from gateway.domain.facts import FactKind
from gateway.service import relay
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.table import EFFECTS
from tests.delivery.deaths import Deaths
from tests.stores import Stores
from tests.world.estate import ESTATE
from tests.world.province import MONDAY, Province

Found = Callable[[], Province]
Fates = dict[str, Exception]
"""What an event, by its identifier, raises when it is to take effect."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: thousands of messages travel in these tests."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the keys of all nodes."""
    directory = tmp_path_factory.mktemp("estate")
    make_development(directory, ESTATE, MONDAY - timedelta(days=30))
    return directory


@pytest.fixture
async def founded(
    estate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: Stores
) -> AsyncIterator[Found]:
    """Return a function that founds a province with empty stores; all are closed afterwards."""
    monkeypatch.setattr(relay, "_REST_SECONDS", 0.01)
    made: list[Province] = []

    def found() -> Province:
        directory = tmp_path / f"province-{len(made)}"
        shutil.copytree(estate, directory)
        made.append(Province(directory, stores))
        return made[-1]

    yield found
    for province in made:
        await province.close()


@pytest.fixture
async def province(founded: Found) -> Province:
    """Return a province with empty stores."""
    return founded()


@pytest.fixture
def fates(monkeypatch: pytest.MonkeyPatch) -> Fates:
    """Return the fates of facts of kind LETTER_NOTED; one without a fate just takes effect."""
    decided: Fates = {}

    def meet(_desk: Desk, arrived: ArrivedEvent) -> None:
        if arrived.event.event_id in decided:
            raise decided[arrived.event.event_id]

    monkeypatch.setitem(cast("Any", EFFECTS), FactKind.LETTER_NOTED, meet)
    return decided


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> Deaths:
    """Return the deaths of nodes in this process, which a test outlives."""
    return Deaths(monkeypatch)
