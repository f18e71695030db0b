"""Subjects and consumer names: one organisation each, and none hears another's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.subjects import (
    checked_token,
    division_tokens,
    durable_name,
    fact_durable,
    fact_filter,
    fact_subject,
    mail_subject,
    organisation_of,
)
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId, Role


def digits(*lengths: int) -> st.SearchStrategy[str]:
    """Division codes of the given lengths whose every tier is not zero."""
    tier = {2: st.integers(10, 99), 4: st.integers(1, 99), 6: st.integers(1, 99)}
    low = {9: st.integers(1, 999), 12: st.integers(1, 999)}

    def code(length: int) -> st.SearchStrategy[str]:
        parts = [st.just("")]
        parts += [n.map(lambda v: f"{v:02}") for size, n in tier.items() if size <= length]
        parts += [n.map(lambda v: f"{v:03}") for size, n in low.items() if size <= length]
        return st.tuples(*parts).map("".join)

    return st.sampled_from(lengths).flatmap(code)


OFFICES = [role for role in Role if role not in {Role.SCH, Role.TWN, Role.VIL}]
ORGANISATIONS = st.one_of(
    st.builds(OrgId, digits(2, 4, 6), st.sampled_from(OFFICES)),
    st.builds(OrgId, digits(9), st.just(Role.TWN)),
    st.builds(OrgId, digits(12), st.just(Role.VIL)),
    st.builds(OrgId, digits(6), st.just(Role.SCH), st.from_regex(r"[0-9]{10}", fullmatch=True)),
)


@pytest.mark.parametrize(
    ("organisation", "subject", "durable"),
    [
        ("530681/edu", "dx.v1.mail.53.06.81.edu", "mail_53_06_81_edu"),
        ("5306/edu", "dx.v1.mail.53.06.edu", "mail_53_06_edu"),
        ("53/psb", "dx.v1.mail.53.psb", "mail_53_psb"),
        ("530627001/twn", "dx.v1.mail.53.06.27.001.twn", "mail_53_06_27_001_twn"),
        (
            "530102/sch/3153000123",
            "dx.v1.mail.53.01.02.sch.3153000123",
            "mail_53_01_02_sch_3153000123",
        ),
    ],
)
def test_names_of_a_letter_box(organisation: str, subject: str, durable: str) -> None:
    """Each tier of the division is one token, then the role, then the school's identifier."""
    address = OrgId.parse(organisation)
    assert mail_subject(address) == subject
    assert durable_name(address) == durable
    assert organisation_of(subject) == address


def test_facts_are_published_by_kind_and_source() -> None:
    """The subject of a fact names its kind and its source; a filter the kind and a division."""
    kind, bureau = FactKind.TITLE_GRANTED, OrgId.parse("530681/edu")
    assert fact_subject(bureau, kind) == "dx.v1.fact.title_granted.53.06.81.edu"
    assert fact_filter("5306", kind) == "dx.v1.fact.title_granted.53.06.>"
    follower = OrgId.parse("53/sup")
    assert fact_durable(follower, "5306", kind) == "fact_53_sup_title_granted_53_06"


@pytest.mark.parametrize("kind", FactKind)
def test_every_kind_can_be_part_of_a_subject(kind: FactKind) -> None:
    """No name of a kind is too long or has another character than a token may have."""
    assert kind.value in fact_subject(OrgId.parse("53/edu"), kind).split(".")


@given(ORGANISATIONS)
def test_a_subject_leads_back_to_its_organisation(organisation: OrgId) -> None:
    """The inverse of a subject is the organisation it was made for."""
    assert organisation_of(mail_subject(organisation)) == organisation


@given(ORGANISATIONS, ORGANISATIONS)
def test_no_letter_box_hears_another(one: OrgId, other: OrgId) -> None:
    """Two organisations have two subjects and two consumers; none is a prefix of the other's."""
    first, second = mail_subject(one).split("."), mail_subject(other).split(".")
    if one == other:
        return
    assert first != second
    assert durable_name(one) != durable_name(other)
    assert first != second[: len(first)]
    assert second != first[: len(second)]


@given(ORGANISATIONS)
def test_every_token_is_literal_and_every_name_safe(organisation: OrgId) -> None:
    """No token is a wildcard, and the consumer's name is one token itself."""
    for token in [*mail_subject(organisation).split("."), durable_name(organisation)]:
        assert re.fullmatch(r"[0-9A-Za-z_-]{1,32}", token)


@pytest.mark.parametrize("token", ["", "*", ">", "a.b", "a b", "a\n", "村", "x" * 33])
def test_a_token_that_could_be_more_than_one_is_refused(token: str) -> None:
    """Wildcards, dots, blanks, other scripts and endless tokens never reach the broker."""
    with pytest.raises(ValueError, match="token"):
        checked_token(token)


@pytest.mark.parametrize("division", ["", "5", "530", "53068", "53*", "５３", "5306810010011"])
def test_what_is_no_division_has_no_subject(division: str) -> None:
    """Only codes that end at a tier have a subject."""
    with pytest.raises(ValueError, match="division"):
        division_tokens(division)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "dx.v1.mail",
        "dx.v1.mail.",
        "dx.v1.mail.53.06.81",
        "dx.v1.mail.53.06.81.>",
        "dx.v1.mail.53.06.*.edu",
        "dx.v1.mail.53.0681.edu",
        "dx.v1.mail.53.06.81.edu.extra",
        "dx.v1.mail.53.06.81.sch",
        "dx.v1.fact.53.06.81.edu",
        "xx.v1.mail.53.06.81.edu",
    ],
)
def test_what_is_no_letter_box_names_no_organisation(subject: str) -> None:
    """Only the exact subject of a letter-box is read back."""
    with pytest.raises(ValueError, match="letter-box"):
        organisation_of(subject)
