"""Facts about identity numbers, enrolment numbers and names. All numbers are synthetic."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.identifiers import (
    EnrolmentKind,
    EnrolmentNumber,
    IdNumber,
    PersonName,
    check_character,
    mask_enrolment_number,
    mask_id_number,
    mask_name,
    mask_phone,
    matching_name,
    normalise_id_number,
)

# Valid check digits under county codes that were retired before the year of birth.
SAMPLES = (
    "530522201803159016",
    "532522201309089026",
    "532621201211019037",
    "530630201909019041",
    "533321201707049066",
    "532526201506129096",
)

births = st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 11, 23))


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    """Draw a well-formed identity number with any address code."""
    area = draw(st.integers(100000, 999999))
    first_17 = f"{area}{draw(births):%Y%m%d}{draw(st.integers(0, 999)):03}"
    return first_17 + check_character(first_17)


@pytest.mark.parametrize("number", SAMPLES)
def test_numbers_under_retired_county_codes_are_accepted(number: str) -> None:
    """A retired county prefix is no error, because the prefix is not the registration (B19)."""
    assert IdNumber.parse(number).value == number


def test_the_standard_example_has_check_character_x() -> None:
    """The example printed in GB 11643-1999 ends in X."""
    assert check_character("11010519491231002") == "X"


@given(id_numbers())
def test_every_well_formed_number_is_accepted(number: str) -> None:
    """Any address code, date and sequence pass when the check character fits."""
    parsed = IdNumber.parse(number)
    assert parsed.value == number
    assert f"{parsed.birth_date:%Y%m%d}" == number[6:14]


@given(id_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_change_of_one_character_is_refused(number: str, at: int, other: str) -> None:
    """MOD 11-2 finds each single wrong character."""
    changed = number[:at] + other + number[at + 1 :]
    if changed != number:
        with pytest.raises(Refusal):
            IdNumber.parse(changed)


@given(id_numbers(), st.integers(0, 16))
def test_every_swap_of_two_neighbours_is_refused(number: str, at: int) -> None:
    """MOD 11-2 finds each pair of neighbours typed the wrong way round."""
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if swapped != number:
        with pytest.raises(Refusal):
            IdNumber.parse(swapped)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "LENGTH"),
        ("530522180315901", "LENGTH"),
        ("5305222018031590166", "LENGTH"),
        ("53052220180315901A", "CHARACTERS"),
        ("X30522201803159016", "CHARACTERS"),
        ("530522201803159017", "CHECK_DIGIT"),
        ("53052220180230901" + check_character("53052220180230901"), "BIRTH_DATE"),
        ("53052218990101901" + check_character("53052218990101901"), "BIRTH_DATE"),
        ("53052220270101901" + check_character("53052220270101901"), "BIRTH_DATE"),
    ],
)
def test_a_malformed_number_is_refused_with_its_flaw(text: str, flaw: str) -> None:
    """The refusal says what is wrong with the number and never repeats it."""
    with pytest.raises(Refusal) as caught:
        IdNumber.parse(text, not_after=date(2026, 11, 23))
    refusal = caught.value
    assert refusal.reason is Reason.MALFORMED_ID_NUMBER
    assert refusal.metadata == {"flaw": flaw}
    assert refusal.field == "id_number"
    assert not text or text not in f"{refusal}{refusal.message}{refusal.advice}"


def test_typing_habits_are_understood() -> None:
    """Full-width digits, blanks, hyphens and a small x are written in one way."""
    assert normalise_id_number("１１０１０５ 19491231-002ｘ\u200b\n") == "11010519491231002X"
    assert IdNumber.parse(" １１０１０５194912310０2x").value == "11010519491231002X"


def test_digits_of_other_scripts_are_refused() -> None:
    """Only the ten ASCII digits count as digits, whatever `str.isdigit` thinks."""
    with pytest.raises(Refusal):
        IdNumber.parse("٥٣٠٥٢٢٢٠١٨٠٣١٥٩٠١٦")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("G530522201803159016", EnrolmentKind.NATIONAL),
        ("g 530522201803159016", EnrolmentKind.NATIONAL),
        ("J53010220180315001X", EnrolmentKind.GENERATED),
        ("L530102201803150042", EnrolmentKind.TEMPORARY),
    ],
)
def test_the_three_forms_of_enrolment_number(text: str, kind: EnrolmentKind) -> None:
    """G holds an identity number, J and L a generated one."""
    assert EnrolmentNumber.parse(text).kind is kind


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "KIND"),
        ("530522201803159016", "KIND"),
        ("K530522201803159016", "KIND"),
        ("G53052220180315901", "LENGTH"),
        ("G530522201803159017", "CHECK_DIGIT"),
        ("J530102201813150010", "BIRTH_DATE"),
        ("L53010220180315004X", "CHARACTERS"),
        ("L530102201802300042", "BIRTH_DATE"),
    ],
)
def test_a_malformed_enrolment_number_is_refused(text: str, flaw: str) -> None:
    """The refusal has its own reason and names the flaw."""
    with pytest.raises(Refusal) as caught:
        EnrolmentNumber.parse(text)
    assert caught.value.reason is Reason.MALFORMED_ENROLMENT_NUMBER
    assert caught.value.metadata == {"flaw": flaw}


def test_values_hide_themselves() -> None:
    """What lands in a log by mistake shows no number and no name."""
    shown = repr([IdNumber.parse(SAMPLES[0]), EnrolmentNumber.parse("G" + SAMPLES[0])])
    assert SAMPLES[0][6:14] not in shown
    assert SAMPLES[0][-4:] not in shown
    assert "小" not in repr(PersonName("王小某"))


@given(id_numbers())
def test_a_masked_number_shows_neither_county_nor_birth(number: str) -> None:
    """A preview keeps the province and the last four characters only."""
    assert mask_id_number(number) == number[:2] + "*" * 12 + number[-4:]
    assert mask_enrolment_number("G" + number) == "G" + mask_id_number(number)


@given(st.text(max_size=17))
def test_what_is_too_short_is_masked_whole(text: str) -> None:
    """A broken number leaks nothing through its mask."""
    assert mask_id_number(text) == mask_enrolment_number(text) == "*" * len(text)


def test_masked_names_and_telephones() -> None:
    """A name keeps its first character, a telephone number its last four digits."""
    assert mask_name("王小某") == "王**"
    assert mask_name("") == ""
    assert mask_phone("13800001234") == "*******1234"
    assert mask_phone("8123") == "****"


@pytest.mark.parametrize("mark", "·•・．.‧∙･")
def test_interpuncts_of_minority_names_match(mark: str) -> None:
    """However the mark is typed, two records of one name meet; the original stays (B29)."""
    name = PersonName(f"阿依{mark} 木加")
    assert name.matching == matching_name("阿依·木加")
    assert name.original == f"阿依{mark} 木加"


def test_different_characters_stay_different_names() -> None:
    """Matching does not merge characters that only look alike."""
    assert matching_name("吕某") != matching_name("呂某")


@given(st.text())
@example("A\u00b4")  # the accent falls apart into a blank, which goes, and a mark, which joins
def test_matching_is_stable(name: str) -> None:
    """A matched form matches itself."""
    once = matching_name(name)
    assert matching_name(once) == once
