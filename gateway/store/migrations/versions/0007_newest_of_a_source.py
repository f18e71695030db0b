"""What a peer stated last, and what of it is parked, is found without reading the whole log.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index events by source and parked events by sender."""
    op.create_index("ix_events_org_source_event_id", "events", ["org", "source", "event_id"])
    op.create_index("ix_parked_events_receiver_sender", "parked_events", ["receiver", "sender"])
