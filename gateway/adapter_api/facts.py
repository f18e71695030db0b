"""What an agency may state: facts in answer to an exchange, and changes it found by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class HukouFinding(StrEnum):
    """How a look-up in the household register ended."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    AMBIGUOUS = "AMBIGUOUS"
    DECEASED = "DECEASED"
    OUT_OF_PROVINCE = "OUT_OF_PROVINCE"


@dataclass(frozen=True)
class HukouStatement:
    """The current household registration (户籍) of one child, as public security holds it.

    `county` has 6 digits, `township` 9; both are empty unless `finding` is FOUND (for
    OUT_OF_PROVINCE `county` may hold the 2-digit province). `snapshot_at` is the aware moment to
    which the register's content refers. Codes must be current ones (GB/T 2260).
    """

    finding: HukouFinding
    snapshot_at: datetime
    county: str = ""
    township: str = ""
    since: date | None = None


class Matter(StrEnum):
    """What an entry on the assistance platform (政府救助平台) is about."""

    ABSENCE = "ABSENCE"
    RETRIEVAL_BODY = "RETRIEVAL_BODY"
    RETRIEVAL_ORDER = "RETRIEVAL_ORDER"
    RETRIEVAL_STEP = "RETRIEVAL_STEP"
    RETURN = "RETURN"


@dataclass(frozen=True)
class PlatformEntry:
    """The platform holds an entry. `entered_at` is aware; `object_id` names what it is about."""

    matter: Matter
    entry_no: str
    object_id: str
    entered_at: datetime


Fact = HukouStatement | PlatformEntry


@dataclass(frozen=True)
class Change:
    """A record that changed in the agency's system.

    `record_key` is the agency's own key; the same key with an equal fact is one change, however
    often it is read. `origin_exchange_id` is the exchange that made the record, when the record is
    the gateway's own work: such an echo is recognised and dropped.
    """

    record_key: str
    occurred_at: datetime
    fact: Fact
    origin_exchange_id: str = ""


@dataclass(frozen=True)
class Changes:
    """One page of changes and the cursor from which the next page is asked."""

    changes: Sequence[Change]
    cursor: str
