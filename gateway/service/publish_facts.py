"""Publishing: facts that somebody is entitled to become numbered, chained, signed notices.

Only kinds of the table in `gateway.domain.entitlements` are published, and of those only what an
entitlement in force covers, so that nothing stands on the carrier that nobody may read. A chain
begins with the first such fact in the source's log, whenever it is first wanted.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from gateway.codec import enums
from gateway.domain.entitlements import followed_kinds
from gateway.domain.errors import Refusal
from gateway.domain.fact_chain import FactChain
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import FACT_NOTICE
from gateway.log_events import LogEvent, log
from gateway.ports.bus import BusUnavailable
from gateway.ports.event_log import LogEntry, LogFilter
from gateway.ports.fact_carrier import KEPT, CarrierMark, FactCarrier, OutFact
from gateway.ports.published_facts import ChainRecord, NoticeRecord
from gateway.ports.store import Store, Work
from gateway.service.bell import rung
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.piece import ended
from gateway.service.renew_chains import incarnation_of
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.fact_pb2 import FactNotice

_AT_ONCE = 200
_MOST_BYTES = 4 * 1024 * 1024
_IDLE_SECONDS = 1.0
_LOOK_SECONDS = 60.0
_MARK = "fact carrier"
Wanted = Mapping[OrgId, frozenset[FactKind]]


def note_facts(desk: Desk, kinds: Iterable[FactKind]) -> bool:
    """Append the organisation's facts of these kinds to their chains, some at a time.

    Returns whether there is more in the log to look at. Raises Refusal(KEY_UNKNOWN).
    """
    end, more = desk.work.events.end(desk.org), False
    chains = {kind: _chain(desk.work, desk.org, kind) for kind in kinds}
    for start in {record.looked_at for record in chains.values()}:
        together = {kind for kind, record in chains.items() if record.looked_at == start}
        condition = LogFilter(tuple(map(enums.wire, together)), source=str(desk.org))
        entries = desk.work.events.page(desk.org, start, _AT_ONCE, condition)
        looked_at = entries[-1].position if len(entries) == _AT_ONCE else end
        more = more or looked_at < end
        for kind in together:
            chain = chains[kind].chain
            for entry in entries:
                if entry.type == enums.wire(kind):
                    chain = _append(desk, entry, chain)
            record = replace(chains[kind], chain=chain, looked_at=looked_at)
            desk.work.facts.put_chain(desk.org, enums.wire(kind), record)
    return more


def _append(desk: Desk, entry: LogEntry, chain: FactChain) -> FactChain:
    notice = FactNotice(
        source=str(desk.org),
        type=enums.wire(enums.maybe(FactKind, entry.type)),
        sequence=chain.sequence + 1,
        previous_notice_hash=bytes.fromhex(chain.head),
        event=SignedEnvelope.FromString(entry.envelope),
        incarnation=incarnation_of(desk.work, desk.org),
    )
    payload = notice.SerializeToString()
    envelope = desk.tools.signer.sign(desk.org, FACT_NOTICE, payload).SerializeToString()
    record = NoticeRecord(notice.sequence, entry.event_id, desk.now, envelope)
    desk.work.facts.append(desk.org, entry.type, record)
    return chain.advanced(hashlib.sha256(payload).hexdigest())


def _chain(work: Work, org: OrgId, kind: FactKind) -> ChainRecord:
    return work.facts.chains(org).get(enums.wire(kind), ChainRecord())


class FactPress:
    """Publishes the facts of the organisations at home. What it holds besides may be lost."""

    def __init__(self, store: Store, carrier: FactCarrier, tools: Tools) -> None:
        self._store = store
        self._carrier = carrier
        self._tools = tools
        self._bell = store.bell()
        self._look_at = 0.0  # when the carrier's mark is compared again; 0 for at once

    async def connected(self, _state: object = None) -> None:
        """Take note of a new link: the carrier may have forgotten what it had."""
        self._look_at = 0.0
        self._bell.set()

    async def run(self) -> None:
        """Publish until cancelled, at every commit and every second."""
        while True:
            self._bell.clear()
            fault = (await ended(self.publish_due())).exception()
            if fault is not None:  # nothing is lost: what was not sent stays due
                self._look_at = 0.0
                level = "warning" if isinstance(fault, BusUnavailable) else "error"
                log(LogEvent.FACTS_FAILED, level=level, fault=type(fault).__name__)
                await asyncio.sleep(_IDLE_SECONDS)
            await rung(self._bell, _IDLE_SECONDS)

    async def publish_due(self) -> None:
        """Number what is new, and send every notice that the carrier has not confirmed."""
        now = self._tools.clock.now()
        wanted = self._wanted(now)
        if not wanted:
            return
        more = await self._store.read(lambda work: _behind(work, wanted))
        while more:
            more = await self._store.write(lambda work: self._note(work, wanted))
        if not self._carrier.ready:
            return
        await self._compare_marks(wanted, now)
        for org, kinds in wanted.items():
            for kind in kinds:
                await self._send(org, kind)

    def _wanted(self, now: datetime) -> Wanted:
        entitlements = self._tools.directory.entitlements()
        if not entitlements:
            return {}
        found = {org: followed_kinds(entitlements, org, now) for org in self._tools.home}
        return {org: kinds for org, kinds in found.items() if kinds}

    def _note(self, work: Work, wanted: Wanted) -> bool:
        more = False
        for org, kinds in wanted.items():
            try:
                with work.savepoint():
                    more = note_facts(self._desk(work, org), kinds) or more
            except Refusal as refusal:  # without its key one organisation waits, nobody else
                log(LogEvent.FACTS_FAILED, level="warning", org=str(org), reason=refusal.reason)
        return more

    def _desk(self, work: Work, org: OrgId) -> Desk:
        return Desk(work, self._tools, Actor(org, "SYSTEM"), self._tools.clock.now())

    async def _compare_marks(self, wanted: Wanted, now: datetime) -> None:
        """Where the carrier forgot, mark everything it should still have as not published."""
        clock = asyncio.get_running_loop().time()
        if clock < self._look_at:
            return
        mark = await self._carrier.mark()

        def compare(work: Work) -> int:
            lost = 0
            for org, kinds in wanted.items():
                before = _mark_of(work.bookmarks.get(org, _MARK))
                if before is None or mark.lost_since(before):
                    lost += sum(_rewind(work, org, kind, now) for kind in kinds)
                work.bookmarks.set(org, _MARK, f"{mark.last} {mark.life}")
            return lost

        again = await self._store.write(compare)
        if again:
            log(LogEvent.FACTS_REFILLED, level="warning", due=again)
        self._look_at = clock + _LOOK_SECONDS

    async def _send(self, org: OrgId, kind: FactKind) -> None:
        number = enums.wire(kind)

        def due(work: Work) -> tuple[int, list[NoticeRecord]]:
            record, incarnation = _chain(work, org, kind), incarnation_of(work, org)
            if record.published >= record.chain.sequence:
                return incarnation, []
            page = work.facts.page(org, number, record.published, _AT_ONCE, _MOST_BYTES)
            return incarnation, list(page)

        while (found := await self._store.read(due))[1]:
            incarnation, notices = found
            facts = [OutFact(n.event_id, n.sequence, n.noted_at, n.envelope) for n in notices]
            last = await self._carrier.publish(org, kind, facts)
            reached = notices[-1].sequence
            await self._store.write(
                lambda work: _sent(work, org, kind, incarnation, reached, last)  # noqa: B023
            )


def _behind(work: Work, wanted: Wanted) -> bool:
    for org, kinds in wanted.items():
        chains, end = work.facts.chains(org), work.events.end(org)
        if any(chains.get(enums.wire(kind), ChainRecord()).looked_at < end for kind in kinds):
            return True
    return False


def _rewind(work: Work, org: OrgId, kind: FactKind, now: datetime) -> int:
    """Mark a chain as published only up to what the carrier would have dropped by age."""
    record = _chain(work, org, kind)
    first = work.facts.first_since(org, enums.wire(kind), now - KEPT)
    if first is None:
        return 0
    published = min(first - 1, record.published)
    work.facts.put_chain(org, enums.wire(kind), replace(record, published=published))
    return record.published - published


def _sent(
    work: Work, org: OrgId, kind: FactKind, incarnation: int, reached: int, last: int
) -> None:
    if incarnation == incarnation_of(work, org):  # else the chain has begun anew meanwhile
        record = _chain(work, org, kind)
        sent = replace(record, published=max(record.published, reached))
        work.facts.put_chain(org, enums.wire(kind), sent)
    mark = _mark_of(work.bookmarks.get(org, _MARK))
    if mark is not None and last > mark.last:
        work.bookmarks.set(org, _MARK, f"{last} {mark.life}")


def _mark_of(text: str) -> CarrierMark | None:
    last, _, life = text.partition(" ")
    return CarrierMark(life, int(last)) if life else None
