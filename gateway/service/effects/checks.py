"""Checks that effects share: does the matter exist here, and is the source the right one for it?"""

from gateway.domain.cases import DropoutCase
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.organisations import OrgId, Role
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.parties import agency_of
from gateway.service.titles import known_titles


def require_source(arrived: ArrivedEvent, *allowed: OrgId | None) -> None:
    """Raise Refusal(JURISDICTION_NOT_ALLOWED) unless the source is one of those allowed."""
    if arrived.source not in allowed:
        raise Refusal(
            Reason.JURISDICTION_NOT_ALLOWED,
            f"{arrived.source} may not state {arrived.kind.name} of this matter.",
            "Only the organisation in charge of it may.",
        )


def require_case(desk: Desk, arrived: ArrivedEvent) -> DropoutCase:
    """Return the case an event is about.

    Raises Parked(MATTER_UNKNOWN) while the event that opens the case here is still on its way.
    """
    reference = arrived.event.cases[0] if arrived.event.cases else None
    case = desk.work.cases.get(desk.org, reference.case_id) if reference else None
    if case is None:
        raise Parked(
            Reason.MATTER_UNKNOWN,
            "The case is not known here yet.",
            "It is applied when the event that opens the case arrives.",
        )
    return case


def require_party(desk: Desk, arrived: ArrivedEvent, case: DropoutCase) -> None:
    """Raise Refusal(JURISDICTION_NOT_ALLOWED) unless the source is party to the case as known here.

    Parties are the schools and townships concerned, the bureau of enrolment, every holder the case
    has had, and public security of this place.
    """
    order = desk.work.orders.get(desk.org, case.order_id) if case.order_id else None
    require_source(
        arrived,
        case.school,
        case.holder,
        OrgId(case.enrolment_county, Role.EDU),
        agency_of(desk, Role.PSB),
        order.township if order else None,
        *schools_asked(desk, case),
        *case.informed,
        *(title.holder for title in known_titles(desk, case.id)),
    )


def schools_asked(desk: Desk, case: DropoutCase) -> tuple[OrgId, ...]:
    """Return every school that was ever asked to take the child, not the last one alone."""
    return tuple(asked.school for asked in desk.work.placements.page(desk.org, case_id=case.id))


def require_passed_on(desk: Desk, arrived: ArrivedEvent) -> None:
    """Raise Refusal(JURISDICTION_NOT_ALLOWED) unless a holder of the case passed the fact on.

    For those who only follow a case: the holder has checked what it passes on.
    """
    holders = {
        title.holder for case_id in arrived.case_ids for title in known_titles(desk, case_id)
    }
    if arrived.sender == arrived.source or arrived.sender not in holders:
        require_source(arrived)
