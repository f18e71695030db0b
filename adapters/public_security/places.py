"""From a register's place codes to the division codes in force."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from adapters.connectors.faults import UnreadableRecord
from adapters.public_security.register_mapping import RegisterMapping
from gateway.adapter_api import HukouFinding, HukouStatement

# Six digits with a province, a prefecture and a county: `530100` names no county.
_COUNTY = re.compile(r"[1-9][0-9](?!00)[0-9]{2}(?!00)[0-9]{2}")
# Nine digits, or twelve with the village, which nobody asked for.
_TOWNSHIP = re.compile(r"([0-9]{9})(?:[0-9]{3})?")


@dataclass(frozen=True)
class Places:
    """Reads places for the register of one province (2 digits)."""

    mapping: RegisterMapping
    province: str

    def statement(
        self, county: str, township: str, since: date | None, snapshot_at: datetime
    ) -> HukouStatement:
        """State a registration at a place.

        The place is what the register holds, never the first digits of the identity number: codes
        change, people move, the number stays.

        Raises:
            UnreadableRecord: the codes name no county, or a township outside their county.
        """
        if not _COUNTY.fullmatch(county):
            raise UnreadableRecord("The household register holds a county code of unknown form.")
        if not county.startswith(self.province):
            return self.elsewhere(county, snapshot_at)
        return HukouStatement(
            HukouFinding.FOUND,
            snapshot_at,
            county=self.mapping.renamed_counties.get(county, county),
            township=self._township(county, township),
            since=since,
        )

    def elsewhere(self, destination: str, snapshot_at: datetime) -> HukouStatement:
        """State a registration outside the province, which is named when the register knows it."""
        known = re.match(r"[1-9][0-9]", destination)
        return HukouStatement(
            HukouFinding.OUT_OF_PROVINCE, snapshot_at, county=known.group() if known else ""
        )

    def _township(self, county: str, township: str) -> str:
        if not township:
            return ""
        form = _TOWNSHIP.fullmatch(township)
        if form is None or not township.startswith(county):
            raise UnreadableRecord("The household register holds a township outside its county.")
        # Which township followed under a new county code is not for this adapter to guess.
        return "" if county in self.mapping.renamed_counties else form[1]
