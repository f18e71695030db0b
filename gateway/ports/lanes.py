"""All lanes of an organisation, seen from one end: with whom, and whether they add up."""

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.lane_balance import LaneBalance
from gateway.domain.organisations import OrgId


class Lanes(Protocol):
    """What can be said of the lanes without reading any message."""

    def peers(self, org: OrgId) -> Sequence[OrgId]:
        """Return whom the organisation has sent something or taken something from, in order."""
        ...

    def balances(self, org: OrgId) -> Sequence[LaneBalance]:
        """Count every lane; one balance for each peer and incarnation of the sending lane."""
        ...
