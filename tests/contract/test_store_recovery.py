"""What a store remembers of recoveries, on either database."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from gateway.domain.dead_letters import DeadLetter, DeadLetterKind, DeadLetterState
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import (
    PeerState,
    RecoveredFact,
    Recovery,
    RecoveryCause,
    RecoveryPeer,
    Waiver,
    WaiverReason,
)
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.recovery import Return
from gateway.ports.store import Work
from gateway.store.writer import SqlStore

pytestmark = pytest.mark.every_store

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ORG, PEER, OTHER = (OrgId.parse(f"{code}/edu") for code in ("530102", "530627", "530681"))
RECOVERY = Recovery("r1", RecoveryCause.PEER_AHEAD, NOW, NOW, PEER)
UNRECEIPTED = DeadLetterKind.UNRECEIPTED
T = TypeVar("T")


async def both(store: SqlStore, write: Callable[[Work], Any], read: Callable[[Work], T]) -> T:
    """Write in one transaction, read in another."""
    await store.write(write)
    return await store.read(read)


async def test_a_recovery_runs_until_it_ends(store: SqlStore) -> None:
    """It is active for its organisation alone, and stays on record."""

    def begin(work: Work) -> None:
        work.recoveries.put(ORG, RECOVERY)

    active = await both(
        store, begin, lambda w: (w.recoveries.active(ORG), w.recoveries.active(PEER))
    )
    assert active == (RECOVERY, None)
    ended = replace(RECOVERY, ended_at=NOW)
    found = await both(
        store,
        lambda w: w.recoveries.put(ORG, ended),
        lambda w: (w.recoveries.active(ORG), w.recoveries.latest(ORG), w.recoveries.unsettled()),
    )
    assert found == (None, ended, [])


async def test_what_a_failed_task_began_does_not_run(store: SqlStore) -> None:
    """A recovery whose savepoint was undone is not active for the next task of the transaction."""

    def begin_and_fail(work: Work) -> list[Recovery | None]:
        seen = []
        with suppress(LookupError), work.savepoint():
            work.recoveries.put(ORG, RECOVERY)
            seen.append(work.recoveries.active(ORG))
            raise LookupError
        return [*seen, work.recoveries.active(ORG)]

    assert await store.write(begin_and_fail) == [RECOVERY, None]


async def test_peers_are_asked_when_due(store: SqlStore) -> None:
    """A peer has its state, its heads and its moment; settled ones are only counted."""
    asked = RecoveryPeer(PEER, PeerState.ASKED, NOW)
    done = RecoveryPeer(
        OTHER, PeerState.ANSWERED, None, 2, LaneHead(2, 7, "ab"), LaneHead(1, 0, ""), NOW, 8
    )

    def put(work: Work) -> None:
        for peer in (asked, done):
            work.recoveries.put_peer(ORG, "r1", peer)

    def read(work: Work) -> Any:
        r = work.recoveries
        return (
            r.peers(ORG, "r1"),
            r.peers(ORG, "r1", PeerState.ASKED),
            r.to_ask(ORG, "r1", NOW, 5),
            r.to_ask(ORG, "r1", NOW - timedelta(seconds=1), 5),
            r.count(ORG, "r1"),
            r.peer(ORG, "r1", ORG),
        )

    found = await both(store, put, read)
    counts = {PeerState.ASKED: 1, PeerState.ANSWERED: 1}
    assert found == ([asked, done], [asked], [asked], [], counts, None)


async def test_parts_of_one_run_complete_each_other(store: SqlStore) -> None:
    """All parts of one run must be there, in any order and however often they come."""
    later = NOW + timedelta(minutes=1)
    parts = [(NOW, 2, True), (later, 1, False), (later, 1, False), (NOW, 1, False)]

    def add(work: Work) -> list[bool]:
        return [
            work.recoveries.add_part(ORG, "r1", PEER, made_at, part, last=last)
            for made_at, part, last in parts
        ]

    assert await store.write(add) == [False, False, False, True]


async def test_a_post_decides_once(store: SqlStore) -> None:
    """The later decision of a post takes the place of its earlier one."""
    first = Waiver(PEER, "OPERATOR", "q1", WaiverReason.NODE_GONE, NOW)
    second = replace(first, request_id="q2", reason=WaiverReason.NEVER_TOOK_PART)

    def decide(work: Work) -> None:
        for one in (first, second):
            work.recoveries.add_waiver(ORG, "r1", one)

    assert await both(store, decide, lambda w: w.recoveries.waivers(ORG, "r1")) == [second]


async def test_facts_are_left_until_rebuilt_or_checked(store: SqlStore) -> None:
    """What came back is listed until an officer checked it; left is what was not rebuilt either."""
    kind = FactKind.LETTER_DISPATCHED
    facts = [RecoveredFact(f"e{n}", "r1", kind, "c", PEER, NOW) for n in range(1, 4)]
    facts[1] = replace(facts[1], rebuilt=True)
    facts[2] = replace(facts[2], checked_at=NOW)

    def put(work: Work) -> None:
        work.recoveries.put(ORG, replace(RECOVERY, ended_at=NOW))
        for fact in facts:
            work.recovered_facts.put(ORG, fact)

    def read(work: Work) -> Any:
        f = work.recovered_facts
        return (
            f.of(ORG, "r1"),
            f.left(ORG),
            f.with_some_left(),
            f.page(ORG, "", 9, with_checked=False),
            f.page(ORG, "e3", 1, with_checked=True),
            f.get(ORG, "e9"),
        )

    found = await both(store, put, read)
    unchecked = [facts[1], facts[0]]
    assert found == (facts, facts[:1], [ORG], unchecked, [facts[1]], None)


async def test_a_lane_begins_anew(store: SqlStore) -> None:
    """What the peer has not taken waits again since it first did, ahead of what is newer, and is
    nobody's trouble twice; the rest stays as it is.
    """

    def prepare(work: Work) -> None:
        lane = SendingLane()
        for number in (1, 2):
            work.outbox.deliver(ORG, [PEER], f"e{number}")
            (waiting,) = work.outbox.waiting(9)
            lane = lane.advanced(f"d{number}")
            message = OutMessage(
                f"m{number}", ORG, PEER, 1, number, f"d{number}", b"signed", waits_since=NOW
            )
            work.outbox.pack(message, [waiting.number], lane)
        work.outbox.deliver(ORG, [PEER], "e3")
        work.backlog.bury("m2")
        work.dead_letters.add(
            ORG,
            DeadLetter("l2", UNRECEIPTED, Reason.UNAVAILABLE, "m2", NOW, message_id="m2"),
        )
        work.recoveries.begin_lane(ORG, PEER, SendingLane(4), LaneHead(1, 1, "d1"), NOW)

    def read(work: Work) -> Any:
        states = [work.outbox.find(ORG, f"m{n}") for n in (1, 2)]
        return (
            [(delivery.event_id, delivery.waits_since) for delivery in work.outbox.waiting(9)],
            work.outbox.lane(ORG, PEER),
            [(message.state, message.envelope) for message in states if message],
            [message.message_id for message in work.outbox.due(NOW, 9)],
        )

    found = await both(store, prepare, read)
    assert found == (
        [("e2", NOW), ("e3", None)],
        SendingLane(4),
        [(MessageState.READY, b"signed"), (MessageState.REPLACED, b"")],
        ["m1"],
    )
    healed = await store.read(lambda work: work.dead_letters.find(ORG, UNRECEIPTED, "m2"))
    assert healed is not None
    assert healed.state is DeadLetterState.HEALED


async def test_what_a_peer_denies_is_put_back(store: SqlStore) -> None:
    """Of ended incarnations what has a receipt and lies beyond the peer's head waits again."""
    places = [(1, 1), (1, 2), (3, 1), (3, 2), (5, 1)]

    def task(work: Work) -> Any:
        for number, (incarnation, sequence) in enumerate(places):
            work.outbox.deliver(ORG, [PEER], f"e{number}")
            (waiting,) = work.outbox.waiting(9)
            name = f"m{number}"
            message = OutMessage(name, ORG, PEER, incarnation, sequence, name, b"", waits_since=NOW)
            lane = SendingLane(incarnation, sequence + 1, name)
            work.outbox.pack(message, [waiting.number], lane)
            if number != 2:
                work.outbox.close(name, MessageState.APPLIED, f"r{number}", None)
        head = LaneHead(1, 1, "m0")
        first = work.backlog.first_beyond(ORG, PEER, head, 5)
        nobody = work.backlog.first_beyond(PEER, ORG, head, 5)
        count = work.backlog.put_back(ORG, PEER, head, 5)
        found = [work.outbox.find(ORG, f"m{n}") for n in range(len(places))]
        return (
            first and first.message_id,
            nobody,
            count,
            [one.state for one in found if one],
            [delivery.event_id for delivery in work.outbox.waiting(9)],
            work.backlog.first_beyond(ORG, PEER, head, 5),
        )

    applied, replaced = MessageState.APPLIED, MessageState.REPLACED
    states = [applied, replaced, MessageState.READY, replaced, applied]
    assert await store.write(task) == ("m1", None, 2, states, ["e1", "e3"], None)


async def test_a_return_goes_on_where_it_was(store: SqlStore) -> None:
    """How far a return is is kept; the log is read from there, the source's facts alone."""
    given = Return(PEER, "r1", NOW, NOW)

    def put(work: Work) -> None:
        for number, source in enumerate((PEER, OTHER, PEER), start=1):
            work.events.append(
                ORG,
                event_id=f"e{number}",
                kind=1,
                source=str(source),
                case_ids=(),
                logged_at=NOW,
                envelope=b"",
            )
        work.returns.put(ORG, given)

    def read(work: Work) -> Any:
        entries = work.returns.entries(ORG, replace(given, position=1), PEER, 9)
        return work.returns.get(ORG, PEER, "r1"), work.returns.due(9), [e.event_id for e in entries]

    assert await both(store, put, read) == (given, [(ORG, given)], ["e3"])
    done = replace(given, due=False, parts=3)
    assert await both(store, lambda w: w.returns.put(ORG, done), lambda w: w.returns.due(9)) == []


async def test_the_count_of_starts(store: SqlStore) -> None:
    """There is none at first; then it is the last one written."""
    assert await store.read(lambda w: w.starts.read()) == (None, False)

    def count(work: Work) -> None:
        for number in (1, 2):
            work.starts.write(number)

    assert await both(store, count, lambda w: w.starts.read()) == (2, False)


async def test_numbers_that_were_used_are_passed_over(store: SqlStore) -> None:
    """The next number lies above every one passed over, and is never lowered."""

    def use(work: Work) -> list[int]:
        counters = work.counters
        counters.pass_over(ORG, "letter 2026", 5)
        first = counters.next(ORG, "letter 2026")
        counters.pass_over(ORG, "letter 2026", 3)
        second = counters.next(ORG, "letter 2026")
        counters.pass_over(ORG, "letter 2026", 9)
        return [first, second, counters.next(ORG, "letter 2026")]

    assert await store.write(use) == [6, 7, 10]
