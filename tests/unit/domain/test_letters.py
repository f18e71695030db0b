"""Facts about letters and their lines."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import (
    Letter,
    LetterLine,
    LetterState,
    LineState,
    LineTrigger,
    ReturnReason,
    letter_title,
)
from gateway.domain.organisations import OrgId

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
E, H = OrgId.parse("530102/edu"), OrgId.parse("530627/edu")
SCHOOL = OrgId.parse("530102/sch/3153000123")


def line(number: int, state: LineState = LineState.OPEN) -> LetterLine:
    """Return a line about one child."""
    return LetterLine(
        number, f"case {number}", f"child {number}", "530102", "530627", SCHOOL, state=state
    )


def letter(count: int, state: LetterState = LetterState.REGISTERED) -> Letter:
    """Return a hand-over letter with so many open lines."""
    lines = tuple(line(number) for number in range(1, count + 1))
    return Letter("letter", LetterKind.HANDOVER, state, E, H, "函", lines, NOW)


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_each_line_is_decided_for_itself(decisions: list[bool]) -> None:
    """B31: the letter is answered with its last line, ACCEPTED when any line was accepted."""
    present = letter(len(decisions))
    for number, accept in enumerate(decisions, 1):
        assert present.open_lines() == tuple(range(number, len(decisions) + 1))
        assert present.state is LetterState.REGISTERED
        trigger = LineTrigger.ACCEPT if accept else LineTrigger.RETURN
        present = present.with_lines([number], trigger, NOW).answered(NOW)
    expected = LetterState.ACCEPTED if any(decisions) else LetterState.RETURNED
    assert present.state is expected
    assert [entry.state is LineState.ACCEPTED for entry in present.lines] == decisions


def test_a_return_keeps_its_reason_with_the_line() -> None:
    """B02: the enumerated reason and the county stand on the line that went back, only there."""
    back = letter(2).with_lines(
        [2],
        LineTrigger.RETURN,
        NOW,
        return_reason=ReturnReason.HUKOU_MOVED_OUT,
        return_county="532626",
    )
    assert (back.line(2).return_reason, back.line(2).return_county) == (
        ReturnReason.HUKOU_MOVED_OUT,
        "532626",
    )
    assert back.line(1) == line(1)


def test_a_line_is_answered_once() -> None:
    """A second answer to a line is refused, and the whole act with it."""
    once = letter(2).with_lines([1], LineTrigger.ACCEPT, NOW)
    with pytest.raises(Refusal) as caught:
        once.with_lines([2, 1], LineTrigger.RETURN, NOW)
    assert caught.value.reason is Reason.ILLEGAL_TRANSITION
    assert once.line(2).state is LineState.OPEN


def test_a_line_that_does_not_exist_is_named() -> None:
    """An unknown line number is refused with those that exist."""
    with pytest.raises(Refusal) as caught:
        letter(2).line(3)
    assert caught.value.reason is Reason.INVALID_FIELD
    assert "1 to 2" in caught.value.advice


def test_a_retraction_after_acceptance_leaves_the_acceptance() -> None:
    """Rule 4: an acceptance is irrevocable; only the holder's answer ends the line."""
    accepted = letter(1).with_lines([1], LineTrigger.ACCEPT, NOW)
    crossed = accepted.with_lines([1], LineTrigger.RETRACT, NOW)
    assert crossed.line(1).state is LineState.ACCEPTED
    ended = crossed.with_lines([1], LineTrigger.END, NOW)
    assert ended.line(1).state is LineState.OFFER_ENDED


@pytest.mark.parametrize("state", [LetterState.DELIVERED, LetterState.RETRACTED])
def test_only_a_registered_letter_moves_with_its_lines(state: LetterState) -> None:
    """Lines that change at a letter in another state do not move the letter."""
    done = letter(1, state).with_lines([1], LineTrigger.ACCEPT, NOW)
    assert done.answered(NOW) is done


def test_version_and_kind_are_checked() -> None:
    """An outdated version, and a kind that is not answered so, are refused."""
    with pytest.raises(Refusal) as caught:
        letter(1).require_version(2)
    assert caught.value.reason is Reason.STALE_VERSION
    noted = replace(letter(1), kind=LetterKind.NOTIFICATION)
    noted.require_kind(LetterKind.HANDOVER, LetterKind.NOTIFICATION)
    with pytest.raises(Refusal) as caught:
        noted.require_kind(LetterKind.HANDOVER)
    assert caught.value.reason is Reason.WRONG_LETTER_KIND


@pytest.mark.parametrize("kind", LetterKind)
def test_the_title_names_the_matter_and_no_child(kind: LetterKind) -> None:
    """The title has matter, form and number of children (公文处理工作条例 art. 9)."""
    title = letter_title(kind, 3)
    assert title.startswith("关于")
    assert title.endswith("的函（3人）")
