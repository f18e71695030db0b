"""The dropout case (D.3): its states, its transitions, and who may act on it.

One value of `DropoutCase` is the case as *one organisation* sees it. The holder's value is the
authority; every other party follows it by events.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.domain.titles import TitleRef
from gateway.domain.transitions import Machine


class DropoutReason(StrEnum):
    """Why a child stopped coming (D.2); the first five are the ministry's list."""

    LEARNING_DIFFICULTY = "LEARNING_DIFFICULTY"
    WORK = "WORK"
    EARLY_MARRIAGE = "EARLY_MARRIAGE"
    RELIGIOUS = "RELIGIOUS"
    ILLNESS_DISABILITY = "ILLNESS_DISABILITY"
    POVERTY = "POVERTY"
    GUARDIAN_NEGLECT = "GUARDIAN_NEGLECT"
    SCHOOL_CONDUCT = "SCHOOL_CONDUCT"
    DISTANCE = "DISTANCE"
    FAMILY_MIGRATION = "FAMILY_MIGRATION"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class WhereaboutsKind(StrEnum):
    """Where a child is (D.2, 去向)."""

    AT_HOME = "AT_HOME"
    IN_ENROLMENT_COUNTY = "IN_ENROLMENT_COUNTY"
    IN_HUKOU_COUNTY = "IN_HUKOU_COUNTY"
    OTHER_COUNTY_YN = "OTHER_COUNTY_YN"
    OTHER_PROVINCE = "OTHER_PROVINCE"
    ABROAD = "ABROAD"
    TEMPLE = "TEMPLE"
    CUSTODY = "CUSTODY"
    INSTITUTION = "INSTITUTION"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Whereabouts:
    """What is known of where the child is.

    `division` is the county (6 digits) or, outside Yunnan, the province (2 digits); empty when it
    follows from the kind or is unknown. `basis` is how it is known, without personal data.
    """

    kind: WhereaboutsKind
    division: str = ""
    basis: str = ""
    source: OrgId | None = None
    recorded_at: datetime | None = None


class CaseState(StrEnum):
    """State of a case (D.3). DEFERRED is open: retrieval continues (art. 8)."""

    SUSPECTED = "SUSPECTED"
    VERIFYING = "VERIFYING"
    NOT_DROPOUT = "NOT_DROPOUT"
    CONFIRMED = "CONFIRMED"
    JURISDICTION_PENDING = "JURISDICTION_PENDING"
    ASSIGNED = "ASSIGNED"
    IN_RETRIEVAL = "IN_RETRIEVAL"
    STEPS_EXHAUSTED = "STEPS_EXHAUSTED"
    DEFERRED = "DEFERRED"
    RETURNED = "RETURNED"
    PLACED = "PLACED"
    WATCH = "WATCH"
    CLOSED_RETAINED = "CLOSED_RETAINED"
    CLOSED_DECEASED = "CLOSED_DECEASED"
    CLOSED_ABROAD = "CLOSED_ABROAD"
    CLOSED_COMPLETED = "CLOSED_COMPLETED"
    CLOSED_AGED_OUT = "CLOSED_AGED_OUT"
    CLOSED_TRANSFERRED = "CLOSED_TRANSFERRED"
    CLOSED_MERGED = "CLOSED_MERGED"
    CLOSED_WRONG_PERSON = "CLOSED_WRONG_PERSON"


class CaseTrigger(StrEnum):
    """What moves a case."""

    BOTH_INFORMED = "BOTH_INFORMED"
    REFUTE = "REFUTE"
    CONFIRM = "CONFIRM"
    DETERMINE_SELF = "DETERMINE_SELF"
    DETERMINE_OTHER = "DETERMINE_OTHER"
    TAKE_OVER = "TAKE_OVER"
    ISSUE_ORDER = "ISSUE_ORDER"
    EXHAUST_STEPS = "EXHAUST_STEPS"
    DEFER = "DEFER"
    RESUME = "RESUME"
    RETURN = "RETURN"
    DECIDE_PLACEMENT = "DECIDE_PLACEMENT"
    START_PLACEMENT = "START_PLACEMENT"
    BREAK_PLACEMENT = "BREAK_PLACEMENT"
    RETAIN = "RETAIN"
    CLOSE_DECEASED = "CLOSE_DECEASED"
    CLOSE_ABROAD = "CLOSE_ABROAD"
    CLOSE_COMPLETED = "CLOSE_COMPLETED"
    CLOSE_AGED_OUT = "CLOSE_AGED_OUT"
    CLOSE_TRANSFERRED = "CLOSE_TRANSFERRED"
    CLOSE_MERGED = "CLOSE_MERGED"
    CLOSE_WRONG_PERSON = "CLOSE_WRONG_PERSON"


_S, _T = CaseState, CaseTrigger

HELD_STATES = (
    _S.CONFIRMED,
    _S.JURISDICTION_PENDING,
    _S.ASSIGNED,
    _S.IN_RETRIEVAL,
    _S.STEPS_EXHAUSTED,
    _S.DEFERRED,
    _S.RETURNED,
    _S.PLACED,
    _S.WATCH,
)
"""States in which exactly one organisation holds the case (D.3)."""

OPEN_STATES = (_S.SUSPECTED, _S.VERIFYING, *HELD_STATES)
"""States of a case that is not over; at most one such case for a child and school year (B05)."""

_SIDE_EXITS = {
    (state, trigger): _S("CLOSED_" + trigger.removeprefix("CLOSE_"))
    for state in OPEN_STATES
    for trigger in _T
    if trigger.startswith("CLOSE_")
}

MACHINE = Machine(
    "case",
    {
        (_S.SUSPECTED, _T.BOTH_INFORMED): _S.VERIFYING,  # art. 7: bureau *and* township
        (_S.VERIFYING, _T.REFUTE): _S.NOT_DROPOUT,
        (_S.VERIFYING, _T.CONFIRM): _S.CONFIRMED,
        (_S.CONFIRMED, _T.DETERMINE_SELF): _S.ASSIGNED,
        (_S.CONFIRMED, _T.DETERMINE_OTHER): _S.JURISDICTION_PENDING,
        (_S.JURISDICTION_PENDING, _T.DETERMINE_SELF): _S.ASSIGNED,
        (_S.JURISDICTION_PENDING, _T.DETERMINE_OTHER): _S.JURISDICTION_PENDING,
        (_S.JURISDICTION_PENDING, _T.TAKE_OVER): _S.ASSIGNED,
        (_S.ASSIGNED, _T.DETERMINE_SELF): _S.ASSIGNED,  # re-determination (J14, J15, B01)
        (_S.ASSIGNED, _T.DETERMINE_OTHER): _S.JURISDICTION_PENDING,
        (_S.ASSIGNED, _T.ISSUE_ORDER): _S.IN_RETRIEVAL,
        (_S.ASSIGNED, _T.RETURN): _S.RETURNED,
        (_S.JURISDICTION_PENDING, _T.RETURN): _S.RETURNED,
        (_S.CONFIRMED, _T.RETURN): _S.RETURNED,
        (_S.IN_RETRIEVAL, _T.RETURN): _S.RETURNED,
        (_S.IN_RETRIEVAL, _T.EXHAUST_STEPS): _S.STEPS_EXHAUSTED,
        (_S.STEPS_EXHAUSTED, _T.DEFER): _S.DEFERRED,
        (_S.STEPS_EXHAUSTED, _T.RETURN): _S.RETURNED,
        (_S.DEFERRED, _T.RESUME): _S.IN_RETRIEVAL,  # B34
        (_S.DEFERRED, _T.RETURN): _S.RETURNED,
        (_S.RETURNED, _T.DECIDE_PLACEMENT): _S.PLACED,
        (_S.PLACED, _T.START_PLACEMENT): _S.WATCH,
        (_S.PLACED, _T.BREAK_PLACEMENT): _S.ASSIGNED,  # B07: new episode
        (_S.WATCH, _T.BREAK_PLACEMENT): _S.ASSIGNED,
        (_S.WATCH, _T.RETAIN): _S.CLOSED_RETAINED,
        **_SIDE_EXITS,
    },
)


@dataclass(frozen=True)
class OpenOffer:
    """A hand-over line that waits for its answer; at most one for a case (design of titles, 3)."""

    letter_id: str
    line_no: int
    receiver: OrgId
    title_hash: str


@dataclass(frozen=True)
class DropoutCase:
    """A case as one organisation sees it. Field meanings as in protos/gateway/v1/case.proto."""

    id: str
    subject_id: str
    state: CaseState
    school: OrgId
    enrolment_county: str
    opened_at: datetime
    changed_at: datetime
    version: int = 1
    episode: int = 1
    absence_id: str = ""
    holder: OrgId | None = None
    title: TitleRef | None = None
    hukou_county: str = ""
    whereabouts: Whereabouts | None = None
    jurisdiction_row: str = ""
    responsible: OrgId | None = None
    responsible_since: str = ""
    reason: DropoutReason = DropoutReason.UNKNOWN
    informed: tuple[OrgId, ...] = ()
    offer: OpenOffer | None = None
    retrieval_body: OrgId | None = None
    order_id: str = ""
    placement_id: str = ""
    returned_to: OrgId | None = None
    first_absent_day: str = ""

    @property
    def missing_recipients(self) -> tuple[str, ...]:
        """Roles to which the principal's submission has still to go (art. 7)."""
        have = {org.role.name for org in self.informed}
        return tuple(role for role in ("EDU", "TWN") if role not in have)

    def moved(self, trigger: CaseTrigger, now: datetime) -> "DropoutCase":
        """Return the case after the trigger. Raises Refusal(ILLEGAL_TRANSITION)."""
        return self.changed(now, state=MACHINE.next(self.state, trigger))

    def observed(self, state: CaseState, now: datetime) -> "DropoutCase":
        """Return the case in the state that its holder reports; for those who only follow."""
        return self.changed(now, state=state)

    def changed(self, now: datetime, **fields: object) -> "DropoutCase":
        """Return the case with other field values, as its next version."""
        return replace(self, version=self.version + 1, changed_at=now, **fields)  # type: ignore[arg-type]

    def require_version(self, version: int) -> None:
        """Raise Refusal(STALE_VERSION) unless the caller has seen the present version."""
        if version != self.version:
            raise stale_version(version, self.version)

    def require_holder(self, org: OrgId) -> None:
        """Raise Refusal(NOT_HOLDER) unless `org` holds the case (title, rule 1)."""
        if self.holder != org:
            raise Refusal(
                Reason.NOT_HOLDER,
                f"{org} does not hold this case; {self.holder or 'nobody'} does.",
                "Only the holder acts on a case. Ask for it by letter, or wait for the grant.",
                holder=str(self.holder or ""),
            )

    def require_no_offer(self) -> None:
        """Raise Refusal(OFFER_OPEN) while a hand-over waits for its answer (title, rule 3)."""
        if self.offer is not None:
            raise Refusal(
                Reason.OFFER_OPEN,
                f"The case is offered to {self.offer.receiver} and waits for the answer.",
                "Wait for acceptance or return, or retract the letter first.",
                letter_id=self.offer.letter_id,
            )


def stale_version(seen: int, present: int) -> Refusal:
    """Make the refusal of an act on an outdated version."""
    return Refusal(
        Reason.STALE_VERSION,
        f"Version {seen} was expected, but the record is at version {present}.",
        "Read the record again and repeat the act if it still makes sense.",
        field="version",
        version=str(present),
    )
