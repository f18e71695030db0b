"""Placement of a child that comes back 复学安置 (art. 9, 10; A.7; D.3)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.organisations import OrgId
from gateway.domain.transitions import Machine

WATCH_DAYS = 90
"""Length of the watch period in calendar days; policy, not law (B07)."""


class PlacementKind(StrEnum):
    """Form of education."""

    VOCATIONAL_INTEGRATION = "VOCATIONAL_INTEGRATION"
    GROUP_CLASS = "GROUP_CLASS"
    SEPARATE_TEACHING = "SEPARATE_TEACHING"
    REGULAR_CLASS = "REGULAR_CLASS"
    SPECIAL_SCHOOL = "SPECIAL_SCHOOL"
    INCLUSIVE_CLASS = "INCLUSIVE_CLASS"
    WELFARE_INSTITUTION_CLASS = "WELFARE_INSTITUTION_CLASS"
    HOME_TEACHING = "HOME_TEACHING"
    SPECIALISED_SCHOOL = "SPECIALISED_SCHOOL"
    CUSTODY_EDUCATION = "CUSTODY_EDUCATION"


class PlacementState(StrEnum):
    """State of a placement."""

    PROPOSED = "PROPOSED"
    DECIDED = "DECIDED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    BROKEN = "BROKEN"


class PlacementTrigger(StrEnum):
    """What moves a placement."""

    DECIDE = "DECIDE"
    START = "START"
    COMPLETE = "COMPLETE"
    BREAK = "BREAK"


_S, _T = PlacementState, PlacementTrigger

MACHINE = Machine(
    "placement",
    {
        (_S.PROPOSED, _T.DECIDE): _S.DECIDED,
        (_S.DECIDED, _T.START): _S.STARTED,
        (_S.DECIDED, _T.BREAK): _S.BROKEN,
        (_S.STARTED, _T.COMPLETE): _S.COMPLETED,
        (_S.STARTED, _T.BREAK): _S.BROKEN,
    },
)


@dataclass(frozen=True)
class Placement:
    """A placement as one organisation sees it. Field meanings as in placement.proto."""

    id: str
    case_id: str
    subject_id: str
    school: OrgId
    state: PlacementState
    changed_at: datetime
    version: int = 1
    kind: PlacementKind | None = None
    plan_id: str = ""
    start_date: str = ""
    watch_until: str = ""

    def moved(self, trigger: PlacementTrigger, now: datetime, **fields: object) -> "Placement":
        """Return the placement after the trigger. Raises Refusal(ILLEGAL_TRANSITION)."""
        state = MACHINE.next(self.state, trigger)
        return replace(self, version=self.version + 1, changed_at=now, state=state, **fields)  # type: ignore[arg-type]
