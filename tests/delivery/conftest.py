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
from gateway.service import mail_room
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.table import EFFECTS
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
    estate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Found]:
    """Return a function that founds a province with empty stores; all are closed afterwards."""
    monkeypatch.setattr(mail_room, "_IDLE_SECONDS", 0)
    made: list[Province] = []

    def found() -> Province:
        directory = tmp_path / f"province-{len(made)}"
        shutil.copytree(estate, directory)
        made.append(Province(directory))
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
