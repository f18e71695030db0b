"""The chain of published facts: what the carrier does to it shows, and is healed."""

import hashlib
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.fact_chain import FactChain, FactVerdict, judge_notice


@dataclass(frozen=True)
class Notice:
    """One notice as a subscriber reads it."""

    sequence: int
    previous: str
    digest: str


def chain_of(length: int, history: str = "") -> list[Notice]:
    """A chain as its source keeps it; another history gives other hashes."""
    notices, head = [], ""
    for sequence in range(1, length + 1):
        digest = hashlib.sha256(f"{history}{head}{sequence}".encode()).hexdigest()
        notices.append(Notice(sequence, head, digest))
        head = digest
    return notices


def judged(chain: FactChain, notice: Notice) -> FactVerdict:
    """What a subscriber decides."""
    return judge_notice(chain, notice.sequence, notice.previous, notice.digest)


def end_of(notices: list[Notice]) -> FactChain:
    """The chain after all of these were taken."""
    return FactChain(len(notices), notices[-1].digest) if notices else FactChain()


@given(st.integers(1, 15), st.data())
def test_whatever_the_carrier_does_everything_is_taken_once(
    length: int, data: st.DataObject
) -> None:
    """Lost, doubled and reordered notices: with a look at the source for each gap, a subscriber
    takes every notice up to the highest that reached it, once and in order.
    """
    source = chain_of(length)
    arrivals = data.draw(st.lists(st.sampled_from(source), max_size=40))
    chain, taken = FactChain(), []
    for arrival in arrivals:
        verdict = judged(chain, arrival)
        assert verdict is not FactVerdict.FORKED
        missing = source[chain.sequence : arrival.sequence] if verdict is FactVerdict.GAP else []
        for notice in missing or [arrival]:
            if judged(chain, notice) is FactVerdict.TAKE:
                chain = chain.advanced(notice.digest)
                taken.append(notice.sequence)
    highest = max((arrival.sequence for arrival in arrivals), default=0)
    assert taken == list(range(1, highest + 1))
    assert chain == end_of(source[:highest])


@given(st.integers(1, 10), st.integers(1, 10))
def test_a_second_history_is_never_taken(taken: int, arrives: int) -> None:
    """A source that tells another history is found out at the next notice, or the last again."""
    chain = end_of(chain_of(taken))
    verdict = judged(chain, chain_of(12, history="another")[arrives - 1])
    assert verdict is not FactVerdict.TAKE
    if arrives in {taken, taken + 1}:
        assert verdict is FactVerdict.FORKED


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 3))
def test_a_higher_incarnation_begins_anew(taken: int, arrives: int, lost: int) -> None:
    """Its first notice is taken, a later one shows what is missing; the chain that ended is past."""
    chain = FactChain(taken, "aa", lost)
    first = judge_notice(chain, arrives, "" if arrives == 1 else "bb", "cc", lost + 1)
    assert first is (FactVerdict.TAKE if arrives == 1 else FactVerdict.GAP)
    anew = chain.heard(lost + 1).advanced("cc")
    assert anew == FactChain(1, "cc", lost + 1)
    assert judge_notice(anew, taken + 1, "aa", "dd", lost) is FactVerdict.REPEATED


def test_there_is_nothing_before_the_first() -> None:
    """Number 0 and a first notice that names one before it belong to no chain."""
    assert judge_notice(FactChain(), 0, "", "") is FactVerdict.FORKED
    assert judge_notice(FactChain(), 1, "00", "11") is FactVerdict.FORKED
