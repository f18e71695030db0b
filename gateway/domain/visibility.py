"""Which private parts exist, and who may see which (D.6)."""

from collections.abc import Mapping
from enum import StrEnum

from gateway.domain.fact_kinds import by
from gateway.domain.organisations import Role


class PartKind(StrEnum):
    """Private parts, the units of disclosure; the value is the name on the wire."""

    IDENTITY = "IDENTITY"
    GUARDIAN = "GUARDIAN"
    NARRATIVE = "NARRATIVE"
    MASKED_IDENTITY = "MASKED_IDENTITY"
    REASON = "REASON"
    WHEREABOUTS = "WHEREABOUTS"


_CASE_WORKERS = by(Role.EDU, Role.SCH, Role.TWN)

VISIBILITY: Mapping[PartKind, frozenset[Role]] = {
    PartKind.IDENTITY: _CASE_WORKERS | {Role.PSB},
    PartKind.GUARDIAN: _CASE_WORKERS,
    PartKind.NARRATIVE: _CASE_WORKERS,
    PartKind.MASKED_IDENTITY: by(Role.RRB),
    PartKind.REASON: by(Role.EDU),
    PartKind.WHEREABOUTS: by(Role.EDU, Role.TWN),
}
"""Which role may see which part while it is party to the matter (D.6). What a role may not see is
not even sent to it. Who sees a child masked gets a part of its own that was masked by the source."""


def may_see(role: Role, kind: PartKind) -> bool:
    """Say whether the role may see the part."""
    return role in VISIBILITY[kind]
