"""A page of the records of a case or a child is read from one index, newest first.

Without the record's own identifier in it, SQLite reads all records of the organisation instead.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SHELVES = ("absences", "subjects", "cases", "letters", "orders", "placements", "exchanges")


def upgrade() -> None:
    """Let the identifier follow in the indexes by case and by child."""
    for shelf in _SHELVES:
        for column in ("case_id", "subject_id"):
            op.drop_index(f"ix_{shelf}_org_{column}", shelf)
            op.create_index(f"ix_{shelf}_org_{column}_id", shelf, ["org", column, "id"])
