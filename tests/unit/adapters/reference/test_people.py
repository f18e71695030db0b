"""The invented children."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reference.people import FIRST_BIRTH, LAST_BIRTH, RETIRED_CODES, child
from gateway.domain.identifiers import EnrolmentNumber, IdNumber

SEEDS = st.integers(0, 125_000)


@given(SEEDS)
def test_child_is_always_the_same(seed: int) -> None:
    """A seed names one child."""
    assert child(seed) == child(seed)


@given(SEEDS)
def test_numbers_are_of_right_form_and_agree(seed: int) -> None:
    """Identity and enrolment number pass the domain's checks; birth and sex agree with them."""
    some = child(seed)
    assert IdNumber.parse(some.id_number).birth_date == some.birth_date
    assert EnrolmentNumber.parse(some.enrolment_number).value == "G" + some.id_number
    assert int(some.id_number[16]) % 2 == int(some.sex) % 2
    assert FIRST_BIRTH <= some.birth_date <= LAST_BIRTH


@given(SEEDS)
def test_no_registry_office_wrote_such_a_number(seed: int) -> None:
    """The address code had been abolished two years before the year of birth."""
    some = child(seed)
    assert dict(RETIRED_CODES)[some.id_number[:6]] + 2 <= some.birth_date.year


@given(SEEDS)
def test_no_carrier_assigns_such_a_telephone_number(seed: int) -> None:
    """Subscriber numbers do not begin with 0."""
    area, subscriber = child(seed).guardian_phone.split("-")
    assert (area, subscriber[0], len(subscriber)) == ("0871", "0", 8)


def test_numbers_differ() -> None:
    """No two seeds share a number, nor do a hundred children of one day."""
    assert len({child(seed).id_number for seed in range(20_000)}) == 20_000
    day = date(2016, 2, 29)
    assert len({child(seed, born=day).id_number for seed in range(100)}) == 100


def test_birth_too_early_for_any_retired_code() -> None:
    """No number is invented that might be somebody's."""
    with pytest.raises(ValueError, match="abolished"):
        child(1, born=date(2011, 12, 31))
