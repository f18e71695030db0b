"""A fake gateway, and the command line pointed at it."""

import os
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.unit.cli.fake_gateway import FakeGateway

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the options of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("GATEWAY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    """A gateway that answers what it is told."""
    gateway = FakeGateway()
    yield gateway
    gateway.stop()


@pytest.fixture
def run(fake: FakeGateway) -> Run:
    """Run a command line against the fake."""

    def invoke(*args: str, **kwargs: object) -> Result:
        return CliRunner().invoke(main, args, obj=fake.channel, catch_exceptions=False, **kwargs)  # type: ignore[arg-type]

    return invoke
