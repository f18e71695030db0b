"""The first slice: aggregates, events, lanes, mail both ways, titles, vault, and small records.

Written out with types of its own: what a migration did must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ORG = sa.String(40)
ID = sa.String(40)
HASH = sa.String(64)
INSTANT = sa.String(32)  # ISO 8601, UTC, microseconds
# SQLite numbers rows by itself only when the key is its own INTEGER type.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SHELVES = ("absences", "subjects", "cases", "letters", "orders", "placements", "exchanges")


def upgrade() -> None:
    """Make every table."""
    for name in SHELVES:
        _shelf(name)
    _events()
    _sending()
    _receiving()
    _parking()
    _vault()
    _records()


def _shelf(name: str) -> None:
    op.create_table(
        name,
        sa.Column("org", ORG, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False, server_default=""),
        sa.Column("subject_id", ID, nullable=False, server_default=""),
        sa.Column("state", sa.String(40), nullable=False, server_default=""),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_org_state_id", name, ["org", "state", "id"])
    op.create_index(f"ix_{name}_org_case_id", name, ["org", "case_id"])
    op.create_index(f"ix_{name}_org_subject_id", name, ["org", "subject_id"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("org", ORG, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("source", ORG, nullable=False),
        sa.Column("logged_at", INSTANT, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "position", name="pk_events"),
        sa.UniqueConstraint("org", "event_id", name="uq_events_org_event_id"),
    )
    op.create_table(
        "event_cases",
        sa.Column("org", ORG, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", "case_id", "position", name="pk_event_cases"),
    )


def _sending() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("sender", ORG, nullable=False),
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("message_id", ID),
        sa.Column("held_until", INSTANT),
        sa.PrimaryKeyConstraint("number", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_message_id_number", "deliveries", ["message_id", "number"])
    op.create_index("ix_deliveries_held_until", "deliveries", ["held_until"])
    op.create_table(
        "sending_lanes",
        sa.Column("sender", ORG, nullable=False),
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("sender", "receiver", name="pk_sending_lanes"),
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("sender", ORG, nullable=False),
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", INSTANT),
        sa.Column("receipt_id", ID, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("message_id", name="pk_outbox"),
        sa.UniqueConstraint(
            *("sender", "receiver", "incarnation", "sequence"),
            name="uq_outbox_sender_receiver_incarnation_sequence",
        ),
    )
    op.create_index("ix_outbox_next_attempt", "outbox", ["next_attempt"])


def _receiving() -> None:
    op.create_table(
        "receiving_lanes",
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("sender", ORG, nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "sender", name="pk_receiving_lanes"),
    )
    op.create_table(
        "inbox",
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("sender", ORG, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("receipt_id", ID, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("arrived_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "sender", "message_id", name="pk_inbox"),
        sa.UniqueConstraint(
            *("receiver", "sender", "incarnation", "sequence"),
            name="uq_inbox_receiver_sender_incarnation_sequence",
        ),
    )
    op.create_table(
        "receipts",
        sa.Column("org", ORG, nullable=False),
        sa.Column("receipt_id", ID, nullable=False),
        sa.Column("peer", ORG, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "receipt_id", name="pk_receipts"),
    )
    op.create_table(
        "quarantine",
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("arrived_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "digest", name="pk_quarantine"),
    )


def _parking() -> None:
    op.create_table(
        "parked_events",
        sa.Column("number", SERIAL, autoincrement=True, nullable=False),
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("sender", ORG, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("parked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_parked_events"),
        sa.UniqueConstraint("receiver", "event_id", name="uq_parked_events_receiver_event_id"),
    )
    op.create_table(
        "parked_cases",
        sa.Column("receiver", ORG, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "case_id", "event_id", name="pk_parked_cases"),
    )


def _vault() -> None:
    op.create_table(
        "vault_parts",
        sa.Column("org", ORG, nullable=False),
        sa.Column("ref", ID, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "ref", "kind", "subject_id", name="pk_vault_parts"),
    )
    op.create_table(
        "vault_index",
        sa.Column("org", ORG, nullable=False),
        sa.Column("blind", HASH, nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("org", "blind", name="pk_vault_index"),
    )


def _records() -> None:
    op.create_table(
        "titles",
        sa.Column("org", ORG, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org", "case_id", "term", "number", name="pk_titles"),
    )
    op.create_table(
        "requests",
        sa.Column("org", ORG, nullable=False),
        sa.Column("request_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org", "request_id", name="pk_requests"),
    )
    op.create_table(
        "counters",
        sa.Column("org", ORG, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", "name", name="pk_counters"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("org", ORG, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org", "name", name="pk_bookmarks"),
    )
