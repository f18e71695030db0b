"""When a lane adds up."""

from dataclasses import replace

import pytest

from gateway.domain.lane_balance import LaneBalance
from gateway.domain.organisations import OrgId

WHOLE = LaneBalance(
    OrgId.parse("530627/edu"),
    numbered=10,
    stored=10,
    receipted=5,
    rejected=1,
    in_flight=3,
    dead=1,
    received=4,
    answered=4,
)


def test_what_adds_up() -> None:
    """Sent = receipted + rejected + in flight + dead; received = answered."""
    assert WHOLE.balanced
    assert LaneBalance(WHOLE.peer).balanced


@pytest.mark.parametrize(
    "name",
    ["numbered", "stored", "receipted", "rejected", "in_flight", "dead", "received", "answered"],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_one_more_or_less_of_anything_is_an_incident(name: str, by: int) -> None:
    """Every count is held by the equation."""
    assert not replace(WHOLE, **{name: getattr(WHOLE, name) + by}).balanced
