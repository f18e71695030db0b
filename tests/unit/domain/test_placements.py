"""Facts about placements."""

from datetime import UTC, datetime

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.domain.placements import Placement, PlacementKind, PlacementState, PlacementTrigger

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
SCHOOL = OrgId.parse("530627/sch/3153000456")


def test_a_placement_is_decided_then_started() -> None:
    """Each move is a version; what is decided stays when it starts."""
    proposed = Placement("placement", "case", "child", SCHOOL, PlacementState.PROPOSED, NOW)
    decided = proposed.moved(PlacementTrigger.DECIDE, NOW, kind=PlacementKind.REGULAR_CLASS)
    started = decided.moved(PlacementTrigger.START, NOW, start_date="2026-11-23")
    assert (started.version, started.state) == (3, PlacementState.STARTED)
    assert (started.kind, started.start_date) == (PlacementKind.REGULAR_CLASS, "2026-11-23")
    with pytest.raises(Refusal) as caught:
        proposed.moved(PlacementTrigger.START, NOW)
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION
