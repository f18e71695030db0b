"""The desk at which a use case works: one transaction, the tools, who acts, and the moment."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from gateway.domain.division_codes import Level
from gateway.domain.divisions import DivisionTable
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import Organisation, OrgId
from gateway.domain.school_days import AbsenceRule, SchoolCalendar, WorkingCalendar
from gateway.domain.working_days import shanghai_date
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.ids import Ids
from gateway.ports.sealing import Sealer
from gateway.ports.signing import Signer, Verifier
from gateway.ports.store import Work


@dataclass(frozen=True)
class Actor:
    """Who acts: an organisation, and the post inside it (empty for a plain read)."""

    org: OrgId
    post: str = ""


@dataclass(frozen=True)
class Tools:
    """What every use case may use. `home` are the organisations at home on this node."""

    clock: Clock
    ids: Ids
    directory: Directory
    signer: Signer
    verifier: Verifier
    sealer: Sealer
    divisions: DivisionTable
    working_days: WorkingCalendar
    home: frozenset[OrgId]
    absence_rule: AbsenceRule = field(default_factory=AbsenceRule)


@dataclass(frozen=True)
class Desk:
    """One transaction at work. `now` is the one moment of the whole use case, aware UTC."""

    work: Work
    tools: Tools
    actor: Actor
    now: datetime

    @property
    def org(self) -> OrgId:
        """The organisation for which the desk works."""
        return self.actor.org

    @property
    def today(self) -> date:
        """The day in Asia/Shanghai."""
        return shanghai_date(self.now)

    def acting_as(self, actor: Actor) -> "Desk":
        """Return the same desk for another actor, in the same transaction."""
        return replace(self, actor=actor)

    def organisation(self, org: OrgId, field: str) -> Organisation:
        """Return the organisation from the directory.

        Raises Refusal: RETIRED_DIVISION (naming the successor) or UNKNOWN_DIVISION for its code,
        UNKNOWN_ORGANISATION when it takes no part.
        """
        found = self.tools.directory.organisation(org)
        if found is None:
            self.require_current(org.division, field)
            raise Refusal(
                Reason.UNKNOWN_ORGANISATION,
                f"{org} takes no part in the exchange.",
                "List the organisations with DirectoryService.ListOrganisations.",
                field=field,
                organisation=str(org),
            )
        return found

    def require_current(self, code: str, field: str) -> None:
        """Raise Refusal(UNKNOWN_DIVISION or RETIRED_DIVISION) unless the code is valid today."""
        if len(code) in {level.digits for level in Level}:
            try:
                self.tools.divisions.require_current(code, self.today)
            except Refusal as refusal:
                refusal.field = field
                raise

    def county_of(self, code: str) -> str:
        """Return the current county of a county or township code, lineage applied."""
        divisions = self.tools.divisions
        return divisions.county_of(divisions.resolve(code, self.today).current.code).code

    def school_calendar(self, _school: OrgId) -> SchoolCalendar:
        """Return the school days of a school: the working days of the country."""
        return SchoolCalendar(self.tools.working_days)
