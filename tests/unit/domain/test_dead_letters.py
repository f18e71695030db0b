"""What may be taken up again, and how long a parked event is tried."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.dead_letters import (
    MOST_TRIES,
    DeadLetter,
    DeadLetterKind,
    DeadLetterState,
    pause_after,
)
from gateway.domain.errors import Reason

LETTER = DeadLetter(
    "id", DeadLetterKind.PARKED, Reason.INTERNAL, "e", datetime(2026, 3, 2, tzinfo=UTC)
)


@pytest.mark.parametrize("kind", DeadLetterKind)
def test_what_is_another_s_to_mend_is_not_taken_up_again(kind: DeadLetterKind) -> None:
    """What was refused by signed receipt, or only claimed, its author alone can state anew."""
    theirs = {
        DeadLetterKind.EQUIVOCATION,
        DeadLetterKind.LANE_BROKEN,
        DeadLetterKind.UNREADABLE,
        DeadLetterKind.CLAIM_UNPROVED,
    }
    assert replace(LETTER, kind=kind).redrivable == (kind not in theirs)


@pytest.mark.parametrize("state", DeadLetterState)
def test_only_what_is_open_is_taken_up_again(state: DeadLetterState) -> None:
    """What is settled is settled."""
    assert replace(LETTER, state=state).redrivable == (state is DeadLetterState.OPEN)


def test_a_parked_event_is_tried_for_about_three_days() -> None:
    """The pauses double and are bounded in number."""
    pauses = [pause_after(tries) for tries in range(MOST_TRIES)]
    assert all(after == 2 * before for before, after in itertools.pairwise(pauses))
    assert timedelta(days=2) < sum(pauses, timedelta()) < timedelta(days=4)
