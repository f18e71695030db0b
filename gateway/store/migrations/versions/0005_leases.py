"""Several processes on one database: who does the duties, and what was committed last by each."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


# Integers of the wire that PostgreSQL would have refused to look up; SQLite's are wide anyway.
WIDENED = {
    "sending_lanes": ("incarnation",),
    "receiving_lanes": ("incarnation",),
    "outbox": ("incarnation",),
    "inbox": ("incarnation",),
    "titles": ("term", "number"),
}


def upgrade() -> None:
    """Make the tables, and widen what peers number."""
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in WIDENED.items():
            for column in columns:
                op.alter_column(table, column, type_=sa.BigInteger())
    op.create_table(
        "leases",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "commit_marks",
        sa.Column("writer", sa.String(40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_commit_marks"),
    )
