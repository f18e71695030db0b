"""Subscriptions: the chain of the log, subscribers, what they set aside, chains of facts."""

import hashlib

import sqlalchemy as sa
from alembic import op

from gateway.v1.envelope_pb2 import SignedEnvelope

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ORG = sa.String(40)
ID = sa.String(40)
HASH = sa.String(64)
NAME = sa.String(64)
INSTANT = sa.String(32)  # ISO 8601, UTC, microseconds

MARK = "subscriber "  # how the bookmark of a subscriber was called


def upgrade() -> None:
    """Make the tables, chain the logs as they are, and take over the subscribers' bookmarks."""
    op.add_column("events", sa.Column("head", sa.LargeBinary()))
    _chain_the_logs()
    _subscribers()
    _facts()
    _take_over_bookmarks()


def _chain_the_logs() -> None:
    events = sa.table(
        "events",
        sa.column("org", ORG),
        sa.column("position", sa.BigInteger),
        sa.column("envelope", sa.LargeBinary),
        sa.column("head", sa.LargeBinary),
    )
    connection = op.get_bind()
    key = (events.c.org == sa.bindparam("of"), events.c.position == sa.bindparam("at"))
    chained = sa.update(events).where(*key).values(head=sa.bindparam("is"))
    for org in connection.scalars(sa.select(events.c.org).distinct()).all():
        head, position = bytes(32), 0
        page = sa.select(events.c.envelope).where(events.c.org == org).limit(500)
        page = page.order_by(events.c.position)
        while found := connection.scalars(page.where(events.c.position > position)).all():
            rows = []
            for envelope in found:
                position += 1
                digest = hashlib.sha256(SignedEnvelope.FromString(envelope).payload).digest()
                link = b"dropout-gateway/v1/log\0" + head + position.to_bytes(8) + digest
                head = hashlib.sha256(link).digest()
                rows.append({"of": org, "at": position, "is": head})
            connection.execute(chained, rows)


def _subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("org", ORG, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org", "name", name="pk_subscribers"),
    )
    op.create_table(
        "rejected_events",
        sa.Column("org", ORG, nullable=False),
        sa.Column("subscriber", NAME, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("rejected_at", INSTANT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("org", "subscriber", "event_id", name="pk_rejected_events"),
    )
    op.create_index(
        "ix_rejected_events_org_subscriber_position",
        "rejected_events",
        ["org", "subscriber", "position"],
    )


def _facts() -> None:
    op.create_table(
        "fact_chains",
        sa.Column("org", ORG, nullable=False),
        sa.Column("type", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("head", HASH, nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", "type", name="pk_fact_chains"),
    )
    op.create_table(
        "fact_notices",
        sa.Column("org", ORG, nullable=False),
        sa.Column("type", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "type", "sequence", name="pk_fact_notices"),
    )


def _take_over_bookmarks() -> None:
    bookmarks = sa.table(
        "bookmarks", sa.column("org", ORG), sa.column("name", ID), sa.column("value", sa.Text)
    )
    subscribers = sa.table(
        "subscribers",
        sa.column("org", ORG),
        sa.column("name", NAME),
        sa.column("position", sa.BigInteger),
        sa.column("seen_at", INSTANT),
    )
    connection = op.get_bind()
    theirs = bookmarks.c.name.like(f"{MARK}%")
    rows = [
        {
            "org": org,
            "name": name.removeprefix(MARK),
            "position": int(value),
            "seen_at": "1970-01-01T00:00:00.000000+00:00",  # nobody wrote it down
        }
        for org, name, value in connection.execute(sa.select(bookmarks).where(theirs))
    ]
    if rows:
        connection.execute(sa.insert(subscribers), rows)
        connection.execute(sa.delete(bookmarks).where(theirs))
