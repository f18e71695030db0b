"""One running province for each file of scenarios, and the watch over what its logs say."""

from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from tests.stores import Stores
from tests.world.estate import WUHUA
from tests.world.forger import Forger
from tests.world.letter_box import LetterBox
from tests.world.running import RunningProvince
from tests.world.story import Story


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[RunningProvince]:
    """Broker and nodes of the province, all serving; nothing of a child passes in the clear."""
    province = RunningProvince(tmp_path_factory.mktemp("province"), stores=stores)
    try:
        province.start()
        yield province
        passed = [item.data for item in province.observer.seen]
    finally:
        province.close()
    assert not any(province.disclosed(item.decode("utf-8", "ignore")) for item in passed)


@pytest.fixture(autouse=True)
def logs(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[list[dict[str, object]]]:
    """What the nodes log during a test; no name and no number of a child may stand in it."""
    with capture_logs() as entries:
        yield entries  # type: ignore[misc] # structlog's own type for the same mapping
    if "world" in request.fixturenames:
        world: RunningProvince = request.getfixturevalue("world")
        assert not world.disclosed(f"{entries}{caplog.text}"), "a log line discloses a child"


@pytest.fixture
def story(world: RunningProvince) -> Story:
    """The story of a child that no other test knows."""
    return Story(world)


@pytest.fixture
def stories(world: RunningProvince) -> Callable[[int], list[Story]]:
    """Makes several stories."""
    return lambda count: [Story(world) for _ in range(count)]


@pytest.fixture(scope="module")
def forger(world: RunningProvince) -> Forger:
    """A hostile participant on the bus."""
    return Forger(world)


@pytest.fixture(scope="module")
def wuhua_box(forger: Forger) -> LetterBox:
    """The letter-box of the bureau of 五华区."""
    return LetterBox(forger, WUHUA)
