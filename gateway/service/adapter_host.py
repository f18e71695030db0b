"""The host of one adapter: brings it what the agency was asked, takes what it found by itself.

The adapter works on a thread of its own, outside every transaction; its answer becomes a signed
event in one. A crash between the two brings the same exchange again, and the adapter is idempotent.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

from gateway.adapter_api import (
    Adapter,
    Change,
    Changes,
    Done,
    Exchange,
    Fact,
    HukouStatement,
    Outcome,
    Person,
    Refused,
    TryLater,
)
from gateway.codec import enums
from gateway.codec.exchanges import (
    decode_entry,
    decode_statement,
    encode_entry,
    encode_statement,
)
from gateway.codec.subjects import read_identity
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.organisations import OrgId, Role
from gateway.domain.visibility import PartKind
from gateway.log_events import LogEvent, log
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.ports.vault import VaultPart
from gateway.service.answer_exchange import remember_record, taken_before
from gateway.service.bell import rung
from gateway.service.desk import Actor, Desk, Tools
from gateway.service.piece import ended
from gateway.service.settle_exchange import settle_exchange
from gateway.v1.subject_pb2 import PersonIdentity

_AT_ONCE = 50
_PAGE = 200
_IDLE_SECONDS = 1.0
_LONGEST_ASKED = 86_400
_LAST_WORD_SECONDS = 10.0
_CURSOR = "adapter cursor"
# Version 1 of the API does not say whose household registration changed; to read on regardless
# would pass the change over for good, so such a feed stays unread.
_READS_CHANGES = (Role.RRB,)
R = TypeVar("R")


class AdapterHost:
    """Runs one adapter for one agency at home."""

    def __init__(self, store: Store, tools: Tools, org: OrgId, adapter: Adapter) -> None:
        self._store = store
        self._tools = tools
        self._org = org
        self._adapter = adapter
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"adapter-{org.role}")

    async def run(self) -> None:
        """Serve the adapter until cancelled; it may be run again until it is closed."""
        bell = self._store.bell()
        while True:
            bell.clear()
            round_ = await ended(self._round())
            fault = round_.exception()
            if fault is not None:  # nothing is lost: what is due stays due
                fields = {"org": str(self._org), "fault": type(fault).__name__}
                log(LogEvent.ADAPTER_FAILED, level="error", **fields)
                await asyncio.sleep(_IDLE_SECONDS)
            await rung(bell, _IDLE_SECONDS)

    def close(self) -> None:
        """Close the adapter after what it is doing."""
        self._thread.submit(self._adapter.close)
        self._thread.shutdown(wait=True)

    async def _round(self) -> None:
        await self._carry_out()
        if self._adapter.describe().reports_changes and self._org.role in _READS_CHANGES:
            await self._take_changes()

    async def _carry_out(self) -> None:
        """Bring the adapter every exchange that is due, oldest first."""
        for exchange in await self._store.read(self._due):
            asked = await _or_later(self._store.read(partial(self._asked, exchange)))
            outcome: Outcome
            if isinstance(asked, TryLater):
                outcome = asked
            else:
                outcome = await _or_later(self._on_thread(partial(self._handle, asked)))
                reach(Failpoint.ADAPTER_AFTER_WRITE)
            await self._store.write(partial(self._settle, exchange.id, outcome))

    def _handle(self, asked: Exchange) -> Outcome:
        """Have the adapter carry out an exchange; raises for an answer that is out of form too."""
        outcome = self._adapter.handle(asked)
        if isinstance(outcome, Done):
            _check_form(outcome.fact)
        elif isinstance(outcome, TryLater) and not 0 <= outcome.after_seconds <= _LONGEST_ASKED:
            raise ValueError("an adapter asks to wait for 0 to 86400 seconds")
        elif not isinstance(outcome, Refused | TryLater):
            raise TypeError("an adapter answers Done, Refused or TryLater")
        return outcome

    def _changes(self, cursor: str) -> Changes:
        """Ask the adapter for changes; raises for an answer that is out of form too."""
        found = self._adapter.changes(cursor)
        for change in found.changes:
            _check_form(change.fact)
        return found

    async def _on_thread(self, work: Callable[[], R]) -> R:
        """Run on the adapter's thread. One that is cancelled goes only once the adapter is done:
        before that no other process should bring the agency's system the same.
        """
        calling = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            await asyncio.wait({calling})
        except asyncio.CancelledError:
            await asyncio.wait({calling}, timeout=_LAST_WORD_SECONDS)
            raise
        return calling.result()

    def _desk(self, work: Work) -> Desk:
        return Desk(work, self._tools, Actor(self._org, "SYSTEM"), self._tools.clock.now())

    def _due(self, work: Work) -> Sequence[AgencyExchange]:
        """Return the oldest exchanges that are due; one that has to wait keeps none back."""
        if work.recoveries.active(self._org) is not None:
            return []  # it may have been answered in the time that the store forgot
        now = self._tools.clock.now()
        due: list[AgencyExchange] = []
        after = ""
        while page := work.exchanges.page(
            self._org, after=after, limit=_PAGE, states=(ExchangeState.WAITING,)
        ):
            due += [exchange for exchange in page if exchange.due_at <= now]
            after = page[-1].id
        return sorted(due, key=lambda exchange: exchange.id)[:_AT_ONCE]

    def _asked(self, exchange: AgencyExchange, work: Work) -> Exchange:
        parts = work.vault.reveal(self._org, exchange.id, purpose="exchange with the agency")
        return Exchange(
            exchange_id=exchange.id,
            kind=exchange.kind,
            asked_by=str(exchange.asked_by),
            asked_at=exchange.asked_at,
            object_id=exchange.object_id,
            subject_token=exchange.subject_id,
            person=_person(parts),
            fields=dict(exchange.fields),
        )

    def _settle(self, exchange_id: str, outcome: Outcome, work: Work) -> None:
        settle_exchange(self._desk(work), exchange_id, outcome)

    async def _take_changes(self) -> None:
        """Take what changed in the agency's system since the cursor."""
        cursor = await self._store.read(lambda work: work.bookmarks.get(self._org, _CURSOR))
        found = await _or_later(self._on_thread(partial(self._changes, cursor)))
        if isinstance(found, TryLater):
            log(LogEvent.ADAPTER_TRY_LATER, level="warning", org=str(self._org))
            await asyncio.sleep(_IDLE_SECONDS)
        elif found.cursor != cursor:
            await self._store.write(lambda work: self._take(self._desk(work), found))

    def _take(self, desk: Desk, found: Changes) -> None:
        for change in found.changes:
            self._take_change(desk, change)
        desk.work.bookmarks.set(self._org, _CURSOR, found.cursor)

    def _take_change(self, desk: Desk, change: Change) -> None:
        """Drop the echo of the gateway's own work and what is known; keep the rest on record."""
        content = json.dumps(asdict(change.fact), default=str, sort_keys=True).encode()
        made_here = change.origin_exchange_id and desk.work.exchanges.get(
            self._org, change.origin_exchange_id
        )
        if made_here or taken_before(desk, change.record_key, content) is not None:
            log(LogEvent.ADAPTER_ECHO, org=str(self._org))
            return
        remember_record(desk, change.record_key, content, "")


def _check_form(fact: Fact) -> None:
    """Raise for a fact out of form, before it could spoil a transaction."""
    if isinstance(fact, HukouStatement):
        moment = fact.snapshot_at
        decode_statement(encode_statement(fact, "", ""))
    else:
        moment = fact.entered_at
        decode_entry(encode_entry(fact))
    if moment.tzinfo is None:
        raise ValueError("the moments an adapter states are aware")


async def _or_later(work: Coroutine[Any, Any, R]) -> R | TryLater:
    """Return what came of it; whatever it raises means: try later. Raises StoreUnavailable."""
    task = await ended(work)
    fault = task.exception()
    if isinstance(fault, StoreUnavailable):
        raise fault
    return TryLater(type(fault).__name__) if fault is not None else task.result()


def _person(parts: Sequence[VaultPart]) -> Person | None:
    """Return the child as the agency may see it: what was disclosed to it, nothing more."""
    for part in parts:
        kind = enums.maybe(PartKind, part.kind)
        if kind in {PartKind.IDENTITY, PartKind.MASKED_IDENTITY}:
            identity = read_identity(PersonIdentity.FromString(part.content))
            return Person(
                name=identity.name,
                id_number=identity.id_number,
                enrolment_number=identity.enrolment_number,
                birth_date=identity.birth_date,
                masked=kind is PartKind.MASKED_IDENTITY,
            )
    return None
