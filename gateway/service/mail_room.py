"""The mail room: the loops that pack and send what waits, and take what arrives."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.bus import Bus, BusUnavailable, Disposition
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.outbox import OutMessage
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.service.arrivals import Unauthentic, read_arrival
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.pack_lanes import HOLD_BACK, pack_lanes
from gateway.service.take_mail import take_mail

_MOST_SENT = 500
_IDLE_SECONDS = 1.0  # re-sending is due at moments nobody rings for
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=12)  # the stream still holds what was sent before
_SYSTEM = "SYSTEM"


def next_pause(attempts: int) -> timedelta:
    """Return how long to wait for a receipt after that many attempts: doubling, bounded."""
    doublings: int = 2 ** min(attempts, 16)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


class MailRoom:
    """Moves mail for the organisations at home. What it holds besides may be lost at any time."""

    def __init__(self, store: Store, bus: Bus, tools: Tools) -> None:
        self._store = store
        self._bus = bus
        self._tools = tools
        self._look_again = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Send and receive until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay(), name="relay")
            for org in self._tools.home:
                group.create_task(
                    self._bus.consume(org, partial(self.handle, org)), name=f"consume {org}"
                )

    async def send_everything_again(self) -> None:
        """Make every message without a final receipt due now: the broker may have lost them."""
        count = await self._store.write(self._make_due)
        log(LogEvent.MESSAGE_RESENT, due=count)

    async def handle(self, org: OrgId, batch: Sequence[bytes]) -> Sequence[Disposition]:
        """Take a batch for one organisation: commit first, then answer, then let the bus forget.

        An item is left on the bus (AGAIN) when the store, the answer or anything else failed;
        coming again, it is recognised and answered with the same bytes.
        """
        taking = asyncio.ensure_future(self._take(org, batch))
        try:
            await asyncio.wait({taking})
        except asyncio.CancelledError:
            taking.cancel()
            raise
        fault = taking.exception()
        if fault is None:
            return [Disposition.DONE] * len(batch)
        if len(batch) > 1 and not isinstance(fault, StoreUnavailable | BusUnavailable):
            # One item may be to blame: each alone, so that it keeps nobody else's mail back.
            return [(await self.handle(org, [item]))[0] for item in batch]
        log(LogEvent.MAIL_FAILED, level="warning", org=str(org), fault=type(fault).__name__)
        return [Disposition.AGAIN] * len(batch)

    async def _take(self, org: OrgId, batch: Sequence[bytes]) -> None:
        now = self._tools.clock.now()
        arrivals = [read_arrival(self._tools, org, data, now) for data in batch]
        desk = self._desk(org)
        replies = await self._store.write(lambda work: take_mail(desk(work), arrivals))
        reach(Failpoint.MAIL_AFTER_COMMIT)
        await self._reply(replies)
        reach(Failpoint.MAIL_AFTER_REPLY)
        if any(not isinstance(arrived, Unauthentic) for arrived in arrivals):
            log(LogEvent.MESSAGE_APPLIED, level="debug", org=str(org), items=len(batch))

    def _desk(self, org: OrgId) -> Callable[[Work], Desk]:
        def desk(work: Work) -> Desk:
            return Desk(work, self._tools, Actor(org, _SYSTEM), self._tools.clock.now())

        return desk

    def _make_due(self, work: Work) -> int:
        return work.outbox.make_due(self._tools.clock.now())

    async def _reply(self, replies: Sequence[tuple[OrgId, bytes]]) -> None:
        by_receiver: dict[OrgId, list[bytes]] = {}
        for receiver, data in replies:
            by_receiver.setdefault(receiver, []).append(data)
        for receiver, items in by_receiver.items():
            await self._bus.publish(receiver, items)

    async def _relay(self) -> None:
        """Pack and send whatever waits, at every commit and every second."""
        bell = self._store.bell()
        while True:
            bell.clear()
            sending = asyncio.ensure_future(self.send_due())
            try:
                await asyncio.wait({sending})
            except asyncio.CancelledError:
                sending.cancel()
                raise
            fault = sending.exception()
            if fault is not None:  # what was not sent stays due; one receiver ends no node
                log(LogEvent.MAIL_FAILED, level="error", fault=type(fault).__name__)
                await asyncio.sleep(_IDLE_SECONDS)
            try:
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(_IDLE_SECONDS):
                    await bell.wait()
            except TimeoutError:
                continue

    async def send_due(self) -> None:
        """Pack what waits and publish every message whose attempt is due, once."""
        now = self._tools.clock.now()
        idle = await self._store.read(
            lambda work: not work.outbox.waiting(1) and not work.outbox.due(now, 1)
        )
        if idle and now < self._look_again:
            return
        self._look_again = now + HOLD_BACK  # lanes held back are not seen by waiting()
        due = await self._store.write(self._pack)
        reach(Failpoint.RELAY_AFTER_PACK)
        lanes: dict[OrgId, list[OutMessage]] = {}
        for message in due:
            lanes.setdefault(message.receiver, []).append(message)
        await asyncio.gather(*(self._send(r, messages) for r, messages in lanes.items()))

    def _pack(self, work: Work) -> Sequence[OutMessage]:
        now = self._tools.clock.now()
        home = next(iter(self._tools.home))
        pack_lanes(Desk(work, self._tools, Actor(home, _SYSTEM), now))
        return work.outbox.due(now, _MOST_SENT)

    async def _send(self, receiver: OrgId, messages: Sequence[OutMessage]) -> None:
        """Send one receiver's messages; when the carrier fails they stay due."""
        try:
            await self._bus.publish(receiver, [message.envelope for message in messages])
        except BusUnavailable:
            log(LogEvent.BUS_ERROR, level="warning", receiver=str(receiver))
            await asyncio.sleep(_IDLE_SECONDS)
            return
        reach(Failpoint.RELAY_AFTER_PUBLISH)
        now = self._tools.clock.now()
        pauses: dict[timedelta, list[str]] = {}
        for message in messages:
            pauses.setdefault(next_pause(message.attempts), []).append(message.message_id)

        def note(work: Work) -> None:
            for pause, message_ids in pauses.items():
                work.outbox.sent(message_ids, now + pause)

        await self._store.write(note)
