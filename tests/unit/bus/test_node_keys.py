"""The nkey of a node."""

import pytest

from gateway.bus.node_keys import public_nkey, user_seed


def test_a_seed_is_a_users_and_has_one_public_key() -> None:
    """32 random bytes become a user's seed; the same seed names the same key."""
    seed = user_seed(bytes(range(32)))
    assert seed.startswith("SU")
    public = public_nkey(seed)
    assert public.startswith("U")
    assert len(public) == 56
    assert public_nkey(f"{seed}\n") == public


@pytest.mark.parametrize("text", ["", "SUAX", "é", "S" * 58, "UABC", "1"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    """The refusal does not repeat what was given: it may be a secret with a slip of the pen."""
    with pytest.raises(ValueError, match=r"^Not the seed of a broker user\.$"):
        public_nkey(text)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_needs_all_its_randomness(size: int) -> None:
    """Fewer or more than 32 bytes make no seed."""
    with pytest.raises(ValueError, match="32 bytes"):
        user_seed(bytes(size))
