"""The child's record: a random token, and who said where household and enrolment are (D.3).

Identity is not here: it stands in the vault under the token.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from gateway.domain.organisations import OrgId, Role


class HukouFinding(StrEnum):
    """How a look-up in the household register ended."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    AMBIGUOUS = "AMBIGUOUS"
    DECEASED = "DECEASED"
    OUT_OF_PROVINCE = "OUT_OF_PROVINCE"


class Sex(StrEnum):
    """Sex after GB/T 2261.1 (codes 1, 2, 9); None where it follows from the identity number."""

    MALE = "MALE"
    FEMALE = "FEMALE"
    NOT_STATED = "NOT_STATED"


@dataclass(frozen=True)
class PersonIdentity:
    """Who a child is. Lives in the vault and in private parts only."""

    name: str
    id_number: str = ""
    enrolment_number: str = ""
    birth_date: date | None = None
    sex: Sex | None = None

    def __repr__(self) -> str:
        """Show nothing: a repr ends up in logs and test output."""
        return "PersonIdentity(...)"


@dataclass(frozen=True)
class GuardianContact:
    """How to reach the guardian. Lives in the vault and in private parts only."""

    name: str = ""
    phone: str = ""
    address: str = ""
    relation: str = ""

    def __repr__(self) -> str:
        """Show nothing, as for PersonIdentity."""
        return "GuardianContact(...)"


@dataclass(frozen=True)
class HukouAssertion:
    """What public security states of a household registration (finding 0.4: nobody else can)."""

    finding: HukouFinding
    county: str
    township: str
    since: str
    snapshot_at: datetime
    source: OrgId
    query_id: str = ""


@dataclass(frozen=True)
class EnrolmentAssertion:
    """Where the child is enrolled, as a school or the registry states it."""

    county: str
    school: OrgId
    grade: int
    since: str
    source: OrgId


@dataclass(frozen=True)
class Subject:
    """A child's record at one organisation. Histories are oldest first."""

    id: str
    changed_at: datetime
    version: int = 1
    hukou: tuple[HukouAssertion, ...] = ()
    enrolment: tuple[EnrolmentAssertion, ...] = ()

    def with_hukou(self, assertion: HukouAssertion, now: datetime) -> "Subject":
        """Return the record with one more statement on the household registration."""
        return replace(
            self, version=self.version + 1, changed_at=now, hukou=(*self.hukou, assertion)
        )

    def with_enrolment(self, assertion: EnrolmentAssertion, now: datetime) -> "Subject":
        """Return the record with one more statement on the enrolment."""
        return replace(
            self, version=self.version + 1, changed_at=now, enrolment=(*self.enrolment, assertion)
        )

    @property
    def current_hukou(self) -> HukouAssertion | None:
        """The newest statement of public security, else the newest of anybody, or None.

        Only public security knows (art. 5.9): what a bureau noted by other ways never outranks it.
        """
        return max(
            self.hukou, key=lambda h: (h.source.role is Role.PSB, h.snapshot_at), default=None
        )

    @property
    def current_enrolment(self) -> EnrolmentAssertion | None:
        """The last statement, or None."""
        return self.enrolment[-1] if self.enrolment else None
