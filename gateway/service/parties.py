"""Who fills each place in a matter: read from case, order, placement and directory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.domain.cases import DropoutCase
from gateway.domain.division_codes import Level
from gateway.domain.facts import Party
from gateway.domain.orders import RetrievalOrder
from gateway.domain.organisations import OrgId, Role
from gateway.domain.placements import Placement
from gateway.service.desk import Desk
from gateway.service.titles import known_titles
from gateway.v1.event_pb2 import CaseReference


@dataclass(frozen=True)
class Matter:
    """What a fact is about.

    `school` serves where no case exists yet, `references` where the acting organisation keeps no
    case of its own (an agency that answers).
    """

    cases: tuple[DropoutCase, ...] = ()
    order: RetrievalOrder | None = None
    placement: Placement | None = None
    named: tuple[OrgId, ...] = ()
    school: OrgId | None = None
    references: tuple[CaseReference, ...] = ()

    @property
    def schools(self) -> tuple[OrgId, ...]:
        """Schools of enrolment."""
        return tuple(case.school for case in self.cases) or ((self.school,) if self.school else ())


def _school(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return matter.schools


def _enrolment_edu(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return (OrgId(school.division, Role.EDU) for school in matter.schools)


def _enrolment_township(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    """The township that the principal informed; before that, the one in which the school lies."""
    informed = [org for case in matter.cases for org in case.informed if org.role is Role.TWN]
    if informed:
        return informed
    # A later holder does not know whom the principal informed, and tells no other township.
    own = [school for school in matter.schools if school.division == desk.org.division]
    entries = (desk.tools.directory.organisation(school) for school in own)
    return [OrgId(e.township, Role.TWN) for e in entries if e is not None and e.township]


def agency_of(desk: Desk, role: Role) -> OrgId | None:
    """Return the agency of that role nearest to the acting organisation: of its own county, else
    of the prefecture, else of the province; None when there is none.
    """
    for level in (Level.COUNTY, Level.PREFECTURE, Level.PROVINCE):
        division = desk.org.division[: level.digits]
        if len(division) == level.digits:
            found = desk.tools.directory.organisation(OrgId(division, role))
            if found is not None:
                return found.id
    return None


def _agency(role: Role) -> Callable[[Desk, Matter], Iterable[OrgId]]:
    def find(desk: Desk, matter: Matter) -> Iterable[OrgId]:
        agency = agency_of(desk, role)
        return () if agency is None else (agency,)

    return find


def _holder(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    for case in matter.cases:
        # Before confirmation nobody holds: the enrolment bureau verifies.
        yield case.holder or OrgId(case.enrolment_county, Role.EDU)


def _former_holders(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    for case in matter.cases:
        for title in known_titles(desk, case.id):
            if title.holder != case.holder:
                yield title.holder


def _named(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return matter.named


def _order_township(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return (matter.order.township,) if matter.order else ()


def _order_issuer(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return (matter.order.issuer,) if matter.order else ()


def _receiving_school(desk: Desk, matter: Matter) -> Iterable[OrgId]:
    return (matter.placement.school,) if matter.placement else ()


FILLED_BY: dict[Party, Callable[[Desk, Matter], Iterable[OrgId]]] = {
    Party.SCHOOL: _school,
    Party.ENROLMENT_EDU: _enrolment_edu,
    Party.ENROLMENT_TOWNSHIP: _enrolment_township,
    Party.PLATFORM: _agency(Role.RRB),
    Party.PUBLIC_SECURITY: _agency(Role.PSB),
    Party.HOLDER: _holder,
    Party.FORMER_HOLDERS: _former_holders,
    Party.NAMED: _named,
    Party.ORDER_TOWNSHIP: _order_township,
    Party.ORDER_ISSUER: _order_issuer,
    Party.RECEIVING_SCHOOL: _receiving_school,
}


def receivers(
    desk: Desk, parties: Iterable[Party], matter: Matter, besides: Iterable[OrgId] = ()
) -> list[OrgId]:
    """Return who fills the places, each once, without the acting organisation and `besides`."""
    left_out = {desk.org, *besides}
    found = dict.fromkeys(org for party in parties for org in FILLED_BY[party](desk, matter))
    return [org for org in found if org not in left_out]
