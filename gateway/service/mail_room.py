"""The mail room: what arrives for the organisations at home is taken, what waits is sent."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.bus import Bus, BusUnavailable, Disposition
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.service.arrivals import Arrived, Unauthentic, read_arrival
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.piece import ended
from gateway.service.relay import Relay
from gateway.service.take_mail import take_mail

_SYSTEM = "SYSTEM"
_FEW = 8
"""Up to so many items are verified at once; more beside, so that nobody's call waits for them."""


class MailRoom:
    """Moves mail for the organisations at home. What it holds besides may be lost at any time."""

    def __init__(self, store: Store, bus: Bus, tools: Tools) -> None:
        self._store = store
        self._bus = bus
        self._tools = tools
        self._relay = Relay(store, bus, tools)

    async def run(self) -> None:
        """Send and receive until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run(), name="relay")
            for org in self._tools.home:
                group.create_task(
                    self._bus.consume(org, partial(self.handle, org)), name=f"consume {org}"
                )

    async def send_due(self) -> None:
        """Pack what waits and publish every message whose attempt is due, once."""
        await self._relay.send_due()

    async def send_everything_again(self) -> None:
        """Make every message without a final receipt due now: the broker may have lost them."""
        count = await self._store.write(self._make_due)
        log(LogEvent.MESSAGE_RESENT, due=count)

    async def handle(self, org: OrgId, batch: Sequence[bytes]) -> Sequence[Disposition]:
        """Take a batch for one organisation: commit first, then answer, then let the bus forget.

        An item is left on the bus (AGAIN) when the store, the answer or anything else failed;
        coming again, it is recognised and answered with the same bytes.
        """
        fault = (await ended(self._take(org, batch))).exception()
        if fault is None:
            return [Disposition.DONE] * len(batch)
        if len(batch) > 1 and not isinstance(fault, StoreUnavailable | BusUnavailable):
            # One item may be to blame: each alone, so that it keeps nobody else's mail back.
            return [(await self.handle(org, [item]))[0] for item in batch]
        log(LogEvent.MAIL_FAILED, level="warning", org=str(org), fault=type(fault).__name__)
        return [Disposition.AGAIN] * len(batch)

    async def _take(self, org: OrgId, batch: Sequence[bytes]) -> None:
        if len(batch) > _FEW:
            arrivals = await asyncio.to_thread(self._read, org, batch)
        else:
            arrivals = self._read(org, batch)
        desk = self._desk(org)
        replies = await self._store.write(lambda work: take_mail(desk(work), arrivals))
        reach(Failpoint.MAIL_AFTER_COMMIT)
        await self._reply(replies)
        reach(Failpoint.MAIL_AFTER_REPLY)
        if any(not isinstance(arrived, Unauthentic) for arrived in arrivals):
            log(LogEvent.MESSAGE_APPLIED, level="debug", org=str(org), items=len(batch))

    def _read(self, org: OrgId, batch: Sequence[bytes]) -> Sequence[Arrived]:
        now = self._tools.clock.now()
        return [read_arrival(self._tools, org, data, now) for data in batch]

    def _desk(self, org: OrgId) -> Callable[[Work], Desk]:
        def desk(work: Work) -> Desk:
            return Desk(work, self._tools, Actor(org, _SYSTEM), self._tools.clock.now())

        return desk

    def _make_due(self, work: Work) -> int:
        return work.outbox.make_due(self._tools.clock.now())

    async def _reply(self, replies: Sequence[tuple[OrgId, bytes]]) -> None:
        """Publish what goes back. Raises BusUnavailable when the carrier is away.

        A carrier that is there and refuses means that one peer does not empty its letter-box: the
        others' mail does not wait for that. The peer asks again when it is back.
        """
        by_receiver: dict[OrgId, list[bytes]] = {}
        for receiver, data in replies:
            by_receiver.setdefault(receiver, []).append(data)
        for receiver, items in by_receiver.items():
            try:
                await self._bus.publish(receiver, items)
            except BusUnavailable:
                if not self._bus.ready:
                    raise
                log(LogEvent.BUS_ERROR, level="warning", receiver=str(receiver))
