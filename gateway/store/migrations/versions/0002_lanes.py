"""The lanes complete: statements, dead letters and the balance of each lane."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
