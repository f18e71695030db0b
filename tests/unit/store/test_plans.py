"""What looks for what waits reads that alone, however much has gone out before."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from gateway.domain.lanes import SendingLane
from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import Work
from gateway.store.checks import lane_findings
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.store.writer import SqlStore

WUHUA = OrgId.parse("530102/edu")
ZHENXIONG = OrgId.parse("530627/edu")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DIGEST = "d" * 64
SENT_BEFORE = 200


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Open an SQLite store, the database that has no statistics to plan by."""
    opened = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def statements(engine: Engine) -> list[str]:
    """Every statement that is executed, with its values."""
    seen: list[str] = []
    event.listen(
        engine, "connect", lambda connection, _: connection.set_trace_callback(seen.append)
    )
    engine.dispose()  # what was opened before is not listened to
    return seen


def sent_and_answered(work: Work) -> None:
    """Let many messages go out and be answered."""
    for number in range(1, SENT_BEFORE + 1):
        work.outbox.deliver(WUHUA, (ZHENXIONG,), f"event {number}")
        made = OutMessage(f"message {number}", WUHUA, ZHENXIONG, 1, number, DIGEST, b"")
        numbers = [one.number for one in work.outbox.waiting(1)]
        work.outbox.pack(made, numbers, SendingLane(1, number + 1, DIGEST))
        work.outbox.close(made.message_id, MessageState.APPLIED, f"receipt {number}", None)


def look_for_what_waits(work: Work) -> None:
    """Look for everything that the relay and the keeper of lanes look for again and again."""
    assert not work.outbox.waiting(10)
    assert not work.outbox.waiting_on(WUHUA, ZHENXIONG, 10)
    assert not work.outbox.waiting_lanes()
    assert not work.outbox.due(NOW + timedelta(days=9), 10)
    assert not work.backlog.overdue(NOW, 10)
    work.outbox.release(NOW)


async def test_what_has_gone_out_is_not_read_again(engine: Engine, statements: list[str]) -> None:
    """No statement scans the outbox or the deliveries, nor what stands under NULL in an index."""
    store = SqlStore(engine, bytes(range(32)))
    try:
        await store.write(sent_and_answered)
        statements.clear()
        await store.write(look_for_what_waits)
        lane_findings(engine, NOW)
        plans = {statement: plan for statement, plan in explained(engine, statements) if plan}
    finally:
        await store.close()
    assert any("outbox" in statement for statement in plans)
    for statement, plan in plans.items():
        assert "SCAN outbox" not in plan, statement
        assert "SCAN deliveries" not in plan, statement
        assert "held_until=?" not in plan, statement
        assert "next_attempt=?" not in plan, statement


def explained(engine: Engine, statements: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each statement on tables with how SQLite carries it out."""
    with sqlite3.connect(str(engine.url.database)) as database:
        for statement in set(statements):
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                rows = database.execute(f"EXPLAIN QUERY PLAN {statement}")
                yield statement, "; ".join(row[3] for row in rows)
