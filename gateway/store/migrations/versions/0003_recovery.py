"""Recovery of a restored store: own recoveries, what was returned to others, and the start counter.

A store that comes from before has no start counter yet: it is counted from its next start on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ORG = sa.String(40)
ID = sa.String(40)
INSTANT = sa.String(32)
HEAD = sa.String(100)


def upgrade() -> None:
    """Make the tables, and let a receiving lane be closed."""
    op.add_column("receiving_lanes", sa.Column("closed_after", sa.BigInteger()))
    _recoveries()
    _facts()
    _returns()


def _recoveries() -> None:
    op.create_table(
        "recoveries",
        sa.Column("org", ORG, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("facts_since", INSTANT),
        sa.Column("witness", ORG),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("org", "recovery_id", name="pk_recoveries"),
    )
    op.create_table(
        "recovery_peers",
        sa.Column("org", ORG, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("peer", ORG, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("ask_at", INSTANT),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("received", HEAD),
        sa.Column("sent", HEAD),
        sa.Column("answered_at", INSTANT),
        sa.PrimaryKeyConstraint("org", "recovery_id", "peer", name="pk_recovery_peers"),
    )
    op.create_index("ix_recovery_peers_ask_at", "recovery_peers", ["ask_at"])
    op.create_table(
        "recovery_waivers",
        sa.Column("org", ORG, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("peer", ORG, nullable=False),
        sa.Column("post", sa.String(40), nullable=False),
        sa.Column("request_id", ID, nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org", "recovery_id", "peer", "post", name="pk_recovery_waivers"),
    )


def _facts() -> None:
    op.create_table(
        "returned_parts",
        sa.Column("org", ORG, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("peer", ORG, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org", "recovery_id", "peer", "made_at", "part", name="pk_returned_parts"
        ),
    )
    op.create_table(
        "recovered_facts",
        sa.Column("org", ORG, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("returned_by", ORG, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("rebuilt", sa.Integer(), nullable=False),
        sa.Column("checked_at", INSTANT),
        sa.PrimaryKeyConstraint("org", "event_id", name="pk_recovered_facts"),
    )
    op.create_index(
        "ix_recovered_facts_org_recovery_id_event_id",
        "recovered_facts",
        ["org", "recovery_id", "event_id"],
    )


def _returns() -> None:
    op.create_table(
        "returns",
        sa.Column("org", ORG, nullable=False),
        sa.Column("peer", ORG, nullable=False),
        sa.Column("recovery_id", ID, nullable=False),
        sa.Column("facts_since", INSTANT),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("org", "peer", "recovery_id", name="pk_returns"),
    )
    op.create_index("ix_returns_due", "returns", ["due"])
    op.create_table(
        "starts",
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("from_backup", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_starts"),
    )
