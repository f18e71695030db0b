"""The host of one adapter: brings it what the agency was asked, takes what it found by itself.

The adapter works on a thread of its own, outside every transaction; its answer becomes a signed
event in one. A crash between the two brings the same exchange again, and the adapter is idempotent.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TypeVar

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
from gateway.domain.errors import Refusal
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.facts import PartKind
from gateway.domain.organisations import OrgId, Role
from gateway.log_events import LogEvent, log
from gateway.ports.failpoints import Failpoint, reach
from gateway.ports.store import Store, StoreUnavailable, Work
from gateway.ports.vault import VaultPart
from gateway.service.answer_exchange import answer_exchange, remember_record, taken_before
from gateway.service.desk import Actor, Desk, Tools
from gateway.v1.subject_pb2 import PersonIdentity

_AT_ONCE = 50
_PAGE = 200
_IDLE_SECONDS = 1.0
_LONGEST_PAUSE = timedelta(minutes=5)
_LONGEST_ASKED = 86_400
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
        description = self._adapter.describe()
        while True:
            bell.clear()
            try:
                await self._carry_out()
                if description.reports_changes and self._org.role in _READS_CHANGES:
                    await self._take_changes()
            except StoreUnavailable:
                log(LogEvent.STORE_FAILED, level="warning", where="adapter")
            try:
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(_IDLE_SECONDS):
                    await bell.wait()
            except TimeoutError:
                continue

    def close(self) -> None:
        """Close the adapter after what it is doing."""
        self._thread.submit(self._adapter.close)
        self._thread.shutdown(wait=True)

    async def _carry_out(self) -> None:
        """Bring the adapter every exchange that is due, oldest first."""
        for exchange, asked in await self._store.read(self._due):
            outcome = await self._call(partial(self._handle, asked))
            reach(Failpoint.ADAPTER_AFTER_WRITE)
            await self._store.write(self._settle(exchange, outcome))

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

    async def _call(self, work: Callable[[], R]) -> R | TryLater:
        """Run on the adapter's thread; whatever it raises means: try later."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        await asyncio.wait({future})
        fault = future.exception()
        return TryLater(type(fault).__name__) if fault is not None else future.result()

    def _desk(self, work: Work) -> Desk:
        return Desk(work, self._tools, Actor(self._org, "SYSTEM"), self._tools.clock.now())

    def _due(self, work: Work) -> Sequence[tuple[AgencyExchange, Exchange]]:
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
        oldest_first = sorted(due, key=lambda exchange: exchange.id)[:_AT_ONCE]
        return [(exchange, self._asked(work, exchange)) for exchange in oldest_first]

    def _asked(self, work: Work, exchange: AgencyExchange) -> Exchange:
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

    def _settle(self, exchange: AgencyExchange, outcome: Outcome) -> Callable[[Work], None]:
        def settle(work: Work) -> None:
            desk = self._desk(work)
            present = work.exchanges.require(self._org, exchange.id)
            if present.state is not ExchangeState.WAITING:
                return
            try:
                if isinstance(outcome, Done):
                    with work.savepoint():
                        answer_exchange(desk, present, outcome.fact)
                    log(LogEvent.ADAPTER_DONE, kind=exchange.kind, exchange=exchange.id)
                    return
                reason = outcome.reason
            except Refusal as refusal:
                reason = f"{refusal.reason}: {refusal.message}"
            if isinstance(outcome, TryLater):
                _try_later(desk, present, outcome)
            else:
                refused = present.changed(
                    desk.now,
                    state=ExchangeState.REFUSED,
                    attempts=present.attempts + 1,
                    last_trouble=reason,
                )
                work.exchanges.put(self._org, refused)
                log(LogEvent.ADAPTER_REFUSED, level="warning", exchange=exchange.id)

        return settle

    async def _take_changes(self) -> None:
        """Take what changed in the agency's system since the cursor."""
        cursor = await self._store.read(lambda work: work.bookmarks.get(self._org, _CURSOR))
        found = await self._call(partial(self._changes, cursor))
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


def _try_later(desk: Desk, exchange: AgencyExchange, outcome: TryLater) -> None:
    doublings: int = 2 ** min(exchange.attempts, 8)
    pause = min(timedelta(seconds=outcome.after_seconds) * doublings, _LONGEST_PAUSE)
    later = exchange.changed(
        desk.now,
        attempts=exchange.attempts + 1,
        due_at=desk.now + pause,
        last_trouble=outcome.reason,
    )
    desk.work.exchanges.put(desk.org, later)
    log(LogEvent.ADAPTER_TRY_LATER, level="warning", exchange=exchange.id)


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
