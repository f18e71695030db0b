"""The relay: packs what waits and publishes what is due, each receiver for itself.

Receivers do not wait for each other: each is sent to by a task of its own, and while that is at
work, or rests because the carrier refused, the others' mail goes past it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway.domain.errors import Refusal
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.bus import Bus, BusUnavailable
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.outbox import OutMessage
from gateway.ports.store import PartFailed, Store, StoreUnavailable, Work
from gateway.service.bell import rung
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.ended_keys import under_good_key
from gateway.service.pack_lanes import HOLD_BACK, log_held_back, pack_lanes
from gateway.service.piece import ended

_MOST_SENT = 500
_IDLE_SECONDS = 1.0  # re-sending is due at moments nobody rings for
_REST_SECONDS = 1.0  # after the carrier refused; longer each time while the carrier itself is there
_LONGEST_REST_SECONDS = 30.0
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=12)  # the stream still holds what was sent before


def next_pause(attempts: int) -> timedelta:
    """Return how long to wait for a receipt after that many attempts: doubling, bounded."""
    doublings: int = 2 ** min(attempts, 16)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


class Relay:
    """Sends the mail of the organisations at home. What it holds besides may be lost."""

    def __init__(self, store: Store, bus: Bus, tools: Tools) -> None:
        self._store = store
        self._bus = bus
        self._tools = tools
        self._bell = store.bell()
        self._look_again = datetime.min.replace(tzinfo=UTC)
        self._sending: dict[OrgId, asyncio.Task[None]] = {}
        self._served: frozenset[OrgId] = frozenset()
        self._refusals: dict[OrgId, int] = {}

    async def run(self) -> None:
        """Pack and send whatever waits, at every commit and every second, until cancelled."""
        try:
            while True:
                self._bell.clear()
                round_ = await ended(self._round())
                fault = round_.exception()
                if fault is not None:  # what was not sent stays due; nobody's mail ends the node
                    log(LogEvent.MAIL_FAILED, level="error", fault=type(fault).__name__)
                    await asyncio.sleep(_IDLE_SECONDS)
                elif not round_.result():
                    await rung(self._bell, _IDLE_SECONDS)
        finally:
            for task in self._sending.values():
                task.cancel()

    async def send_due(self) -> None:
        """Pack what waits and publish every message whose attempt is due, once.

        Ends also when the carrier refused something.
        """
        while True:
            under_way = bool(self._sending)  # the round passes their receivers over
            if await self._round():
                continue
            if self._sending:
                await asyncio.wait(set(self._sending.values()))
            elif not under_way:
                return
            if self._refusals:
                return

    async def _round(self) -> bool:
        """Pack a part and begin to send a part; return whether there may be more at once."""
        now = self._tools.clock.now()
        served = self._served
        busy = served | frozenset(self._sending)
        idle = await self._store.read(
            lambda work: not work.outbox.waiting(1) and not work.outbox.due(now, 1, busy)
        )
        if idle and now < self._look_again:
            self._served = frozenset()
            return bool(served)
        self._look_again = now + HOLD_BACK  # lanes held back are not seen by waiting()
        more, due = await self._store.write(lambda work: self._pack(work, busy))
        reach(Failpoint.RELAY_AFTER_PACK)
        by_receiver: dict[OrgId, list[OutMessage]] = {}
        for message in due:
            by_receiver.setdefault(message.receiver, []).append(message)
        for receiver, messages in by_receiver.items():
            task = asyncio.create_task(self._send(receiver, messages), name=f"send {receiver}")
            self._sending[receiver] = task
            task.add_done_callback(partial(self._sent, receiver))
        full = len(due) == _MOST_SENT
        # While there is more than one page, whoever had a share waits until all others had theirs.
        self._served = served | frozenset(by_receiver) if full else frozenset()
        return more or full or bool(served)

    def _pack(self, work: Work, busy: frozenset[OrgId]) -> tuple[bool, Sequence[OutMessage]]:
        """Pack a part of what waits, and hand out what is due.

        The attempt is noted with it, before it is made: what dies between the two is due again at
        the next link, or when the pause is over.
        """
        desk = self._desk(work)
        more = pack_lanes(desk)
        due = work.outbox.due(desk.now, _MOST_SENT, busy)
        leaving = [message for one in due for message in _as_it_leaves(desk, one)]
        pauses: dict[timedelta, list[str]] = {}
        for message in leaving:
            pauses.setdefault(next_pause(message.attempts), []).append(message.message_id)
        for pause, message_ids in pauses.items():
            work.outbox.sent(message_ids, desk.now + pause)
        return more, leaving

    def _desk(self, work: Work) -> Desk:
        home = next(iter(self._tools.home))
        return Desk(work, self._tools, Actor(home, "SYSTEM"), self._tools.clock.now())

    def _sent(self, receiver: OrgId, done: "asyncio.Task[None]") -> None:
        del self._sending[receiver]
        self._bell.set()  # more may wait for the same receiver by now
        if not done.cancelled() and (fault := done.exception()) is not None:
            log(LogEvent.MAIL_FAILED, level="error", fault=type(fault).__name__)

    async def _send(self, receiver: OrgId, messages: Sequence[OutMessage]) -> None:
        """Send one receiver's messages; whatever fails, they are due again, and the receiver rests."""
        envelopes = [message.envelope for message in messages]
        published = await ended(self._bus.publish(receiver, envelopes))
        fault = published.exception()
        if fault is None:
            self._refusals.pop(receiver, None)
            reach(Failpoint.RELAY_AFTER_PUBLISH)
            return
        if isinstance(fault, BusUnavailable):  # its letter-box is full, or nobody carries
            log(LogEvent.BUS_ERROR, level="warning", receiver=str(receiver))
        else:
            name = type(fault).__name__
            log(LogEvent.MAIL_FAILED, level="error", receiver=str(receiver), fault=name)
        await self._take_back(messages)
        await self._rest(receiver)

    async def _take_back(self, messages: Sequence[OutMessage]) -> None:
        """Make them due again, as soon as the store takes that: a noted attempt can wait for hours.

        What is taken back twice, since nobody knows the outcome of the first time, is so once.
        """
        attempts = {message.message_id: message.attempts for message in messages}
        while True:
            try:
                return await self._store.write(lambda work: work.outbox.take_back(attempts))
            except StoreUnavailable:
                await asyncio.sleep(_REST_SECONDS)

    async def _rest(self, receiver: OrgId) -> None:
        """Pass the receiver over for a while; longer each time while the carrier is there."""
        refusals = self._refusals.get(receiver, 0) if self._bus.ready else 0
        self._refusals[receiver] = refusals + 1
        await asyncio.sleep(min(_REST_SECONDS * 2 ** min(refusals, 16), _LONGEST_REST_SECONDS))


def _as_it_leaves(desk: Desk, message: OutMessage) -> Iterator[OutMessage]:
    """Yield the message, signed so that its receiver takes it; without a key it has to wait."""
    desk = desk.acting_as(Actor(message.sender))
    try:
        with desk.work.attempt():
            data = under_good_key(desk, message.envelope)
    except (Refusal, PartFailed) as fault:
        log_held_back(desk, message.receiver, fault)
        desk.work.outbox.put_off(message.message_id, desk.now + HOLD_BACK)
    else:
        yield message if data is message.envelope else replace(message, envelope=data)
