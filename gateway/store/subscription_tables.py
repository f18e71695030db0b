"""The tables of subscribers, of what they set aside, and of the chains of published facts."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from gateway.store.tables import Instant, metadata

_ORG = String(40)
_ID = String(40)
_HASH = String(64)
_NAME = String(64)

subscribers = Table(
    "subscribers",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

rejected_events = Table(
    "rejected_events",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("subscriber", _NAME, primary_key=True),
    Column("event_id", _ID, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("type", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("rejected_at", Instant, nullable=False),
    Column("times", Integer, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Index(None, "org", "subscriber", "position"),
)

fact_chains = Table(
    "fact_chains",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("type", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("head", _HASH, nullable=False),
    Column("looked_at", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
)

fact_notices = Table(
    "fact_notices",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("type", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", _ID, nullable=False),
    Column("noted_at", Instant, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
)
