"""The store's outbox, inbox and vault as their ports promise them, over both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.lanes import Arrival, ReceivingLane, SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.inbox import ParkedEvent
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import Work
from gateway.ports.vault import VaultPart
from gateway.store.tables import metadata
from gateway.store.writer import SqlStore

WUHUA = OrgId.parse("530102/edu")
ZHENXIONG = OrgId.parse("530627/edu")
SHUIFU = OrgId.parse("530681/edu")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
pytestmark = pytest.mark.every_store
NAME, NUMBER = "金丝雀", "530102201503070012"
DIGEST = "d" * 64


def message(sequence: int, sender: OrgId = WUHUA, receiver: OrgId = ZHENXIONG) -> OutMessage:
    """Make a packed message."""
    name = f"{sender.division}-{receiver.division}-{sequence}"
    return OutMessage(name, sender, receiver, 1, sequence, DIGEST, name.encode())


def pack(work: Work, sequence: int, numbers: tuple[int, ...] = ()) -> OutMessage:
    """Pack a message on the lane from 五华区 to 镇雄县."""
    made = message(sequence)
    work.outbox.pack(made, numbers, SendingLane(1, sequence + 1, DIGEST))
    return made


async def test_deliveries_wait_until_packed(store: SqlStore) -> None:
    """A delivery waits, may be held back for a while, and goes with its message."""

    def task(work: Work) -> None:
        work.outbox.deliver(WUHUA, (ZHENXIONG, SHUIFU), "e1")
        work.outbox.deliver(WUHUA, (), "e2")
        first, second = work.outbox.waiting(10)
        assert (first.receiver, second.receiver) == (ZHENXIONG, SHUIFU)
        work.outbox.hold_back(WUHUA, SHUIFU, LATER)
        assert [one.number for one in work.outbox.waiting(10)] == [first.number]
        made = pack(work, 1, (first.number,))
        assert not work.outbox.waiting(10)
        assert work.outbox.event_ids(made.message_id) == ["e1"]
        assert work.outbox.lane(WUHUA, ZHENXIONG) == SendingLane(1, 2, DIGEST)
        work.outbox.release(NOW)
        assert not work.outbox.waiting(10)
        work.outbox.release(LATER)
        assert [one.number for one in work.outbox.waiting(10)] == [second.number]

    await store.write(task)


async def test_held_back_never_falls_behind(store: SqlStore) -> None:
    """A delivery held back comes back as soon as a later one of its lane waits: order is kept."""

    def task(work: Work) -> None:
        work.outbox.deliver(WUHUA, (ZHENXIONG,), "e1")
        work.outbox.hold_back(WUHUA, ZHENXIONG, LATER)
        work.outbox.deliver(WUHUA, (SHUIFU,), "e2")
        work.outbox.release(NOW)
        assert [one.event_id for one in work.outbox.waiting(10)] == ["e2"]
        work.outbox.deliver(WUHUA, (ZHENXIONG,), "e3")
        work.outbox.release(NOW)
        assert [one.event_id for one in work.outbox.waiting(10)] == ["e1", "e2", "e3"]

    await store.write(task)


async def test_what_cannot_leave_waits_or_is_taken_back(store: SqlStore) -> None:
    """A message put off is no attempt; a delivery withdrawn is gone, and no message carries it."""

    def task(work: Work) -> None:
        pack(work, 1)
        (due,) = work.outbox.due(NOW, 10)
        work.outbox.put_off(due.message_id, LATER)
        assert not work.outbox.due(NOW, 10)
        assert work.outbox.due(LATER, 10) == [due]
        work.outbox.deliver(WUHUA, (SHUIFU,), "e9")
        (waiting,) = work.outbox.waiting(10)
        work.outbox.withdraw(waiting.number)
        assert not work.outbox.waiting(10)

    await store.write(task)


async def test_message_is_due_until_its_final_receipt(store: SqlStore) -> None:
    """A message comes up again and again in lane order until a final receipt closes it."""

    def task(work: Work) -> None:
        for sequence in (2, 1):
            pack(work, sequence)
        due = work.outbox.due(NOW, 10)
        assert [one.sequence for one in due] == [1, 2]
        assert due[0].envelope == b"530102-530627-1"
        work.outbox.sent([one.message_id for one in due], LATER)
        assert not work.outbox.due(NOW, 10)
        again = work.outbox.due(LATER, 10)
        assert [(one.state, one.attempts) for one in again] == [(MessageState.SENT, 1)] * 2
        work.outbox.close(again[0].message_id, MessageState.APPLIED, "r1", None)
        work.outbox.close(again[1].message_id, MessageState.PARKED, "r2", LATER)
        # A note of sending that comes after the receipt changes nothing.
        work.outbox.sent([again[0].message_id], LATER)
        assert [one.state for one in work.outbox.due(LATER, 10)] == [MessageState.PARKED]
        assert work.outbox.make_due(NOW) == 1
        assert [one.sequence for one in work.outbox.due(NOW, 10)] == [2]

    await store.write(task)


async def test_gap_is_filled_from_the_outbox(store: SqlStore) -> None:
    """Any stretch of a lane is found again, receipted or not, byte for byte."""

    def task(work: Work) -> None:
        made = [pack(work, sequence) for sequence in (1, 2, 3, 4)]
        work.outbox.close(made[1].message_id, MessageState.APPLIED, "r", None)
        found = work.outbox.between(WUHUA, ZHENXIONG, 1, 2, 3)
        assert [one.envelope for one in found] == [one.envelope for one in made[1:3]]
        assert work.outbox.find(WUHUA, made[0].message_id) == made[0]
        assert work.outbox.find(ZHENXIONG, made[0].message_id) is None

    await store.write(task)


async def test_inbox_keeps_then_takes(store: SqlStore) -> None:
    """A message that came early is kept, taken in its turn, and known for ever."""
    early = Arrival("m2", DIGEST, 1, 2, "p")

    def task(work: Work) -> None:
        assert work.inbox.lane(ZHENXIONG, WUHUA) == ReceivingLane()
        work.inbox.keep(ZHENXIONG, WUHUA, early, b"bytes", NOW)
        kept = work.inbox.by_number(ZHENXIONG, WUHUA, 1, 2)
        assert kept is not None
        assert (kept.receipt_id, kept.envelope) == ("", b"bytes")
        work.inbox.take(ZHENXIONG, WUHUA, early, "r1", b"", NOW)
        taken = work.inbox.by_id(ZHENXIONG, WUHUA, "m2")
        assert taken is not None
        assert (taken.receipt_id, taken.envelope, taken.digest) == ("r1", b"", DIGEST)
        work.inbox.advance(ZHENXIONG, WUHUA, ReceivingLane(1, 3, DIGEST))
        assert work.inbox.lane(ZHENXIONG, WUHUA).next_sequence == 3
        assert work.inbox.lane(SHUIFU, WUHUA) == ReceivingLane()

    await store.write(task)


async def test_first_receipt_stays(store: SqlStore) -> None:
    """A receipt is kept as the bytes that came first."""

    def task(work: Work) -> None:
        work.inbox.add_receipt(WUHUA, "r1", ZHENXIONG, b"first")
        work.inbox.add_receipt(WUHUA, "r1", ZHENXIONG, b"second")
        assert work.inbox.receipt(WUHUA, "r1") == b"first"
        assert work.inbox.receipt(ZHENXIONG, "r1") is None

    await store.write(task)


async def test_parking(store: SqlStore) -> None:
    """A parked event blocks each of its cases, in order of arrival, until it is taken out."""

    def task(work: Work) -> None:
        both = ParkedEvent("e1", "m1", WUHUA, ("c1", "c2"), "EPOCH_UNKNOWN")
        one = ParkedEvent("e2", "m1", WUHUA, ("c1", "c1"), "EPOCH_UNKNOWN")
        bare = ParkedEvent("e3", "m1", WUHUA, (), "EPOCH_UNKNOWN")
        for event in (both, one, bare):
            work.inbox.park(ZHENXIONG, event, NOW, LATER)
        assert not work.inbox.due_parked(NOW, 10)
        assert [one.event_id for _, one in work.inbox.due_parked(LATER, 2)] == ["e1", "e2"]
        assert [event.event_id for event in work.inbox.parked(ZHENXIONG, "c1")] == ["e1", "e2"]
        assert [event.event_id for event in work.inbox.parked(ZHENXIONG, "c2")] == ["e1"]
        assert len(work.inbox.parked_in(ZHENXIONG, "m1")) == 3
        work.inbox.unpark(ZHENXIONG, "e1")
        assert not work.inbox.parked(ZHENXIONG, "c2")
        assert not work.inbox.parked(WUHUA, "c1")

    await store.write(task)


async def test_dead_letters_stand_once(store: SqlStore) -> None:
    """The same bytes are set aside once, with the first reason, for their own organisation."""
    unauthentic = DeadLetterKind.UNAUTHENTIC
    first = DeadLetter("d1", unauthentic, Reason.KEY_UNKNOWN, DIGEST, NOW, envelope=b"x")

    def task(work: Work) -> None:
        assert work.dead_letters.add(ZHENXIONG, first)
        assert not work.dead_letters.add(
            ZHENXIONG, replace(first, id="d2", reason=Reason.SIGNATURE_INVALID)
        )
        assert work.dead_letters.find(ZHENXIONG, unauthentic, DIGEST) == first
        assert [letter.id for letter in work.dead_letters.page(ZHENXIONG)] == ["d1"]
        assert not work.dead_letters.page(WUHUA)

    await store.write(task)


async def test_small_records(store: SqlStore) -> None:
    """Answers, titles, numbers and bookmarks come back as they were put, for their owner."""

    def task(work: Work) -> None:
        work.requests.remember(WUHUA, "q1", b"digest", b"response", NOW)
        assert work.requests.answer(WUHUA, "q1") == (b"digest", b"response")
        assert work.requests.answer(ZHENXIONG, "q1") is None
        for term, number in ((2, 0), (1, 1), (1, 0)):
            work.titles.add(WUHUA, "c1", term, number, DIGEST, f"{term}.{number}".encode())
        assert work.titles.chain(WUHUA, "c1") == [b"1.0", b"1.1", b"2.0"]
        assert [work.counters.next(WUHUA, "letter") for _ in range(3)] == [1, 2, 3]
        assert work.counters.next(ZHENXIONG, "letter") == 1
        assert work.bookmarks.get(WUHUA, "cursor") == ""
        for value in ("1", "2"):
            work.bookmarks.set(WUHUA, "cursor", value)
        assert work.bookmarks.get(WUHUA, "cursor") == "2"

    await store.write(task)


def put_identity(work: Work) -> None:
    """Put a child's identity into the vault and make it findable."""
    content = f"{NAME}{NUMBER}".encode()
    work.vault.put(WUHUA, "s1", [VaultPart(1, "s1", b"salt" * 4, content)])
    work.vault.index(WUHUA, "s1", NUMBER)


async def test_vault_reveals_and_finds(store: SqlStore) -> None:
    """Identity is revealed for a purpose, found by its number, by its own organisation only."""

    def task(work: Work) -> None:
        put_identity(work)
        (part,) = work.vault.reveal(WUHUA, "s1", "test")
        assert NAME in part.content.decode()
        assert NAME not in repr(part)
        assert work.vault.find(WUHUA, NUMBER) == "s1"
        assert work.vault.find(ZHENXIONG, NUMBER) is None
        assert not work.vault.reveal(ZHENXIONG, "s1", "test")
        with pytest.raises(ValueError, match="purpose"):
            work.vault.reveal(WUHUA, "s1", "")

    await store.write(task)


async def test_identity_stands_in_one_table(store: SqlStore, engine: Engine) -> None:
    """A name or number put into the vault stands in `vault_parts` and in no other table."""
    await store.write(put_identity)
    found = set()
    with engine.execution_options(reading=True).connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                cells = b"".join(
                    cell if isinstance(cell, bytes) else str(cell).encode() for cell in row
                )
                if NAME.encode() in cells or NUMBER.encode() in cells:
                    found.add(table.name)
    assert found == {"vault_parts"}


def on_disk(directory: Path) -> bytes:
    """Everything in the store's files."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


@pytest.mark.sqlite_alone
async def test_deleted_identity_is_gone_from_disk(
    store: SqlStore, engine: Engine, tmp_path: Path
) -> None:
    """Once its row is deleted and the log folded in, no byte of it is left in any file."""
    await store.write(put_identity)
    written = on_disk(tmp_path)
    assert NUMBER.encode() in written
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM vault_parts"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    left = on_disk(tmp_path)
    assert len(left) > 0
    assert NAME.encode() not in left
    assert NUMBER.encode() not in left


async def test_index_depends_on_the_key(engine: Engine, store: SqlStore) -> None:
    """The blind index is keyed: the same number under another key leads nowhere."""
    await store.write(put_identity)
    other = SqlStore(engine, bytes(32))
    assert await other.read(lambda work: work.vault.find(WUHUA, NUMBER)) is None
    await other.close()
