"""The report of three and more school days without a valid reason (art. 4, 7; D.3)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from gateway.domain.cases import DropoutReason
from gateway.domain.organisations import OrgId
from gateway.domain.transitions import Machine


class AbsenceState(StrEnum):
    """State of a report."""

    REPORTED = "REPORTED"
    UNDER_FOLLOW_UP = "UNDER_FOLLOW_UP"
    EXCUSED = "EXCUSED"
    RETURNED = "RETURNED"
    ESCALATED = "ESCALATED"
    RETRACTED = "RETRACTED"


class AbsenceTrigger(StrEnum):
    """What moves a report."""

    ENTER = "ENTER"
    EXCUSE = "EXCUSE"
    RETURN = "RETURN"
    ESCALATE = "ESCALATE"
    RETRACT = "RETRACT"


_S, _T = AbsenceState, AbsenceTrigger

MACHINE = Machine(
    "report of absence",
    {
        (_S.REPORTED, _T.ENTER): _S.UNDER_FOLLOW_UP,
        (_S.REPORTED, _T.EXCUSE): _S.EXCUSED,
        (_S.REPORTED, _T.RETURN): _S.RETURNED,
        (_S.REPORTED, _T.ESCALATE): _S.ESCALATED,
        (_S.UNDER_FOLLOW_UP, _T.EXCUSE): _S.EXCUSED,
        (_S.UNDER_FOLLOW_UP, _T.RETURN): _S.RETURNED,
        (_S.UNDER_FOLLOW_UP, _T.ESCALATE): _S.ESCALATED,
        # A school alone cannot erase: RETRACT carries the bureau's approval (B27, art. 14.4).
        (_S.REPORTED, _T.RETRACT): _S.RETRACTED,
        (_S.UNDER_FOLLOW_UP, _T.RETRACT): _S.RETRACTED,
        (_S.EXCUSED, _T.RETRACT): _S.RETRACTED,
        (_S.RETURNED, _T.RETRACT): _S.RETRACTED,
        (_S.ESCALATED, _T.RETRACT): _S.RETRACTED,
    },
)


@dataclass(frozen=True)
class Absence:
    """A report as one organisation sees it. Field meanings as in absence.proto."""

    id: str
    subject_id: str
    school: OrgId
    state: AbsenceState
    counted_days: tuple[date, ...]
    recorded_at: datetime
    changed_at: datetime
    version: int = 1
    class_name: str = ""
    grade: int = 0
    reason: DropoutReason = DropoutReason.UNKNOWN
    platform_entry_no: str = ""
    case_id: str = ""

    def moved(self, trigger: AbsenceTrigger, now: datetime, **fields: object) -> "Absence":
        """Return the report after the trigger. Raises Refusal(ILLEGAL_TRANSITION)."""
        return self.changed(now, state=MACHINE.next(self.state, trigger), **fields)

    def changed(self, now: datetime, **fields: object) -> "Absence":
        """Return the report with other field values, as its next version."""
        return replace(self, version=self.version + 1, changed_at=now, **fields)  # type: ignore[arg-type]
