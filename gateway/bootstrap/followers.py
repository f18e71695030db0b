"""Who may follow facts at the bundled broker: as the directory's entitlements say, now."""

import asyncio
from collections.abc import Sequence

from gateway.bus.permissions import BrokerUser, permissions_of_follower
from gateway.bus.server import BundledServer
from gateway.config import NodeConfig
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory

_LOOK_SECONDS = 1.0


class Followers:
    """Keeps the users of the bundled broker in step with entitlements that begin and end."""

    def __init__(self, config: NodeConfig, directory: Directory, clock: Clock) -> None:
        bundled = config.bus.bundled
        self._configured = bundled.followers if bundled else ()
        self._directory = directory
        self._clock = clock
        self._server: BundledServer | None = None
        self._nodes: Sequence[BrokerUser] = ()
        self._told: Sequence[BrokerUser] = ()

    def users(self) -> list[BrokerUser]:
        """Return each configured follower with what it may do at this moment."""
        now = self._clock.now()
        in_force = [one for one in self._directory.entitlements() if one.holds(now)]
        return [
            BrokerUser(
                follower.nkey,
                permissions_of_follower(OrgId.parse(follower.organisation), in_force),
            )
            for follower in self._configured
        ]

    def attend(self, server: BundledServer, nodes: Sequence[BrokerUser]) -> None:
        """Have this server told of every change; `nodes` are its other users."""
        self._server, self._nodes, self._told = server, nodes, self.users()

    async def run(self) -> None:
        """Tell the broker of every change, until cancelled."""
        while True:
            users = self.users()
            if self._server is not None and users != self._told:
                await asyncio.to_thread(self._server.admit, [*self._nodes, *users])
                self._told = users
                log(LogEvent.ENTITLEMENTS_APPLIED, followers=len(users))
            await asyncio.sleep(_LOOK_SECONDS)
