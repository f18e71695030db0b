"""Commitments to private parts."""

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.domain.commitments import commit, matches

SALT = bytes(range(16))
PARTS = st.tuples(
    st.integers(1, 2**32 - 1), st.text(max_size=8), st.binary(min_size=16, max_size=20), st.binary()
)


def test_layout_is_the_documented_one() -> None:
    """Another language can compute the digest from the documentation alone."""
    fields = (b"\0\0\0\1", b"token", SALT, b"body")
    preimage = b"dropout-gateway/v1/commitment\0" + b"".join(
        len(field).to_bytes(8, "big") + field for field in fields
    )
    assert commit(1, "token", SALT, b"body") == hashlib.sha256(preimage).digest()


@given(PARTS, PARTS)
def test_different_parts_have_different_commitments(
    one: tuple[int, str, bytes, bytes], other: tuple[int, str, bytes, bytes]
) -> None:
    """No two different parts share a commitment, however their bytes are cut."""
    assume(one != other)
    assert commit(*one) != commit(*other)
    assert matches(commit(*one), *one)
    assert not matches(commit(*one), *other)


def test_bytes_cannot_move_between_fields() -> None:
    """A byte moved from the salt to the content changes the commitment."""
    longer = SALT + b"x"
    assert commit(1, "", longer, b"y") != commit(1, "", SALT, b"xy")
    assert commit(1, "a", SALT, b"") != commit(1, "", SALT, b"a")


@pytest.mark.parametrize("salt", [b"", b"x" * 15])
def test_short_salt_is_refused(salt: bytes) -> None:
    """A salt below 128 bits neither commits nor matches."""
    with pytest.raises(ValueError, match="salt"):
        commit(1, "", salt, b"body")
    assert not matches(b"", 1, "", salt, b"body")


@pytest.mark.parametrize("kind", [0, -1, 2**32])
def test_impossible_kind_is_refused(kind: int) -> None:
    """A kind outside 1 to 2^32-1 neither commits nor matches."""
    with pytest.raises(ValueError, match="kind"):
        commit(kind, "", SALT, b"body")
    assert not matches(b"", kind, "", SALT, b"body")


def test_subject_out_of_unicode_matches_nothing() -> None:
    """A subject that cannot be written as UTF-8 is no match instead of a fault."""
    assert not matches(b"", 1, "\ud800", SALT, b"body")
