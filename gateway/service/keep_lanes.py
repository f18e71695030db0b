"""Keeping the lanes: what is done by the clock, so that nothing waits for ever unseen.

At every new link and once a day each lane is stated to its peer. Receipts that an operator's
command yielded are sent, parked events are tried again, own messages that wait too long for a
receipt become dead letters, and once a day every lane is counted. Each piece is a transaction of
its own: one that fails keeps back no other.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from gateway.domain.dead_letters import UNRECEIPTED_AFTER, DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.domain.working_days import shanghai_date
from gateway.log_events import LogEvent, log
from gateway.ports.bus import Bus, BusUnavailable
from gateway.ports.inbox import ParkedEvent
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.service.bell import rung
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.give_receipts import Replies, replies_left, sign_replies, take_replies
from gateway.service.lane_statements import lane_statements
from gateway.service.park_events import retry_by_clock
from gateway.service.piece import ended
from gateway.service.reconcile_lanes import reconcile
from gateway.service.set_aside import bury

_TURN_SECONDS = 60.0
_MOST_AT_ONCE = 200
_RECONCILED = "lanes reconciled"


class LaneKeeper:
    """Keeps the lanes of the organisations at home."""

    def __init__(self, store: Store, bus: Bus, tools: Tools) -> None:
        self._store = store
        self._bus = bus
        self._tools = tools

    async def run(self, linked: asyncio.Event) -> None:
        """Keep the lanes until cancelled; `linked` is set at every new link to the broker."""
        while True:
            if linked.is_set():
                linked.clear()
                await self.state_lanes()
            await self.tend()
            await rung(linked, _TURN_SECONDS)

    async def state_lanes(self) -> None:
        """Say to each peer how both lanes with it stand, and ask the same of it."""
        for org in self._tools.home:
            await self._piece(partial(self._state_lanes_of, org))

    async def tend(self) -> None:
        """Do what is due by the clock."""
        now = self._tools.clock.now()
        try:
            parked, overdue = await self._store.read(
                lambda work: (
                    work.inbox.due_parked(now, _MOST_AT_ONCE),
                    work.backlog.overdue(now - UNRECEIPTED_AFTER, 1),
                )
            )
        except StoreUnavailable:
            return  # it says so itself
        for org in self._tools.home:
            await self._piece(partial(self._send_replies_left, org))
        for org, waiting in parked:
            await self._piece(partial(self._retry, org, waiting))
        if overdue:
            await self._piece(self._bury_overdue)
        for org in self._tools.home:
            await self._piece(partial(self._daily, org))

    async def _piece(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do one piece; what goes wrong in it is logged, and tried again at the next turn."""
        fault = (await ended(work())).exception()
        if fault is not None:
            log(LogEvent.MAIL_FAILED, level="error", fault=type(fault).__name__)

    def _desk(self, work: Work, org: OrgId) -> Desk:
        return Desk(work, self._tools, Actor(org, "SYSTEM"), self._tools.clock.now())

    async def _state_lanes_of(self, org: OrgId) -> None:
        statements = await self._store.read(lambda work: lane_statements(self._desk(work, org)))
        await self._send(statements)

    async def _send(self, items: Sequence[tuple[OrgId, bytes]]) -> None:
        for receiver, data in items:
            try:
                await self._bus.publish(receiver, [data])
            except BusUnavailable:
                log(LogEvent.BUS_ERROR, level="warning", receiver=str(receiver))
                if not self._bus.ready:
                    return  # the next link states the lanes anew

    async def _retry(self, org: OrgId, waiting: ParkedEvent) -> None:
        def retry(work: Work) -> list[tuple[OrgId, bytes]]:
            desk, replies = self._desk(work, org), Replies()
            retry_by_clock(desk, waiting, replies)
            return sign_replies(desk, replies)

        await self._send(await self._store.write(retry))

    async def _send_replies_left(self, org: OrgId) -> None:
        if await self._store.read(lambda work: replies_left(self._desk(work, org))):
            taken = await self._store.write(lambda work: take_replies(self._desk(work, org)))
            await self._send(taken)

    async def _bury_overdue(self) -> None:
        await self._store.write(self._bury)

    def _bury(self, work: Work) -> None:
        """Stop sending what has waited too long, and put it before an operator."""
        before: datetime = self._tools.clock.now() - UNRECEIPTED_AFTER
        for message in work.backlog.overdue(before, _MOST_AT_ONCE):
            desk = self._desk(work, message.sender)
            work.backlog.bury(message.message_id)
            letter = DeadLetter(
                desk.tools.ids.new(),
                DeadLetterKind.UNRECEIPTED,
                Reason.UNAVAILABLE,
                subject=message.message_id,
                arose_at=desk.now,
                peer=message.receiver,
                message_id=message.message_id,
            )
            bury(desk, letter)

    async def _daily(self, org: OrgId) -> None:
        """Once a day count every lane and state it; also when several processes keep one store."""
        today = shanghai_date(self._tools.clock.now()).isoformat()
        if await self._store.read(lambda work: work.bookmarks.get(org, _RECONCILED)) == today:
            return
        balances = await self._store.read(lambda work: reconcile(self._desk(work, org)))
        for balance in balances:
            if not balance.balanced:
                lane = f"{org}:{balance.peer}"
                log(LogEvent.LANE_UNBALANCED, level="error", lane=lane, numbered=balance.numbered)
        log(LogEvent.LANES_BALANCED, org=str(org), lanes=len(balances))
        await self._state_lanes_of(org)
        await self._store.write(lambda work: work.bookmarks.set(org, _RECONCILED, today))
