"""The shelves: one table for each kind of aggregate."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from gateway.domain.absences import Absence
from gateway.domain.cases import DropoutCase
from gateway.domain.exchanges import AgencyExchange
from gateway.domain.letters import Letter
from gateway.domain.orders import RetrievalOrder
from gateway.domain.placements import Placement
from gateway.domain.subjects import Subject
from gateway.store.tables import shelf_table

SHELVES: Mapping[type[Any], Table] = {
    Absence: shelf_table("absences"),
    Subject: shelf_table("subjects"),
    DropoutCase: shelf_table("cases"),
    Letter: shelf_table("letters"),
    RetrievalOrder: shelf_table("orders"),
    Placement: shelf_table("placements"),
    AgencyExchange: shelf_table("exchanges"),
}
"""Kind of aggregate -> its table."""
