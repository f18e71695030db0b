"""The loop of recovery: asks the peers of whoever recovers here, and answers peers that recover."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from gateway.domain.errors import Refusal
from gateway.domain.lanes import LaneHead, ReceivingLane
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import PeerState, Recovery, RecoveryPeer
from gateway.log_events import LogEvent, log
from gateway.ports.bus import Bus, BusUnavailable
from gateway.ports.store import PartFailed, Store, Work
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.end_recovery import end_when_settled, rebuild_left, regain
from gateway.service.give_receipts import Replies, sign_replies
from gateway.service.lane_statements import lane_statement
from gateway.service.piece import ended
from gateway.service.return_facts import next_parts

_IDLE_SECONDS = 1.0
_AT_ONCE = 8  # parts given back in one turn: about two megabytes
_MOST_ASKED = 200
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)
_REST_SECONDS = 30.0  # of a recovery that failed in a way that may last: a key that is missing
_Mail = list[tuple[OrgId, bytes]]
R = TypeVar("R")


class Recoverer:
    """Brings recoveries forward, own ones and those of peers. What it sends may be lost: a peer that
    has not returned everything is asked again.
    """

    def __init__(self, store: Store, bus: Bus, tools: Tools) -> None:
        self._store = store
        self._bus = bus
        self._tools = tools
        self._seen: dict[OrgId, int] = {}
        self._rests: dict[OrgId, float] = {}

    async def run(self) -> None:
        """Look every second until cancelled, and go on at once while there is more to do."""
        while True:
            step = await ended(self.step())
            fault = step.exception()
            if fault is not None:  # nothing is lost: what is due stays due
                log(LogEvent.RECOVERY_FAILED, level="error", fault=type(fault).__name__)
            if fault is not None or not step.result():
                await asyncio.sleep(_IDLE_SECONDS)

    async def step(self) -> bool:
        """Do what is due now; return whether more of it may be due at once."""
        due, ends = await self._store.read(_look)
        await self._rebuild_left(ends)
        if not due:
            return False
        mail = await self._store.write(self._turn)
        by_receiver: dict[OrgId, list[bytes]] = {}
        for receiver, data in mail:
            by_receiver.setdefault(receiver, []).append(data)
        for receiver, items in by_receiver.items():
            sent = await ended(self._publish(receiver, items))
            fault = sent.exception()
            if fault is not None:  # whoever got nothing asks again
                log(
                    LogEvent.RECOVERY_FAILED,
                    level="error",
                    receiver=str(receiver),
                    fault=type(fault).__name__,
                )
        return bool(mail)

    async def _rebuild_left(self, ends: Mapping[OrgId, int]) -> None:
        """Where the log has grown, see whether what was left of a recovery can be rebuilt now."""
        for org, end in ends.items():
            if self._seen.get(org) != end:
                await self._store.write(partial(self._rebuild_left_of, org))
                self._seen[org] = end

    def _rebuild_left_of(self, org: OrgId, work: Work) -> None:
        self._apart(self._desk(work, org), rebuild_left)

    async def _publish(self, receiver: OrgId, items: Sequence[bytes]) -> None:
        try:
            await self._bus.publish(receiver, items)
        except BusUnavailable:
            log(LogEvent.BUS_ERROR, level="warning", receiver=str(receiver))

    def _turn(self, work: Work) -> _Mail:
        """Give back a few parts, and bring every recovery forward that does not rest."""
        mail: _Mail = []
        for org, given in work.returns.due(_AT_ONCE):
            parts = self._apart(self._desk(work, org), partial(next_parts, given=given))
            if parts is None:
                work.returns.put(org, replace(given, due=False))  # it asks again
            else:
                mail += [(given.peer, part) for part in parts]
        for org, recovery in work.recoveries.unsettled():
            if self._rests.get(org, 0.0) < time.monotonic():
                own = self._apart(self._desk(work, org), partial(_bring_forward, recovery=recovery))
                if own is None:
                    self._rests[org] = time.monotonic() + _REST_SECONDS
                mail += own or ()
        return mail

    def _apart(self, desk: Desk, part: Callable[[Desk], R]) -> R | None:
        """Do one organisation's part; None when it failed: undone, logged, nobody else's trouble."""
        try:
            with desk.work.attempt():
                return part(desk)
        except Refusal as refusal:
            log(LogEvent.RECOVERY_FAILED, level="error", org=str(desk.org), fault=refusal.reason)
        except PartFailed as fault:
            log(LogEvent.RECOVERY_FAILED, level="error", org=str(desk.org), fault=str(fault))
        return None

    def _desk(self, work: Work, org: OrgId) -> Desk:
        return Desk(work, self._tools, Actor(org, "SYSTEM"), self._tools.clock.now())


def _look(work: Work) -> tuple[bool, Mapping[OrgId, int]]:
    """Return whether anything is due, and where the logs end of those with something left over."""
    due = bool(work.recoveries.unsettled() or work.returns.due(1))
    return due, {org: work.events.end(org) for org in work.recovered_facts.with_some_left()}


def _bring_forward(desk: Desk, recovery: Recovery) -> _Mail:
    """Settle whoever has answered, ask the others, and end it when all have."""
    settled = _settle_peers(desk, recovery)
    mail = _ask(desk, recovery)
    if recovery.ended_at is None:
        mail += end_when_settled(desk, recovery)
    elif settled:  # a waived peer has answered after all
        replies = Replies()
        regain(desk, recovery, replies)
        mail += sign_replies(desk, replies)
    return mail


def _settle_peers(desk: Desk, recovery: Recovery) -> bool:
    """Settle each peer of which everything is here, its own mail and its directory included; return
    whether any was.
    """
    settled = False
    for peer in desk.work.recoveries.peers(desk.org, recovery.id, PeerState.RETURNED):
        if peer.directory > desk.tools.directory.version:
            continue  # who is listed in it may hold what was ours
        if peer.sent is None or reaches(desk.work.inbox.lane(desk.org, peer.peer), peer.sent):
            answered = replace(peer, state=PeerState.ANSWERED, ask_at=None)
            desk.work.recoveries.put_peer(desk.org, recovery.id, answered)
            log(LogEvent.RECOVERY_ANSWERED, org=str(desk.org), peer=str(peer.peer))
            settled = True
    return settled


def reaches(lane: ReceivingLane, head: LaneHead) -> bool:
    """Say whether everything up to that head has been taken."""
    if lane.incarnation != head.incarnation:
        return lane.incarnation > head.incarnation or not head.last_sequence
    return lane.next_sequence > head.last_sequence


def _ask(desk: Desk, recovery: Recovery) -> _Mail:
    """Ask for our facts; of a peer that has returned them, only for its own mail."""
    mail: _Mail = []
    for peer in desk.work.recoveries.to_ask(desk.org, recovery.id, desk.now, _MOST_ASKED):
        wanted = recovery if peer.state is PeerState.ASKED else None
        mail.append(
            (peer.peer, lane_statement(desk, peer.peer, answer_wanted=True, recovery=wanted))
        )
        desk.work.recoveries.put_peer(desk.org, recovery.id, _asked(desk, peer))
    return mail


def _asked(desk: Desk, peer: RecoveryPeer) -> RecoveryPeer:
    pause = min(_FIRST_PAUSE * 2 ** min(peer.asked, 16), _LONGEST_PAUSE)
    return replace(peer, asked=peer.asked + 1, ask_at=desk.now + pause)
