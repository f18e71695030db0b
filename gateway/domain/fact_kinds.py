"""The kinds of facts, the places in a matter, and what a row of the table of facts says (D.4).

The names of the kinds equal the body fields of `Event` in protos/gateway/v1/event.proto; a test
holds both together.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.organisations import Role


class FactKind(StrEnum):
    """Kind of a fact; the value is the name of the body field on the wire."""

    ABSENCE_REPORTED = "absence_reported"
    PLATFORM_ENTRY_RECORDED = "platform_entry_recorded"
    SUSPECTED_DROPOUT_SUBMITTED = "suspected_dropout_submitted"
    DROPOUT_CONFIRMED = "dropout_confirmed"
    DROPOUT_REFUTED = "dropout_refuted"
    HUKOU_QUERIED = "hukou_queried"
    HUKOU_ASSERTED = "hukou_asserted"
    WHEREABOUTS_RECORDED = "whereabouts_recorded"
    JURISDICTION_DETERMINED = "jurisdiction_determined"
    LETTER_DISPATCHED = "letter_dispatched"
    LETTER_REGISTERED = "letter_registered"
    LETTER_LINES_ACCEPTED = "letter_lines_accepted"
    LETTER_LINES_RETURNED = "letter_lines_returned"
    LETTER_NOTED = "letter_noted"
    LETTER_RETRACTED = "letter_retracted"
    TITLE_GRANTED = "title_granted"
    OFFER_ENDED = "offer_ended"
    RETRIEVAL_BODY_CONFIRMED = "retrieval_body_confirmed"
    RETRIEVAL_ORDER_ISSUED = "retrieval_order_issued"
    RETRIEVAL_ORDER_ACKNOWLEDGED = "retrieval_order_acknowledged"
    RETRIEVAL_OFFICER_ASSIGNED = "retrieval_officer_assigned"
    RETRIEVAL_STEP_RECORDED = "retrieval_step_recorded"
    RETRIEVAL_ORDER_FULFILLED = "retrieval_order_fulfilled"
    PLACEMENT_PROPOSED = "placement_proposed"
    STUDENT_RETURNED = "student_returned"
    PLACEMENT_DECIDED = "placement_decided"
    PLACEMENT_STARTED = "placement_started"
    ENROLMENT_ASSERTED = "enrolment_asserted"


class Party(StrEnum):
    """A place in a matter; who fills it is read from the case, letter or order at hand."""

    SCHOOL = "school of enrolment"
    ENROLMENT_EDU = "education bureau of enrolment"
    ENROLMENT_TOWNSHIP = "township of the school"
    PLATFORM = "assistance platform"
    PUBLIC_SECURITY = "public security"
    HOLDER = "holder of the case"
    FORMER_HOLDERS = "former holders of the case"
    NAMED = "organisations named by the act"
    ORDER_TOWNSHIP = "township under order"
    ORDER_ISSUER = "issuer of the order"
    RECEIVING_SCHOOL = "receiving school"


@dataclass(frozen=True)
class FactRule:
    """Who may state a fact of this kind, who is told, and to whom its holder passes it on.

    `authority` marks acts that only the holder of the title may do; they are fenced by the epoch.
    """

    sources: frozenset[Role]
    told: tuple[Party, ...]
    passed_on: tuple[Party, ...] = ()
    authority: bool = False
    articles: tuple[str, ...] = ()
    zh: str = ""


def by(*roles: Role) -> frozenset[Role]:
    """Name the roles that may state a fact."""
    return frozenset(roles)


LAW = "云政办规〔2022〕5号 art. "
"""The regulation, for the articles of a row."""
