"""What a store keeps for subscribers: the chain of the log, their positions, chains of facts."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.fact_chain import FactChain
from gateway.domain.log_chain import START, head_of
from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogFilter
from gateway.ports.published_facts import ChainRecord, NoticeRecord
from gateway.ports.store import Work
from gateway.ports.subscribers import RejectedRecord
from gateway.store.writer import SqlStore
from gateway.v1.envelope_pb2 import SignedEnvelope

pytestmark = pytest.mark.every_store

WUHUA, ZHENXIONG = OrgId.parse("530102/edu"), OrgId.parse("530627/edu")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = LogFilter()
REJECTED = RejectedRecord("e1", 1, 23, "CANNOT_PARSE", NOW, 1, wanted=False)
GRANTED, RETURNED = 35, 44
PAGE = 1_000_000


def append(work: Work, event_id: str, org: OrgId = WUHUA, size: int = 0) -> int:
    """Append an event to a log."""
    payload = event_id.encode().ljust(size, b".")
    return work.events.append(
        org,
        event_id=event_id,
        kind=23,
        source=str(org),
        case_ids=(),
        logged_at=NOW,
        envelope=SignedEnvelope(payload=payload).SerializeToString(),
    )


class Undone(Exception):
    """Undoes a task."""


async def test_each_event_is_chained_to_the_one_before(store: SqlStore) -> None:
    """Heads are those of the pure chain, for each organisation by itself."""
    for number in range(1, 4):
        await store.write(lambda work, n=number: append(work, f"e{n}"))  # type: ignore[misc]
        await store.write(lambda work, n=number: append(work, f"z{n}", ZHENXIONG))  # type: ignore[misc]
    payloads = [b"e1", b"e2", b"e3"]
    for position in range(4):
        head = await store.read(lambda work, p=position: work.events.head(WUHUA, p))  # type: ignore[misc]
        assert head == head_of(START, 0, payloads[:position])
    assert await store.read(lambda work: work.events.head(WUHUA, 4)) is None
    page = await store.read(lambda work: work.events.page(ZHENXIONG, 0, 9, ALL))
    assert page[-1].head == head_of(START, 0, [b"z1", b"z2", b"z3"])


async def test_what_is_undone_leaves_no_link(store: SqlStore) -> None:
    """A task that is undone between others of its transaction stands in no chain."""

    def undone(work: Work) -> None:
        append(work, "never")
        append(work, "nor this")
        raise Undone

    def both(work: Work) -> None:
        append(work, "e1")
        try:
            with work.savepoint():
                undone(work)
        except Undone:
            append(work, "e2")
        append(work, "e3")

    await store.write(both)
    with pytest.raises(Undone):
        await store.write(undone)
    await store.write(lambda work: append(work, "e4"))
    head = await store.read(lambda work: work.events.head(WUHUA, 4))
    assert head == head_of(START, 0, [b"e1", b"e2", b"e3", b"e4"])


async def test_page_is_cut_by_bytes(store: SqlStore) -> None:
    """A page ends before it is too large; one event alone is always given."""

    def several(work: Work) -> None:
        for number in range(1, 6):
            append(work, f"e{number}", size=1000)

    await store.write(several)

    def see(work: Work) -> None:
        def positions(most_bytes: int, after: int = 0) -> list[int]:
            return [e.position for e in work.events.page(WUHUA, after, 9, ALL, most_bytes)]

        assert positions(2500) == [1, 2]
        assert positions(2500, after=4) == [5]
        assert positions(10) == [1]
        assert positions(PAGE) == [1, 2, 3, 4, 5]

    await store.read(see)


async def test_subscribers_by_name(store: SqlStore) -> None:
    """Each has a position, was heard at a moment, and its own list of what it set aside."""

    def fill(work: Work) -> None:
        work.subscribers.keep(WUHUA, "ledger", 3, NOW)
        work.subscribers.keep(WUHUA, "ledger", 5, NOW + DAY)
        work.subscribers.keep(WUHUA, "archive", 0, NOW)
        work.subscribers.keep(ZHENXIONG, "ledger", 9, NOW)
        work.subscribers.reject(WUHUA, "ledger", REJECTED)

    await store.write(fill)

    def see(work: Work) -> None:
        subscribers = work.subscribers
        assert subscribers.position(WUHUA, "ledger") == 5
        assert subscribers.position(WUHUA, "unknown") is None
        assert subscribers.count(WUHUA) == 2
        (archive, ledger) = subscribers.page(WUHUA, "", 9)
        assert (archive.name, archive.rejected) == ("archive", 0)
        assert (ledger.position, ledger.seen_at, ledger.rejected) == (5, NOW + DAY, 1)
        assert [one.name for one in subscribers.page(WUHUA, "archive", 9)] == ["ledger"]

    await store.read(see)


async def test_what_is_set_aside_is_replaced_and_settled(store: SqlStore) -> None:
    """An event stands on a list once, until it is taken off; only that of its subscriber."""
    again = RejectedRecord("e1", 1, 23, "STILL", NOW + DAY, 2, wanted=True)

    def fill(work: Work) -> None:
        work.subscribers.reject(WUHUA, "ledger", REJECTED)
        work.subscribers.reject(WUHUA, "ledger", again)
        work.subscribers.reject(
            WUHUA, "ledger", RejectedRecord("e7", 7, 23, "X", NOW, 1, wanted=False)
        )
        work.subscribers.reject(WUHUA, "archive", REJECTED)

    await store.write(fill)

    def see(work: Work) -> None:
        found = work.subscribers.rejected_page(WUHUA, "ledger", 0, 9)
        assert [one.event_id for one in found] == ["e1", "e7"]
        assert work.subscribers.rejected_page(WUHUA, "ledger", 0, 9, wanted=True) == [again]
        assert work.subscribers.rejected(WUHUA, "archive", "e1") == REJECTED
        assert work.subscribers.rejected(ZHENXIONG, "ledger", "e1") is None

    await store.read(see)
    await store.write(lambda work: work.subscribers.settle(WUHUA, "ledger", ["e1", "e9"]))
    left = await store.read(lambda work: work.subscribers.rejected_page(WUHUA, "ledger", 0, 9))
    assert [one.event_id for one in left] == ["e7"]
    assert await store.read(lambda work: work.subscribers.rejected(WUHUA, "archive", "e1"))


async def test_chains_of_facts(store: SqlStore) -> None:
    """Each kind has its chain and its notices; none mixes with another's."""

    def fill(work: Work) -> None:
        for number in range(1, 5):
            notice = NoticeRecord(number, f"e{number}", NOW + number * DAY, bytes(100))
            work.facts.append(WUHUA, GRANTED, notice)
        work.facts.append(WUHUA, RETURNED, NoticeRecord(1, "r1", NOW, b"r"))
        work.facts.put_chain(WUHUA, GRANTED, ChainRecord(FactChain(4, "ab"), 9, 2))
        work.facts.put_chain(WUHUA, GRANTED, ChainRecord(FactChain(4, "ab"), 9, 4))

    await store.write(fill)

    def see(work: Work) -> None:
        facts = work.facts
        assert facts.chains(WUHUA) == {GRANTED: ChainRecord(FactChain(4, "ab"), 9, 4)}
        assert facts.chains(ZHENXIONG) == {}
        page = facts.page(WUHUA, GRANTED, 1, 2, PAGE)
        assert [(one.sequence, one.event_id) for one in page] == [(2, "e2"), (3, "e3")]
        assert [one.sequence for one in facts.page(WUHUA, GRANTED, 0, 9, 250)] == [1, 2]
        assert [one.sequence for one in facts.page(WUHUA, GRANTED, 0, 9, 1)] == [1]
        assert facts.first_since(WUHUA, GRANTED, NOW + 2 * DAY) == 2
        assert facts.first_since(WUHUA, GRANTED, NOW + 9 * DAY) is None

    await store.read(see)
    await store.write(lambda work: work.facts.clear(ZHENXIONG))
    await store.read(see)
    await store.write(lambda work: work.facts.clear(WUHUA))
    assert await store.read(lambda work: work.facts.chains(WUHUA)) == {}
    assert await store.read(lambda work: work.facts.page(WUHUA, GRANTED, 0, 9, PAGE)) == []
