"""A recovery keeps under which version of the directory each peer answered.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whoever answered before said nothing of it."""
    column = sa.Column("directory", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("recovery_peers", column)
