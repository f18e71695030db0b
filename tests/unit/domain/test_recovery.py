"""Recovery alone: when it begins, whom it waits for, and that no number is given twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.facts import RULES, FactKind
from gateway.domain.lanes import (
    Arrival,
    LaneHead,
    ReceivingLane,
    SendingLane,
    Verdict,
    judge,
)
from gateway.domain.recovery import (
    CLOCKS_APART,
    NEEDS_MEMORY,
    RecoveryCause,
    began_anew,
    judge_start,
    may_lack,
    waived,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
COUNTS = st.none() | st.integers(0, 2**40)
HEADS = st.builds(LaneHead, st.integers(1, 9), st.integers(0, 9), st.just(""))


@pytest.mark.parametrize(
    ("in_store", "beside", "from_backup", "cause"),
    [
        (None, None, False, None),
        (7, 7, False, None),
        (8, 7, False, None),
        (7, 8, False, RecoveryCause.STORE_OLDER),
        (None, 8, False, RecoveryCause.STORE_OLDER),
        (7, None, False, RecoveryCause.COUNTER_MISSING),
        (7, 7, True, RecoveryCause.RESTORED),
        (None, None, True, RecoveryCause.RESTORED),
    ],
)
def test_a_start_is_judged_by_both_counters(
    in_store: int | None, beside: int | None, from_backup: bool, cause: RecoveryCause | None
) -> None:
    """An older store, one from another host, or a backup's own copy recovers; a new one does not."""
    assert judge_start(in_store, beside, from_backup=from_backup).cause is cause


@given(COUNTS, COUNTS, st.booleans())
def test_the_count_only_rises(in_store: int | None, beside: int | None, copy: bool) -> None:
    """Each start has a count above every one known before."""
    count = judge_start(in_store, beside, from_backup=copy).count
    assert count > max(in_store or 0, beside or 0)


@given(st.integers(1, 9), HEADS)
def test_a_lane_goes_on_above_all_that_was_used(incarnation: int, taken: LaneHead) -> None:
    """The new incarnation is above the store's own and above what the peer has seen."""
    own = SendingLane(incarnation, 5, "aa")
    lane = began_anew(own, taken, NOW)
    assert lane.incarnation > max(own.incarnation, taken.incarnation)
    assert (lane.next_sequence, lane.head_hash) == (1, "")


def test_no_peer_pushes_a_lane_ahead_of_the_clock() -> None:
    """What lies days ahead of the clock was never used, whoever says so."""
    assert began_anew(SendingLane(3), LaneHead(MINUTE + 10**6), NOW).incarnation == MINUTE
    assert began_anew(SendingLane(3), LaneHead(MINUTE + 60), NOW).incarnation == MINUTE + 61


def test_a_waived_peer_gets_a_lane_that_no_earlier_recovery_used() -> None:
    """Of a silent peer nobody knows which incarnations it has seen: the clock names the next."""
    assert began_anew(SendingLane(3), None, NOW).incarnation == MINUTE
    assert began_anew(SendingLane(MINUTE), None, NOW).incarnation == MINUTE + 1


def test_a_clock_set_back_hides_no_fact() -> None:
    """Facts dated somewhat before the backup are asked for too."""
    assert may_lack(None, NOW)
    assert may_lack(NOW, NOW)
    assert may_lack(NOW, NOW - CLOCKS_APART)
    assert not may_lack(NOW, NOW - CLOCKS_APART - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("posts", "enough"),
    [
        ([], False),
        (["OPERATOR"], False),
        (["OPERATOR", "OPERATOR"], False),
        (["APPROVER", "PRINCIPAL"], False),
        (["APPROVER", "OPERATOR"], True),
    ],
)
def test_two_posts_waive_a_peer(posts: list[str], enough: bool) -> None:
    """It takes two posts, and one of them is the operator."""
    assert waived(posts) is enough


def test_authority_needs_memory() -> None:
    """Every act of authority and every title needs memory; what is only information does not."""
    authority = {kind for kind, rule in RULES.items() if rule.authority}
    assert authority < NEEDS_MEMORY
    assert {FactKind.DROPOUT_CONFIRMED, FactKind.TITLE_GRANTED} < NEEDS_MEMORY
    information = {
        FactKind.ABSENCE_REPORTED,
        FactKind.WHEREABOUTS_RECORDED,
        FactKind.RETRIEVAL_STEP_RECORDED,
        FactKind.STUDENT_RETURNED,
    }
    assert not information & NEEDS_MEMORY


LANES = st.builds(ReceivingLane, st.integers(1, 4), st.integers(1, 6), st.just("aa"), st.none())


@given(LANES, HEADS, st.integers(1, 9), st.integers(1, 9))
def test_a_closed_lane_takes_nothing_its_sender_forgot(
    lane: ReceivingLane, remembered: LaneHead, incarnation: int, sequence: int
) -> None:
    """After the answer to a recovering sender nothing new is taken beyond what it remembers, in any
    incarnation that it may have used; only a higher one begins the lane anew.
    """
    closed = lane.closed(remembered)
    arrival = Arrival("m", "bb", incarnation, sequence, closed.head_hash)
    verdict = judge(closed, arrival, None, None)
    forgotten = (incarnation, sequence) > (remembered.incarnation, remembered.last_sequence)
    if incarnation <= closed.incarnation and forgotten:
        assert verdict is Verdict.BROKEN


@given(LANES, HEADS)
def test_a_recovered_sender_is_heard(lane: ReceivingLane, remembered: LaneHead) -> None:
    """The first message of the incarnation that follows a recovery is taken by whoever answered."""
    closed = lane.closed(remembered)
    own = SendingLane(remembered.incarnation, remembered.last_sequence + 1)
    anew = began_anew(own, closed.head, NOW)
    first = Arrival("m", "bb", anew.incarnation, anew.next_sequence, anew.head_hash)
    assert judge(closed, first, None, None) is Verdict.TAKE
    assert closed.heard(anew.incarnation).advanced("bb").closed_after is None


def test_a_repetition_is_known_on_a_closed_lane() -> None:
    """What was taken before the lane was closed is still answered with its receipt."""
    closed = ReceivingLane(1, 8, "aa").closed(LaneHead(1, 3, "cc"))
    arrival = Arrival("m", "bb", 1, 6, "aa")
    assert judge(closed, arrival, "bb", "bb") is Verdict.REPEATED


def test_a_statement_that_comes_again_closes_nothing_older() -> None:
    """A memory of an earlier incarnation closes the present one where it stands."""
    lane = ReceivingLane(2, 5, "aa")
    assert lane.closed(LaneHead(1, 9, "cc")).closed_after == 4
