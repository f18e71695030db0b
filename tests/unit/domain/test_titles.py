"""Titles pass hand to hand, one holder after the other (rules 1, 2, 7)."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId
from gateway.domain.titles import (
    Epoch,
    Title,
    TitleCause,
    check_successor,
    first_title,
    granted_title,
    merge_chain,
)

BUREAUS = tuple(OrgId.parse(f"{code}/edu") for code in ("530102", "530627", "530681", "532626"))


def signed(title: Title) -> Title:
    """Return the title with the hash that its content has."""
    return replace(title, hash=hashlib.sha256(repr(replace(title, hash="")).encode()).hexdigest())


def chain_of(picks: list[int]) -> list[Title]:
    """Return a chain that starts at the first bureau; each pick chooses the next other one."""
    chain = [signed(first_title("case", BUREAUS[0], "event 0"))]
    for number, pick in enumerate(picks, 1):
        others = [bureau for bureau in BUREAUS if bureau != chain[-1].holder]
        chain.append(signed(granted_title(chain[-1], others[pick], f"event {number}")))
    return chain


chains = st.lists(st.integers(0, 2), max_size=6).map(chain_of)


@given(chains, st.data())
def test_a_chain_is_learnt_whole_in_any_order_and_portion(
    chain: list[Title], data: st.DataObject
) -> None:
    """Known titles are passed over, new ones come in order; epochs rise by one."""
    known = data.draw(st.integers(0, len(chain)))
    brought = data.draw(st.permutations(chain[data.draw(st.integers(0, known)) :]))
    added = merge_chain(chain[:known], [*brought, *brought])
    assert list(added) == chain[known:]
    assert merge_chain(chain, brought) == ()
    assert [title.epoch.number for title in chain] == list(range(len(chain)))


@given(chains, st.data())
def test_two_titles_of_one_epoch_are_refused(chain: list[Title], data: st.DataObject) -> None:
    """Rule 7: a second title of a known epoch never replaces or extends anything."""
    at = data.draw(st.integers(0, len(chain) - 1))
    other = signed(replace(chain[at], cause_event_id="another event"))
    with pytest.raises(Refusal) as caught:
        merge_chain(chain, [other])
    assert caught.value.reason is Reason.TITLE_INVALID
    with pytest.raises(Refusal) as caught:
        merge_chain(chain[:at], [chain[at], other])
    assert caught.value.reason is Reason.TITLE_INVALID


@given(chains.filter(lambda chain: len(chain) > 1), st.data())
def test_a_hole_in_the_chain_is_refused(chain: list[Title], data: st.DataObject) -> None:
    """Without the titles between, a later one proves nothing."""
    missing = data.draw(st.integers(0, len(chain) - 2))
    with pytest.raises(Refusal):
        merge_chain(chain[:missing], chain[missing + 1 :])


FORGERIES = (
    {"maker": BUREAUS[2]},
    {"holder": BUREAUS[0]},
    {"previous_hash": "00" * 32},
    {"previous_hash": ""},
    {"epoch": Epoch(1, 2)},
    {"epoch": Epoch(2, 0)},
    {"epoch": Epoch(1, 0)},
    {"cause": TitleCause.CONFIRMED},
    {"cause": TitleCause.DEPOSED},
    {"case_id": "another case"},
    {"holder": OrgId.parse("530627001/twn")},
)


@pytest.mark.parametrize("forged", FORGERIES, ids="-".join)
def test_a_successor_out_of_form_is_refused(forged: dict[str, object]) -> None:
    """Only the holder makes the next title, for another bureau, naming the one before by hash."""
    first, second = chain_of([0])
    check_successor(first, second)
    with pytest.raises(Refusal) as caught:
        check_successor(first, replace(second, **forged))  # type: ignore[arg-type]
    assert caught.value.reason is Reason.TITLE_INVALID


@pytest.mark.parametrize(
    "forged",
    [
        {"maker": BUREAUS[1]},
        {"epoch": Epoch(1, 1)},
        {"epoch": Epoch(0, 0)},
        {"previous_hash": "ab"},
        {"cause": TitleCause.ACCEPTED},
        {"holder": (school := OrgId.parse("530102/sch/3153000123")), "maker": school},
    ],
)
def test_a_first_title_out_of_form_is_refused(forged: dict[str, object]) -> None:
    """A case's first title is a bureau's own, at term 1 number 0, for a confirmed dropout."""
    first = first_title("case", BUREAUS[0], "event")
    check_successor(None, first)
    with pytest.raises(Refusal):
        check_successor(None, replace(first, **forged))  # type: ignore[arg-type]


@given(*[st.builds(Epoch, st.integers(1, 3), st.integers(0, 3)) for _ in range(2)])
def test_epochs_are_ordered_by_term_then_number(a: Epoch, b: Epoch) -> None:
    """A new term outranks any number of the term before."""
    assert (a < b) == ((a.term, a.number) < (b.term, b.number))
    assert str(a) == f"{a.term}.{a.number}"


def test_a_reference_names_epoch_hash_and_holder() -> None:
    """What travels with every act is enough to find the title."""
    (title,) = chain_of([])
    assert (title.ref.epoch, title.ref.hash, title.ref.holder) == (
        Epoch(1, 0),
        title.hash,
        BUREAUS[0],
    )
