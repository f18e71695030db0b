"""The adapter of the assistance platform: makes entries, reports entries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.assistance_platform.entries import NotEnterable, columns_of
from adapters.assistance_platform.platform import Platform
from adapters.connectors.faults import SystemAway, UnreadableRecord, ValueNotTaken
from adapters.connectors.serial_feed import page_of, position_of
from adapters.connectors.settings import SqlSettings
from gateway.adapter_api import (
    Changes,
    Description,
    Done,
    Exchange,
    Health,
    Outcome,
    Refused,
    TryLater,
)

API_VERSION = "1.0"
"""Version of gateway.adapter_api that this adapter was written for."""


class AssistancePlatformAdapter:
    """Fulfils `gateway.adapter_api.Adapter` over the platform's dropout-control port.

    The exchange's id is the entry's external reference, unique on the platform: an exchange
    brought again is answered from the entry that it made.

    Args:
        platform: the platform to enter into.
        settings: page size and patience with the platform's transactions.
        now: the clock, aware; the time of an entry.
    """

    def __init__(
        self,
        platform: Platform,
        settings: SqlSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._platform = platform
        self._settings = settings
        self._now = now
        self._stopped_at = ""

    def describe(self) -> Description:
        """Return what this adapter is."""
        kinds = tuple(self._platform.mapping.kinds)
        return Description("assistance_platform", "rrb", API_VERSION, kinds, reports_changes=True)

    def health(self) -> Health:
        """Ask whether the platform's tables answer, and whether its entries can be followed."""
        try:
            self._platform.probe()
        except SystemAway:
            return Health(ok=False, detail="The assistance platform does not answer.")
        if self._stopped_at:
            return Health(ok=False, detail=self._stopped_at)
        return Health(ok=True, detail="The assistance platform answers.")

    def handle(self, exchange: Exchange) -> Outcome:
        """Make one entry; return the same one however often the exchange is brought."""
        try:
            columns = columns_of(exchange, self._platform.mapping)
            held = self._platform.enter(columns, self._now())
        except (NotEnterable, ValueNotTaken, UnreadableRecord) as fault:
            return Refused(str(fault))
        except SystemAway:
            return TryLater("The assistance platform does not answer.")
        asked_for = self._platform.mapping.kinds[exchange.kind].matter
        if (held.fact.matter, held.fact.object_id) != (asked_for, exchange.object_id):
            return Refused("Another entry was made under the identifier of this exchange.")
        return Done(held.fact)

    def changes(self, cursor: str) -> Changes:
        """Return entries after the cursor, the platform's serial; the gateway's own are echoes.

        Raises:
            SystemAway: the platform does not answer.
            UnreadableRecord: the next entry cannot be read; `health` says which.
            ValueError: the cursor is not one of this adapter's.
        """
        after = position_of(cursor)
        rows = self._platform.entries_after(after, self._settings.page_size)
        patience = timedelta(seconds=self._settings.settle_seconds)
        try:
            page = page_of(rows, after, self._platform.read, now=self._now(), patience=patience)
        except UnreadableRecord as fault:
            self._stopped_at = str(fault)
            raise
        self._stopped_at = ""
        return page

    def close(self) -> None:
        """Release the platform."""
        self._platform.close()
