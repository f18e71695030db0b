"""The tables. Every row belongs to one organisation at home on the node: `org` is in every key.

No column holds a name, identity number, telephone or address, except `vault_parts.content`.
Times are ISO 8601 text in UTC with microseconds, so that both databases sort them alike.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as sortable text."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Turn an aware datetime into text. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without its zone is not stored")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Turn the text back into an aware datetime."""
        return None if value is None else datetime.fromisoformat(value)


AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""A moment that has always passed: due at once."""

_ORG = String(40)
_ID = String(40)
_HASH = String(64)
# SQLite numbers rows by itself only when the key is its own INTEGER type.
_Serial = BigInteger().with_variant(Integer, "sqlite")
# What peers number, as wide as on the wire: a number too large is judged, not an error of the store.
_Int64 = BigInteger().with_variant(Integer, "sqlite")


def _waiting_only(name: str, moment: str, *rest: str) -> Index:
    """Make an index of those rows alone that wait for a moment.

    Nearly all rows have stopped waiting. In an ordinary index they would stand together under NULL,
    and SQLite, which keeps no statistics here, would look through all of them.
    """
    waiting = column(moment).is_not(None)
    return Index(name, moment, *rest, sqlite_where=waiting, postgresql_where=waiting)


events = Table(
    "events",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("event_id", _ID, nullable=False),
    Column("type", Integer, nullable=False),
    Column("source", _ORG, nullable=False),
    Column("logged_at", Instant, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("head", LargeBinary),  # of the chain at this position; every row has one
    UniqueConstraint("org", "event_id"),
    Index(None, "org", "source", "event_id"),
)

event_cases = Table(
    "event_cases",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("case_id", _ID, primary_key=True),
    Column("position", BigInteger, primary_key=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("sender", _ORG, nullable=False),
    Column("receiver", _ORG, nullable=False),
    Column("event_id", _ID, nullable=False),
    Column("message_id", _ID),
    Column("held_until", Instant),
    Column("waits_since", Instant),
    Index(None, "message_id", "number"),
    _waiting_only("ix_deliveries_held_until", "held_until"),
)

sending_lanes = Table(
    "sending_lanes",
    metadata,
    Column("sender", _ORG, primary_key=True),
    Column("receiver", _ORG, primary_key=True),
    Column("incarnation", _Int64, nullable=False),
    Column("next_sequence", BigInteger, nullable=False),
    Column("head_hash", _HASH, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", _ID, primary_key=True),
    Column("sender", _ORG, nullable=False),
    Column("receiver", _ORG, nullable=False),
    Column("incarnation", _Int64, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", _HASH, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", Instant),
    Column("receipt_id", _ID, nullable=False, server_default=""),
    Column("waits_since", Instant),
    UniqueConstraint("sender", "receiver", "incarnation", "sequence"),
    # In the order of service: what was never sent (AT_ONCE) before what is sent again.
    _waiting_only(
        "ix_outbox_next_attempt_sender_receiver_incarnation_sequence",
        "next_attempt",
        "sender",
        "receiver",
        "incarnation",
        "sequence",
    ),
)

receiving_lanes = Table(
    "receiving_lanes",
    metadata,
    Column("receiver", _ORG, primary_key=True),
    Column("sender", _ORG, primary_key=True),
    Column("incarnation", _Int64, nullable=False),
    Column("next_sequence", BigInteger, nullable=False),
    Column("head_hash", _HASH, nullable=False),
    Column("closed_after", BigInteger),
)

inbox = Table(
    "inbox",
    metadata,
    Column("receiver", _ORG, primary_key=True),
    Column("sender", _ORG, primary_key=True),
    Column("message_id", _ID, primary_key=True),
    Column("incarnation", _Int64, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", _HASH, nullable=False),
    Column("receipt_id", _ID, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("arrived_at", Instant, nullable=False),
    UniqueConstraint("receiver", "sender", "incarnation", "sequence"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("receipt_id", _ID, primary_key=True),
    Column("peer", _ORG, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

parked_events = Table(
    "parked_events",
    metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),
    Column("receiver", _ORG, nullable=False),
    Column("event_id", _ID, nullable=False),
    Column("message_id", _ID, nullable=False),
    Column("sender", _ORG, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("parked_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try", Instant),
    UniqueConstraint("receiver", "event_id"),
    Index(None, "next_try"),
    Index(None, "receiver", "sender"),
)

parked_cases = Table(
    "parked_cases",
    metadata,
    Column("receiver", _ORG, primary_key=True),
    Column("case_id", _ID, primary_key=True),
    Column("event_id", _ID, primary_key=True),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("id", _ID, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("arose_at", Instant, nullable=False),
    Column("peer", _ORG),
    Column("message_id", _ID, nullable=False),
    Column("event_id", _ID, nullable=False),
    Column("digest", _HASH, nullable=False),
    Column("earlier_digest", _HASH, nullable=False),
    Column("receipt_id", _ID, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("redrives", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("discard_reason", String(20)),
    UniqueConstraint("org", "kind", "subject"),
    Index(None, "org", "state", "id"),
)

titles = Table(
    "titles",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("case_id", _ID, primary_key=True),
    Column("term", _Int64, primary_key=True),
    Column("number", _Int64, primary_key=True),
    Column("digest", _HASH, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)

vault_parts = Table(
    "vault_parts",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("ref", _ID, primary_key=True),
    Column("kind", Integer, primary_key=True),
    Column("subject_id", _ID, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

vault_index = Table(
    "vault_index",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("blind", _HASH, primary_key=True),
    Column("subject_id", _ID, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("request_id", _ID, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("answered_at", Instant, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("value", Text, nullable=False),
)
