"""Facts about organisations, roles and posts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import (
    POST_NAMES,
    ROLE_NAMES,
    Organisation,
    OrgId,
    Post,
    Role,
    nearest_agency,
)

ADDRESSES = (
    "530102/edu",
    "5306/edu",
    "53/psb",
    "530102/sch/3153000123",
    "530627001/twn",
    "530627001201/vil",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_read_and_written(address: str) -> None:
    """Reading and writing an address gives it back."""
    assert str(OrgId.parse(address)) == address


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "530102",
            "530102/",
            "/edu",
            "530102/EDU",
            "530102/xyz",
            "530102/edu/",
            "530102/edu/1",
        ),
        *("530102/sch", "530102/sch/", "530102/sch/315300012", "530102/sch/31530001234"),
        *("530102/sch/315300012*", "530102/sch/3153000123/1", "53010/edu", "530100/edu"),
        *("530627001/edu", "530627/twn", "530627001/vil", "５３/edu", "53.*/edu", "530102 /edu"),
        *("530102/edu\n", "530102001/sch/3153000123", "003102/edu"),
    ],
)
def test_a_malformed_address_is_refused(address: str) -> None:
    """Wrong tiers, unknown roles and anything but plain digits are refused with one reason."""
    with pytest.raises(Refusal) as caught:
        OrgId.parse(address)
    assert caught.value.reason is Reason.MALFORMED_ORGANISATION


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is an address that writes itself back, or a refusal."""
    reason = None
    written = text
    try:
        written = str(OrgId.parse(text))
    except Refusal as refusal:
        reason = refusal.reason
    assert written == text
    assert reason in (None, Reason.MALFORMED_ORGANISATION)


def test_the_county_of_an_address() -> None:
    """County, township, village and school have a county; prefecture and province have none."""
    counties = [OrgId.parse(address).county for address in ADDRESSES]
    assert counties == ["530102", None, None, "530102", "530627", "530627"]


def test_every_role_and_post_has_a_chinese_name() -> None:
    """The tables that officers read are complete."""
    assert set(ROLE_NAMES) == set(Role)
    assert set(POST_NAMES) == set(Post)
    assert all(post.value == post.name for post in Post)
    assert len(Role) == 22


def organisation(address: str) -> Organisation:
    """Make an entry with a name of its own."""
    return Organisation(OrgId.parse(address), f"机构 {address}")


def test_the_nearest_agency_is_its_own_then_the_one_above() -> None:
    """A county without the agency is served by its prefecture, then by the province."""
    entries = [organisation(a) for a in ("530627/psb", "5306/psb", "53/psb", "5306/edu")]
    found = {
        division: nearest_agency(entries, division, Role.PSB)
        for division in ("530627", "530627001", "530681", "530102")
    }
    assert {code: str(entry.id) for code, entry in found.items() if entry} == {
        "530627": "530627/psb",
        "530627001": "530627/psb",
        "530681": "5306/psb",
        "530102": "53/psb",
    }
    assert nearest_agency(entries, "530627", Role.CAB) is None


def test_a_school_is_never_the_nearest_agency() -> None:
    """A division has many schools, so none is found by its role."""
    assert nearest_agency([organisation("530102/sch/3153000123")], "530102", Role.SCH) is None


def test_an_entry_checks_its_township_and_superior() -> None:
    """The township of a school has nine digits, and nothing is its own superior."""
    school = OrgId.parse("530102/sch/3153000123")
    assert Organisation(school, "学校", OrgId.parse("530102/edu"), "530102001").township
    with pytest.raises(Refusal):
        Organisation(school, "学校", township="530102")
    with pytest.raises(Refusal):
        Organisation(school, "学校", superior=school)
