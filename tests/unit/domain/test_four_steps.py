"""The four steps come in order, against the guardian, with their papers (art. 8)."""

import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.four_steps import (
    RANK,
    Ladder,
    Respondent,
    RetrievalStep,
    ServiceMethod,
    StepOutcome,
    StepRecord,
)

DAY = date(2026, 11, 23)
IN_ORDER = (
    RetrievalStep.EDUCATION,
    RetrievalStep.ORDER_TO_CORRECT,
    RetrievalStep.ADMIN_PENALTY,
    RetrievalStep.FILE_SUIT,
)


def step(kind: RetrievalStep, outcome: StepOutcome = StepOutcome.INEFFECTIVE) -> StepRecord:
    """Return a step with everything that any step needs."""
    return StepRecord(kind, outcome, DAY, ServiceMethod.IN_PERSON, "文〔2026〕1号", "条例 art. 1")


def after(*kinds: RetrievalStep) -> Ladder:
    """Return the ladder after those steps without effect."""
    ladder = Ladder()
    for kind in kinds:
        ladder = ladder.record(step(kind))
    return ladder


steps = st.builds(step, st.sampled_from(RetrievalStep), st.sampled_from(StepOutcome))


@given(st.lists(steps, max_size=12))
def test_no_sequence_of_attempts_skips_a_step(attempts: list[StepRecord]) -> None:
    """Whatever is tried, ranks never skip, never fall, and nothing follows an effective step."""
    ladder = Ladder()
    for attempt in attempts:
        if RANK[attempt.step] == ladder.rank:
            ladder = ladder.record(attempt)
            continue
        with pytest.raises(Refusal) as caught:
            ladder.record(attempt)
        assert caught.value.reason is Reason.STEP_OUT_OF_ORDER
        assert caught.value.metadata["due"] == (ladder.next_step() or "")
    ranks = [0, *(RANK[done.step] for done in ladder.steps)]
    assert all(b - a in {0, 1} for a, b in itertools.pairwise(ranks))
    for before, following in itertools.pairwise(ladder.steps):
        assert before.outcome is not StepOutcome.EFFECTIVE
        if RANK[following.step] > RANK[before.step]:
            assert before.outcome is StepOutcome.INEFFECTIVE
        else:
            assert before.outcome is not StepOutcome.INEFFECTIVE


def test_the_order_of_art_8() -> None:
    """Each step is due after the one before had no effect; after the fourth none is left."""
    ladder = Ladder()
    for kind in IN_ORDER:
        assert not ladder.exhausted
        assert RANK[kind] == ladder.rank
        ladder = ladder.record(step(kind))
    assert ladder.exhausted
    assert ladder.next_step() is None


@pytest.mark.parametrize("branch", [RetrievalStep.APPLY_ENFORCEMENT, RetrievalStep.FILE_SUIT])
def test_the_fourth_step_has_two_branches(branch: RetrievalStep) -> None:
    """Enforcement or a suit: either is the fourth step."""
    assert after(*IN_ORDER[:3]).record(step(branch)).exhausted


def test_an_effective_step_ends_the_procedure() -> None:
    """When the child is back no further step is due, and the procedure is not exhausted."""
    ladder = Ladder().record(step(RetrievalStep.EDUCATION, StepOutcome.EFFECTIVE))
    assert (ladder.rank, ladder.next_step(), ladder.exhausted) == (0, None, False)


@pytest.mark.parametrize("outcome", [StepOutcome.STARTED, StepOutcome.SERVED])
def test_a_step_stays_due_until_its_effect_is_known(outcome: StepOutcome) -> None:
    """A step that was begun or served does not make the next one due."""
    ladder = Ladder().record(step(RetrievalStep.EDUCATION, outcome))
    assert ladder.next_step() is RetrievalStep.EDUCATION


@pytest.mark.parametrize(
    ("made", "change", "reason", "field"),
    [
        (0, {"respondent": Respondent.CHILD}, Reason.RESPONDENT_NOT_GUARDIAN, "step.respondent"),
        (2, {"legal_basis": ""}, Reason.MISSING_LEGAL_BASIS, "step.legal_basis"),
        (0, {"service": None}, Reason.MISSING_FIELD, "step.service"),
        (1, {"document_no": ""}, Reason.MISSING_FIELD, "step.document_no"),
        (3, {"document_no": ""}, Reason.MISSING_FIELD, "step.document_no"),
    ],
)
def test_a_step_needs_its_papers(
    made: int, change: dict[str, object], reason: Reason, field: str
) -> None:
    """The child is no respondent, a penalty names its rule, a served step how and by what."""
    record = replace(step(IN_ORDER[made]), **change)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as caught:
        after(*IN_ORDER[:made]).record(record)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_talking_needs_no_document_and_a_begun_step_no_service() -> None:
    """The first step is spoken; what was only begun was not served yet."""
    spoken = replace(step(RetrievalStep.EDUCATION), document_no="", legal_basis="")
    ladder = Ladder().record(spoken)
    begun = replace(
        step(RetrievalStep.ORDER_TO_CORRECT, StepOutcome.STARTED), service=None, document_no=""
    )
    assert ladder.record(begun).next_step() is RetrievalStep.ORDER_TO_CORRECT


def test_even_a_begun_penalty_names_its_rule() -> None:
    """义务教育法 art. 58 alone gives no penalty."""
    begun = replace(
        step(RetrievalStep.ADMIN_PENALTY, StepOutcome.STARTED), legal_basis="", service=None
    )
    with pytest.raises(Refusal) as caught:
        after(*IN_ORDER[:2]).record(begun)
    assert caught.value.reason is Reason.MISSING_LEGAL_BASIS
