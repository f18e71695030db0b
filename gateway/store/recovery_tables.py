"""The tables of recovery: own ones with their peers, what was given back to others, and the starts."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from gateway.store.tables import Instant, metadata

_ORG = String(40)
_ID = String(40)

recoveries = Table(
    "recoveries",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("recovery_id", _ID, primary_key=True),
    Column("cause", String(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("facts_since", Instant),
    Column("witness", _ORG),
    Column("ended_at", Instant),
)

recovery_peers = Table(
    "recovery_peers",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("recovery_id", _ID, primary_key=True),
    Column("peer", _ORG, primary_key=True),
    Column("state", String(10), nullable=False),
    Column("ask_at", Instant),
    Column("asked", Integer, nullable=False),
    Column("received", String(100)),
    Column("sent", String(100)),
    Column("answered_at", Instant),
    Column("directory", BigInteger, nullable=False, server_default="0"),
    Index(None, "ask_at"),
)

recovery_waivers = Table(
    "recovery_waivers",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("recovery_id", _ID, primary_key=True),
    Column("peer", _ORG, primary_key=True),
    Column("post", String(40), primary_key=True),
    Column("request_id", _ID, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("decided_at", Instant, nullable=False),
)

returned_parts = Table(
    "returned_parts",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("recovery_id", _ID, primary_key=True),
    Column("peer", _ORG, primary_key=True),
    Column("made_at", Instant, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

recovered_facts = Table(
    "recovered_facts",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("event_id", _ID, primary_key=True),
    Column("recovery_id", _ID, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("case_id", _ID, nullable=False),
    Column("returned_by", _ORG, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("rebuilt", Integer, nullable=False),
    Column("checked_at", Instant),
    Index(None, "org", "recovery_id", "event_id"),
)

returns = Table(
    "returns",
    metadata,
    Column("org", _ORG, primary_key=True),
    Column("peer", _ORG, primary_key=True),
    Column("recovery_id", _ID, primary_key=True),
    Column("facts_since", Instant),
    Column("made_at", Instant, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Index(None, "due"),
)

starts = Table(
    "starts",
    metadata,
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("from_backup", Integer, nullable=False),
)
"""One row: how often a node has started on this store, and whether a backup made this copy."""
