"""A delivery that is packed again keeps the term it had; a message that was replaced has no bytes.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment since when a delivery waits, and free what nobody sends any more."""
    op.add_column("deliveries", sa.Column("waits_since", sa.String(32)))
    outbox = sa.table("outbox", sa.column("state"), sa.column("envelope", sa.LargeBinary))
    op.execute(sa.update(outbox).where(outbox.c.state == "REPLACED").values(envelope=b""))
