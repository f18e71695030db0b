"""The shelves: one table for each kind of aggregate."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from gateway.domain.absences import Absence
from gateway.domain.cases import DropoutCase
from gateway.domain.exchanges import AgencyExchange
from gateway.domain.letters import Letter
from gateway.domain.orders import RetrievalOrder
from gateway.domain.placements import Placement
from gateway.domain.subjects import Subject
from gateway.store.tables import Instant, metadata


def _shelf(name: str) -> Table:
    """Make the table of one kind of aggregate: keys, what lists filter by, and the document."""
    return Table(
        name,
        metadata,
        Column("org", String(40), primary_key=True),
        Column("id", String(40), primary_key=True),
        Column("case_id", String(40), nullable=False, server_default=""),
        Column("subject_id", String(40), nullable=False, server_default=""),
        Column("state", String(40), nullable=False, server_default=""),
        Column("version", Integer, nullable=False),
        Column("changed_at", Instant, nullable=False),
        Column("document", LargeBinary, nullable=False),
        Index(None, "org", "state", "id"),
        # With the id at the end: pages are newest first, and SQLite would sooner read everything in
        # that order than sort.
        Index(None, "org", "case_id", "id"),
        Index(None, "org", "subject_id", "id"),
    )


SHELVES: Mapping[type[Any], Table] = {
    Absence: _shelf("absences"),
    Subject: _shelf("subjects"),
    DropoutCase: _shelf("cases"),
    Letter: _shelf("letters"),
    RetrievalOrder: _shelf("orders"),
    Placement: _shelf("placements"),
    AgencyExchange: _shelf("exchanges"),
}
"""Kind of aggregate -> its table."""
