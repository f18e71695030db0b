"""The indexes of what waits hold nothing else, so that they stay small as the store grows.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SERVICE = ("next_attempt", "sender", "receiver", "incarnation", "sequence")


def upgrade() -> None:
    """Make both indexes anew for the rows that wait."""
    _narrow("ix_deliveries_held_until", "deliveries", ("held_until",))
    _narrow(f"ix_outbox_{'_'.join(_SERVICE)}", "outbox", _SERVICE)


def _narrow(name: str, table: str, columns: tuple[str, ...]) -> None:
    waiting = sa.column(columns[0]).is_not(None)
    op.drop_index(name, table)
    op.create_index(name, table, list(columns), sqlite_where=waiting, postgresql_where=waiting)
