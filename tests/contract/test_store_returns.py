"""What a store knows of returns: whose turn it is, and what to show of a peer's own facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.organisations import OrgId
from gateway.ports.inbox import ParkedEvent
from gateway.ports.recovery import Return
from gateway.ports.store import Work
from gateway.store.writer import SqlStore

pytestmark = pytest.mark.every_store

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ORG, PEER, OTHER = (OrgId.parse(f"{code}/edu") for code in ("530102", "530627", "530681"))


async def test_peers_take_turns(store: SqlStore) -> None:
    """First comes to whom least was sent; of one peer only the newest return is open."""
    first = Return(PEER, "r1", None, NOW)
    newest = Return(PEER, "r2", None, NOW + timedelta(seconds=1))
    other = Return(OTHER, "r3", None, NOW + timedelta(seconds=2))

    def order(work: Work) -> list[str]:
        return [given.recovery_id for _, given in work.returns.due(9)]

    def begin(work: Work) -> Any:
        for given in (first, newest, other):
            work.returns.begin(ORG, given)
        before = order(work)
        work.returns.put(ORG, replace(newest, parts=1))
        return before, order(work)

    assert await store.write(begin) == (["r2", "r3"], ["r3", "r2"])


async def test_the_newest_facts_of_a_source(store: SqlStore) -> None:
    """They are in the order in which they were stated, whenever they were logged."""

    def log(work: Work) -> list[list[str]]:
        for number, source in ((3, PEER), (1, PEER), (4, OTHER), (2, PEER)):
            work.events.append(
                ORG,
                event_id=f"e{number}",
                kind=1,
                source=str(source),
                case_ids=(),
                logged_at=NOW,
                envelope=b"",
            )
        pages = work.returns.newest(ORG, PEER, 2), work.returns.newest(ORG, PEER, 2, "e2")
        return [[entry.event_id for entry in page] for page in pages]

    assert await store.write(log) == [["e3", "e2"], ["e1"]]


async def test_the_parked_messages_of_a_sender(store: SqlStore) -> None:
    """Each is named once, what was parked last first; those of others are not looked at."""

    def park(work: Work) -> Any:
        for event, message, sender in (
            ("e1", "m1", PEER),
            ("e2", "m1", PEER),
            ("e3", "m2", OTHER),
            ("e4", "m3", PEER),
        ):
            work.inbox.park(ORG, ParkedEvent(event, message, sender, (), "X"), NOW, NOW)
        return work.returns.parked_of(ORG, PEER, 9), work.returns.parked_of(ORG, PEER, 1)

    assert await store.write(park) == (["m3", "m1"], ["m3"])
