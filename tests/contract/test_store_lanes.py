"""What the store tells of the lanes as a whole, over both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.lanes import LaneHead, ReceivingLane, SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import Work
from gateway.store.writer import SqlStore

WUHUA = OrgId.parse("530102/edu")
ZHENXIONG = OrgId.parse("530627/edu")
SHUIFU = OrgId.parse("530681/edu")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
DIGEST = "d" * 64
pytestmark = pytest.mark.every_store


def message(sequence: int, receiver: OrgId = ZHENXIONG) -> OutMessage:
    """Make a packed message of 五华区 that waits for a receipt since NOW."""
    name = f"{receiver.division}-{sequence}"
    made = OutMessage(name, WUHUA, receiver, 1, sequence, DIGEST, name.encode())
    return replace(made, waits_since=NOW)


def pack(work: Work, *made: OutMessage) -> None:
    """Store packed messages."""
    for one in made:
        lane = SendingLane(one.incarnation, one.sequence + 1, DIGEST)
        work.outbox.pack(one, (), lane)


async def test_fresh_mail_goes_before_what_is_sent_again(store: SqlStore) -> None:
    """And nobody's queue stands before another's: receivers can be passed over."""

    def task(work: Work) -> None:
        pack(work, message(1), message(2))
        work.outbox.sent([message(1).message_id, message(2).message_id], NOW)
        fresh = message(1, SHUIFU)
        pack(work, fresh)
        due = work.outbox.due(LATER, 2)
        assert [one.message_id for one in due] == [fresh.message_id, message(1).message_id]
        (other,) = work.outbox.due(LATER, 10, {ZHENXIONG})
        assert other.receiver == SHUIFU

    await store.write(task)


async def test_an_attempt_that_was_not_made_is_taken_back_once(store: SqlStore) -> None:
    """Also when nobody knew whether it was, and tried again; what a receipt said of it stays."""

    def task(work: Work) -> None:
        pack(work, message(1), message(2))
        (sent, parked) = work.outbox.due(LATER, 10)
        work.outbox.sent([sent.message_id, parked.message_id], LATER)
        work.outbox.close(parked.message_id, MessageState.PARKED, "r", LATER)
        for _ in range(2):
            work.outbox.take_back({one.message_id: one.attempts for one in (sent, parked)})
            found = [(one.state, one.attempts) for one in work.outbox.due(NOW, 10)]
            assert found == [(MessageState.READY, 0), (MessageState.PARKED, 0)]
        for _ in range(2):
            work.outbox.sent([sent.message_id], LATER)
        for _ in range(2):
            work.outbox.take_back({sent.message_id: 1})
        assert [(one.state, one.attempts) for one in work.outbox.due(NOW, 1)] == [
            (MessageState.SENT, 1)
        ]

    await store.write(task)


async def test_what_waits_too_long_is_sent_no_more_by_itself(store: SqlStore) -> None:
    """Only what was never answered grows overdue; what its peer asks for goes and stays dead until
    the receipt, what an operator restarts has a new term.
    """

    def task(work: Work) -> None:
        pack(work, message(1), message(2), message(3))
        work.outbox.close(message(2).message_id, MessageState.PARKED, "r", LATER)
        assert not work.backlog.overdue(NOW, 10)
        overdue = work.backlog.overdue(LATER, 10)
        assert sorted(one.sequence for one in overdue) == [1, 3]
        work.backlog.bury(message(1).message_id)
        assert [one.sequence for one in work.backlog.overdue(LATER, 10)] == [3]
        work.outbox.make_due(NOW)
        assert [one.sequence for one in work.outbox.due(LATER, 10)] == [2, 3]
        assert work.backlog.revive(WUHUA, ZHENXIONG, 1, 3, 3, LATER) == 1
        found = work.outbox.find(WUHUA, message(3).message_id)
        assert found is not None
        assert found.waits_since == NOW, "who only asks has not answered"
        work.outbox.close(message(3).message_id, MessageState.APPLIED, "r", None)
        assert work.backlog.revive(WUHUA, ZHENXIONG, 1, 1, 3, LATER) == 1
        assert [one.state for one in work.outbox.due(LATER, 1)] == [MessageState.PARKED]
        found = work.outbox.find(WUHUA, message(1).message_id)
        assert found is not None
        assert found in work.outbox.due(LATER, 10)
        assert (found.state, found.waits_since) == (MessageState.DEAD, NOW)
        work.backlog.restart(message(1).message_id, LATER)
        found = work.outbox.find(WUHUA, message(1).message_id)
        assert found is not None
        assert (found.state, found.waits_since) == (MessageState.SENT, LATER)
        assert work.backlog.revive(WUHUA, ZHENXIONG, 1, 1, 3, LATER, receipted=True) == 3
        found = work.outbox.find(WUHUA, message(3).message_id)
        assert found is not None
        assert found.waits_since == LATER
        work.recoveries.begin_lane(WUHUA, ZHENXIONG, SendingLane(2), LaneHead(1, 2, "d2"), LATER)
        assert work.backlog.revive(WUHUA, ZHENXIONG, 1, 1, 3, LATER, receipted=True) == 2
        replaced = work.outbox.find(WUHUA, message(3).message_id)
        assert replaced is not None
        assert replaced.state is MessageState.REPLACED

    await store.write(task)


async def test_each_lane_shows_what_waits_on_it(store: SqlStore) -> None:
    """The longest waiting first, none of those held back."""

    def task(work: Work) -> None:
        for event_id in ("e1", "e2", "e3"):
            work.outbox.deliver(WUHUA, (ZHENXIONG, SHUIFU), event_id)
        assert work.outbox.waiting_lanes() == [(WUHUA, ZHENXIONG), (WUHUA, SHUIFU)]
        on_lane = work.outbox.waiting_on(WUHUA, ZHENXIONG, 2)
        assert [one.event_id for one in on_lane] == ["e1", "e2"]
        work.outbox.hold_back(WUHUA, ZHENXIONG, LATER)
        assert work.outbox.waiting_lanes() == [(WUHUA, SHUIFU)]
        assert not work.outbox.waiting_on(WUHUA, ZHENXIONG, 1)
        assert len(work.outbox.waiting_on(WUHUA, SHUIFU, 9)) == 3

    await store.write(task)


async def test_lanes_are_counted_by_what_is_proved(store: SqlStore) -> None:
    """A receipt counts when it is in the store; an earlier incarnation is counted apart."""

    def task(work: Work) -> None:
        pack(work, message(1), message(2), message(3))
        work.inbox.add_receipt(WUHUA, "r1", ZHENXIONG, b"signed")
        work.outbox.close(message(1).message_id, MessageState.APPLIED, "r1", None)
        work.backlog.bury(message(3).message_id)
        pack(work, replace(message(1), message_id="anew", incarnation=2))
        work.inbox.advance(WUHUA, SHUIFU, ReceivingLane(1, 2, DIGEST))
        assert work.lanes.peers(WUHUA) == [ZHENXIONG, SHUIFU]
        before, now, other = work.lanes.balances(WUHUA)
        counts = (before.receipted, before.in_flight, before.dead, before.stored)
        assert (before.incarnation, before.balanced, counts) == (1, True, (1, 1, 1, 3))
        assert (now.incarnation, now.balanced, now.in_flight) == (2, True, 1)
        assert (other.peer, other.received, other.answered) == (SHUIFU, 1, 0)
        assert not other.balanced

    await store.write(task)
