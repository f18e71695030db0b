"""Facts about the written forms of division codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.division_codes import Level, canonical_code, segments
from gateway.domain.errors import Reason, Refusal


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("53", "53"),
        ("530000", "53"),
        ("530000000000", "53"),
        ("5301", "5301"),
        ("530100", "5301"),
        ("530102000000", "530102"),
        ("530102000", "530102"),
        ("530102001000", "530102001"),
        ("530102001201", "530102001201"),
        (" 530102 ", "530102"),
    ],
)
def test_padding_zeros_are_dropped(written: str, code: str) -> None:
    """However long an agency writes it, a division has one code."""
    assert canonical_code(written) == code


@pytest.mark.parametrize(
    "text",
    ["", "5", "530", "53010", "5301020", "５３", "53010a", "000000", "530002", "5301-2", "00"],
)
def test_other_texts_are_refused(text: str) -> None:
    """What has another length, another character or an empty tier is no code."""
    with pytest.raises(Refusal) as caught:
        canonical_code(text)
    assert caught.value.reason is Reason.UNKNOWN_DIVISION


def test_a_code_is_cut_into_its_tiers() -> None:
    """The tiers of a code are the tokens of a message subject."""
    assert segments("530681") == ("53", "06", "81")
    assert segments("530627001201") == ("53", "06", "27", "001", "201")


@given(st.from_regex(r"[1-9][0-9]([0-9]{2}([0-9]{2}([0-9]{3}([0-9]{3})?)?)?)?", fullmatch=True))
def test_the_canonical_form_is_stable(text: str) -> None:
    """A canonical code is its own canonical form, and its tiers put it together again."""
    code = ""
    refused = False
    try:
        code = canonical_code(text)
    except Refusal:
        refused = True
    assert refused or (canonical_code(code) == code and text.startswith(code))
    assert "".join(segments(code)) == code


def test_the_length_gives_the_level() -> None:
    """Each level has its own number of digits; a village has no level here."""
    assert [Level.of(code) for code in ("53", "5301", "530102", "530102001")] == list(Level)
    with pytest.raises(ValueError, match="530102001201"):
        Level.of("530102001201")
