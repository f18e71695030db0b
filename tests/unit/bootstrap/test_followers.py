"""The users of the bundled broker follow the entitlements, as they begin and end."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.bootstrap.followers import Followers
from gateway.bus.permissions import BrokerUser, NodePermissions
from gateway.config import BundledFollower
from gateway.domain.entitlements import Entitlement
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SUPERVISION = OrgId.parse("53/sup")
NODE = BrokerUser("UNODE", NodePermissions((), ()))
RIGHT = Entitlement(
    SUPERVISION, "53", frozenset({FactKind.TITLE_GRANTED}), NOW, NOW + DAY, "art. 13"
)


@dataclass
class Estate:
    """Everything that Followers asks: clock, directory, and the broker that it tells."""

    moment: datetime = NOW
    rights: tuple[Entitlement, ...] = (RIGHT,)
    told: list[list[BrokerUser]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def entitlements(self) -> tuple[Entitlement, ...]:
        """The rights."""
        return self.rights

    def admit(self, users: list[BrokerUser]) -> None:
        """Take new users."""
        self.told.append(users)


class Config:
    """As much of a node's configuration as matters here."""

    class bus:  # noqa: N801 - named as the section is
        """The section."""

        class bundled:  # noqa: N801 - named as the section is
            """Its table."""

            followers = (BundledFollower(organisation="53/sup", nkey="U" + "A" * 55),)


@pytest.fixture
def estate() -> Estate:
    """One follower, entitled for a day."""
    return Estate()


def made(estate: Estate) -> Followers:
    """The thing under test."""
    anything: Any = Config
    double: Any = estate
    return Followers(anything, double, double)


def test_a_follower_may_do_what_it_is_entitled_to_now(estate: Estate) -> None:
    """Within its day it has its consumers; a moment later nothing at all."""
    (user,) = made(estate).users()
    assert any("title_granted" in subject for subject in user.permissions.publish)
    estate.moment = NOW + DAY
    (user,) = made(estate).users()
    assert user.permissions.publish == ()


async def test_the_broker_is_told_of_changes_alone(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing changes the broker is left alone; when a right ends it is told, with all
    other users kept.
    """
    turns = 0

    async def turn(_seconds: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 3:
            estate.moment = NOW + DAY
        if turns == 6:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", turn)
    keeper = made(estate)
    server: Any = estate
    keeper.attend(server, [NODE])
    with pytest.raises(asyncio.CancelledError):
        await keeper.run()
    ((node, follower),) = estate.told
    assert node == NODE
    assert follower.permissions.publish == ()
