"""Bounded places."""

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.transport.places import Places


def test_each_key_has_its_own_places() -> None:
    """Beyond the bound a key is refused with advice; others are not; a place that is left is free."""
    places = Places(2, "streams open", "Close one.")
    with places.taken("a"), places.taken("b"):
        with places.taken("a"):
            with pytest.raises(Refusal) as refused, places.taken("a"):
                pytest.fail("a place beyond the bound")
            assert refused.value.reason is Reason.TOO_MANY
            assert refused.value.advice == "Close one."
        with places.taken("a"):
            pass


def test_a_place_is_left_however_one_leaves() -> None:
    """An error inside gives the place back, and nothing is remembered of a key without one."""
    places = Places(1, "streams open", "Close one.")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.taken("a"):
            raise ZeroDivisionError
    assert not places._taken
