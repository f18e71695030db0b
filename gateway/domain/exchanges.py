"""What is asked of an agency's system and how it ended; kept by the agency's own store."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.organisations import OrgId


class ExchangeState(StrEnum):
    """State of an exchange."""

    WAITING = "WAITING"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class AgencyExchange:
    """One exchange; its id is that of the event which asked, so that an event asks once."""

    id: str
    kind: str
    state: ExchangeState
    asked_by: OrgId
    asked_at: datetime
    changed_at: datetime
    due_at: datetime
    object_id: str
    subject_id: str
    case_id: str = ""
    episode: int = 1
    fields: tuple[tuple[str, str], ...] = ()
    version: int = 1
    attempts: int = 0
    answer_event_id: str = ""
    last_trouble: str = ""

    def changed(self, now: datetime, **fields: object) -> "AgencyExchange":
        """Return the exchange with other field values, as its next version."""
        return replace(self, version=self.version + 1, changed_at=now, **fields)  # type: ignore[arg-type]
