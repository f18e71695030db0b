"""The lanes complete: dead letters take the place of the quarantine, and mail has its terms.

What stood in quarantine is carried over. The index of what is due gets the order of service.
"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ORG = sa.String(40)
ID = sa.String(40)
HASH = sa.String(64)
INSTANT = sa.String(32)
KIND = {"EQUIVOCATION": "EQUIVOCATION", "LANE_BROKEN": "LANE_BROKEN"}


def upgrade() -> None:
    """Make the tables."""
    _dead_letters()
    _terms()


def _dead_letters() -> None:
    letters = op.create_table(
        "dead_letters",
        sa.Column("org", ORG, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("arose_at", INSTANT, nullable=False),
        sa.Column("peer", ORG),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("earlier_digest", HASH, nullable=False),
        sa.Column("receipt_id", ID, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("redrives", sa.Integer(), nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("discard_reason", sa.String(20)),
        sa.PrimaryKeyConstraint("org", "id", name="pk_dead_letters"),
        sa.UniqueConstraint("org", "kind", "subject", name="uq_dead_letters_org_kind_subject"),
    )
    op.create_index("ix_dead_letters_org_state_id", "dead_letters", ["org", "state", "id"])
    quarantine = sa.table(
        "quarantine",
        *(sa.column(n) for n in ("receiver", "digest", "reason", "data", "arrived_at")),
    )
    for row in op.get_bind().execute(sa.select(quarantine)).all():
        op.get_bind().execute(
            sa.insert(letters).values(
                org=row.receiver,
                id=str(UUID(hex=row.digest[:32])),
                kind=KIND.get(row.reason, "UNAUTHENTIC"),
                subject=row.digest,
                state="OPEN",
                reason=row.reason,
                arose_at=row.arrived_at,
                message_id="",
                event_id="",
                digest=row.digest,
                earlier_digest="",
                receipt_id="",
                envelope=row.data,
                evidence=b"",
                redrives=0,
            )
        )
    op.drop_table("quarantine")


def _terms() -> None:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    op.add_column("outbox", sa.Column("waits_since", INSTANT))
    outbox = sa.table("outbox", sa.column("waits_since"))
    op.execute(sa.update(outbox).values(waits_since=now))
    op.drop_index("ix_outbox_next_attempt", "outbox")
    op.create_index(
        "ix_outbox_next_attempt_sender_receiver_incarnation_sequence",
        "outbox",
        ["next_attempt", "sender", "receiver", "incarnation", "sequence"],
    )
    op.add_column(
        "parked_events", sa.Column("tries", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("parked_events", sa.Column("next_try", INSTANT))
    parked = sa.table("parked_events", sa.column("next_try"))
    op.execute(sa.update(parked).values(next_try=now))
    op.create_index("ix_parked_events_next_try", "parked_events", ["next_try"])
