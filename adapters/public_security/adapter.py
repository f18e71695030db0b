"""The adapter of public security: answers `hukou` and reports moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.connectors.faults import SystemAway, UnreadableRecord
from adapters.connectors.serial_feed import page_of, position_of
from adapters.public_security.change_log import ChangeLog
from adapters.public_security.look_up import look_up
from adapters.public_security.places import Places
from adapters.public_security.register import HouseholdRegister
from adapters.public_security.register_mapping import PublicSecuritySettings
from gateway.adapter_api import (
    Changes,
    Description,
    Done,
    Exchange,
    Health,
    Outcome,
    Person,
    Refused,
    TryLater,
)

API_VERSION = "1.0"
"""Version of gateway.adapter_api that this adapter was written for."""
HUKOU = "hukou"


class HouseholdRegisterAdapter:
    """Fulfils `gateway.adapter_api.Adapter` over a household register.

    It writes nothing anywhere: a look-up brought twice is simply made twice.

    Args:
        register: the register to read.
        settings: province, age and page size.
        now: the clock, aware; a look-up's answer refers to the moment just before it.
    """

    def __init__(
        self,
        register: HouseholdRegister,
        settings: PublicSecuritySettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._register = register
        self._settings = settings
        self._now = now
        self._places = Places(register.mapping, settings.province)
        self._stopped_at = ""

    def describe(self) -> Description:
        """Return what this adapter is."""
        return Description("public_security", "psb", API_VERSION, (HUKOU,), reports_changes=True)

    def health(self) -> Health:
        """Ask whether the register can be read, and whether its log can be followed."""
        try:
            self._register.probe()
        except SystemAway:
            return Health(ok=False, detail="The household register does not answer.")
        if self._stopped_at:
            return Health(ok=False, detail=self._stopped_at)
        return Health(ok=True, detail="The household register answers.")

    def handle(self, exchange: Exchange) -> Outcome:
        """Look one child up."""
        if exchange.kind != HUKOU:
            return Refused("Public security carries out no exchange of that kind.")
        person = exchange.person
        if person is None or person.masked or not _can_be_looked_up(person):
            return Refused(
                "A look-up needs the identity number, or the name with the date of birth, unmasked."
            )
        try:
            return Done(look_up(self._register, self._places, person, self._now()))
        except SystemAway:
            return TryLater("The household register does not answer.")
        except UnreadableRecord as fault:
            return Refused(str(fault))

    def changes(self, cursor: str) -> Changes:
        """Return moves of children after the cursor, the serial of the register's change log.

        Raises:
            SystemAway: the register does not answer.
            UnreadableRecord: the next row cannot be read; `health` says which.
            ValueError: the cursor is not one of this adapter's.
        """
        after = position_of(cursor)
        rows = self._register.log_after(after, self._settings.page_size)
        log = ChangeLog(self._places, self._settings.under_age)
        patience = timedelta(seconds=self._settings.settle_seconds)
        try:
            page = page_of(rows, after, log.read, now=self._now(), patience=patience)
        except UnreadableRecord as fault:
            self._stopped_at = str(fault)
            raise
        self._stopped_at = ""
        return page

    def close(self) -> None:
        """Release the register."""
        self._register.close()


def _can_be_looked_up(person: Person) -> bool:
    return bool(person.id_number.strip() or (person.name.strip() and person.birth_date))
