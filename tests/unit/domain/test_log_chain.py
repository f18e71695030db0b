"""The chain over a log: nothing can be left out, slipped in, changed or moved unseen."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.log_chain import START, head_after, head_of

PAYLOADS = st.lists(st.binary(max_size=20), min_size=1, max_size=12)


def heads(payloads: list[bytes]) -> list[bytes]:
    """The heads at every position, from the one before the first."""
    return [head_of(START, 0, payloads[:count]) for count in range(len(payloads) + 1)]


def test_form_of_the_first_link() -> None:
    """The bytes hashed are those that the contract describes."""
    digest = hashlib.sha256(b"event").digest()
    link = b"dropout-gateway/v1/log\0" + bytes(32) + b"\0\0\0\0\0\0\0\x01" + digest
    assert head_of(START, 0, [b"event"]) == hashlib.sha256(link).digest()


@given(PAYLOADS, st.data())
def test_pages_give_the_head_of_the_whole(payloads: list[bytes], data: st.DataObject) -> None:
    """Wherever a log is cut into pages, the heads agree."""
    cut = data.draw(st.integers(0, len(payloads)))
    first = head_of(START, 0, payloads[:cut])
    assert head_of(first, cut, payloads[cut:]) == head_of(START, 0, payloads)


@given(PAYLOADS, st.data())
def test_whatever_is_done_to_a_log_shows(payloads: list[bytes], data: st.DataObject) -> None:
    """Leaving out, slipping in, changing or exchanging gives another head, whatever it is."""
    place = data.draw(st.integers(0, len(payloads) - 1))
    other = data.draw(st.binary(max_size=20))
    changed = data.draw(
        st.sampled_from(
            [
                payloads[:place] + payloads[place + 1 :],
                [*payloads[:place], other, *payloads[place:]],
                [*payloads[:place], other, *payloads[place + 1 :]],
                [*payloads[place:], *payloads[:place]],
            ]
        )
    )
    same = changed == payloads
    assert (head_of(START, 0, changed) == head_of(START, 0, payloads)) == same


@given(PAYLOADS)
def test_no_two_positions_share_a_head(payloads: list[bytes]) -> None:
    """The same event at another position is another link."""
    found = heads(payloads)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("previous", "digest"), [(b"", START), (START, b"x"), (START * 2, START)])
def test_only_whole_digests_are_chained(previous: bytes, digest: bytes) -> None:
    """A head or digest of another length could be read in two ways."""
    with pytest.raises(ValueError, match="32 bytes"):
        head_after(previous, 1, digest)
