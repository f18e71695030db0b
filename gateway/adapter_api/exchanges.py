"""What an adapter is asked to do, and its three outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.adapter_api.facts import Fact


@dataclass(frozen=True)
class Person:
    """The child, with just the fields that the agency may see (docs/rules.md, visibility).

    A field that the agency must not see is empty; `masked` says that what is there is masked.
    """

    name: str = ""
    id_number: str = ""
    enrolment_number: str = ""
    birth_date: date | None = None
    masked: bool = False


@dataclass(frozen=True)
class Exchange:
    """One thing asked of the agency's system.

    `exchange_id` is a UUID and the key of idempotency: the same exchange may be brought again after
    a crash and must not be carried out twice. `kind` is one of those the adapter declared:

    - `hukou`: look up the current household registration of `person`; answer HukouStatement.
    - `absence_entry`: enter a three-day absence; `fields` has `school`, `school_days`, `reason`.
    - `body_entry`: enter the confirmed retrieval body; `fields` has `body`, `row`.
    - `order_entry`: enter a retrieval order; `fields` has `order_no`, `issuer`, `township`.
    - `step_entry`: enter the outcome of a step; `fields` has `order_id`, `step`, `outcome`, `date`.
    - `return_entry`: enter the return; `fields` has `school`, `date`.

    All `*_entry` kinds answer PlatformEntry. `object_id` names the absence, case or order meant,
    `subject_token` the child without identifying it. `asked_at` is aware UTC.
    """

    exchange_id: str
    kind: str
    asked_by: str
    asked_at: datetime
    object_id: str
    subject_token: str
    person: Person | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """Carried out; `fact` is what the agency states."""

    fact: Fact


@dataclass(frozen=True)
class Refused:
    """Refused for good; `reason` is one sentence without personal data."""

    reason: str


@dataclass(frozen=True)
class TryLater:
    """Not possible now; tried again after at least `after_seconds`. `reason` as in Refused."""

    reason: str
    after_seconds: float = 5.0


Outcome = Done | Refused | TryLater
