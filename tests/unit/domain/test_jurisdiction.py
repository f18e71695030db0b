"""The jurisdiction table J1-J17: every row by its example, and every pattern exactly one answer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cases import WhereaboutsKind
from gateway.domain.jurisdiction import TABLE, Decision, Facts, LetterKind, evaluate, location_of
from gateway.domain.organisations import OrgId, Role

E, H, T = "530102", "530681", "533102"
X = "44"  # 广东
AT_HOME, WORKING = WhereaboutsKind.AT_HOME, WhereaboutsKind.OTHER_PROVINCE
ELSEWHERE = WhereaboutsKind.OTHER_COUNTY_YN
UNKNOWN = WhereaboutsKind.UNKNOWN

EXAMPLES: dict[str, tuple[Facts, str, str, bool, bool]] = {
    # row: facts, responsible county, letters due, law, needs decision
    "J1": (Facts(E, E, AT_HOME, E), E, "", True, False),
    "J2": (Facts(E, H, AT_HOME, E), E, f"NOTIFICATION {E}>{H}", True, False),
    "J3": (Facts(E, H, AT_HOME, H), H, f"HANDOVER {E}>{H}", True, False),
    "J4": (Facts(E, E, WORKING, X), E, "", True, False),
    "J5": (
        Facts(E, H, ELSEWHERE, T),
        H,
        f"HANDOVER {E}>{H}, ASSISTANCE {H}>{T}",
        True,
        False,
    ),
    "J6": (Facts(E, H, WORKING, X), H, f"HANDOVER {E}>{H}", True, False),
    "J7": (Facts(E, X, WORKING, X), E, f"EXTERNAL {E}>", False, True),
    "J8": (Facts(E, X, AT_HOME, E), E, f"EXTERNAL {E}>", True, True),
    "J9": (Facts(E, H, UNKNOWN, ""), E, "", False, True),
    "J10": (Facts(E, "", AT_HOME, E), E, "", False, True),
    "J11": (Facts("", H, AT_HOME, T), H, "", True, True),
    "J12": (Facts(E, H, AT_HOME, H, foreign_national=True), E, "", False, True),
    "J13": (Facts(E, H, AT_HOME, H, branch_school=True), E, "", False, True),
    "J14": (Facts(E, H, AT_HOME, H, hukou_changed=True), H, "", False, True),
    "J15": (Facts(E, H, AT_HOME, H, enrolment_changed=True), E, "", False, True),
    "J17": (Facts(E, H, AT_HOME, H, no_township=True), E, "", False, True),
    "J16": (Facts(E, H, AT_HOME, H, disputed=True), E, "", False, True),
}


def letters_of(decision: Decision) -> str:
    """Write the letters due as `KIND sender>recipient`."""
    return ", ".join(
        f"{due.kind} {due.sender.division}>{due.recipient.division if due.recipient else ''}"
        for due in decision.letters
    )


@pytest.mark.parametrize("row", EXAMPLES)
def test_each_row_answers_its_example(row: str) -> None:
    """Row, responsible county, letters, law or policy, and whether a person must decide."""
    facts, county, letters, law, needs_decision = EXAMPLES[row]
    decision = evaluate(facts)
    assert decision.row == row
    assert decision.responsible == OrgId(county, Role.EDU)
    assert letters_of(decision) == letters
    assert (decision.law, decision.needs_decision) == (law, needs_decision)
    assert decision.facts == facts
    assert decision.explanation
    assert decision.explanation_zh


def test_every_row_of_the_table_has_an_example() -> None:
    """All seventeen rows are tried."""
    assert {row.id for row in TABLE} == set(EXAMPLES)
    assert len({row.id for row in TABLE}) == len(TABLE)


def test_the_first_fitting_row_answers() -> None:
    """Rows overlap on purpose; the order decides, and it is this one."""
    order = "J12 J16 J15 J14 J13 J17 J11 J10 J9 J1 J8 J2 J7 J4 J3 J5 J6"
    assert [row.id for row in TABLE] == order.split()
    unknown_everything = Facts("", "", UNKNOWN, "", foreign_national=True, disputed=True)
    answers = [
        (unknown_everything, "J12"),
        (replace(unknown_everything, foreign_national=False), "J16"),
        (replace(unknown_everything, foreign_national=False, disputed=False), "J11"),
        (Facts(E, "", UNKNOWN, ""), "J10"),
        (Facts(E, X, UNKNOWN, ""), "J9"),
        (Facts(E, X, AT_HOME, E), "J8"),
        (Facts(E, X, WORKING, X), "J7"),
    ]
    for facts, row in answers:
        assert evaluate(facts).row == row


def test_a_child_without_hukou_is_never_given_to_another_county() -> None:
    """J10: enrolment county keeps the case, whatever the whereabouts."""
    for location in (E, T, X, ""):
        decision = evaluate(Facts(E, H, ELSEWHERE, location, no_hukou=True))
        assert decision.row == "J10"
        assert decision.responsible == OrgId(E, Role.EDU)


counties = st.sampled_from(["530102", "530681", "533102", "530627"])
outside = st.sampled_from(["44", "51"])
patterns = st.builds(
    Facts,
    enrolment=counties | st.just(""),
    hukou=counties | outside | st.just(""),
    whereabouts=st.sampled_from(WhereaboutsKind),
    location=counties | outside | st.just(""),
    foreign_national=st.booleans(),
    no_hukou=st.booleans(),
    disputed=st.booleans(),
)


@given(patterns)
def test_every_pattern_of_facts_has_exactly_one_answer(facts: Facts) -> None:
    """Some row fits, the first one answers, and what it asks for can be done."""
    fitting = [row.id for row in TABLE if row.fits(facts)]
    decision = evaluate(facts)
    assert decision.row == fitting[0]
    bureaus = {OrgId(code, Role.EDU) for code in (facts.enrolment, facts.hukou) if len(code) == 6}
    assert decision.responsible in bureaus or (
        decision.responsible is None and decision.needs_decision
    )
    for due in decision.letters:
        assert due.sender != due.recipient
        assert due.sender in bureaus
        assert due.recipient is not None or due.kind is LetterKind.EXTERNAL


@given(patterns)
def test_responsibility_moves_by_a_hand_over_letter_only(facts: Facts) -> None:
    """Who is responsible without being the enrolment county gets a hand-over from it (art. 8)."""
    decision = evaluate(facts)
    if decision.needs_decision or decision.responsible is None:
        return
    moved = decision.responsible.division != facts.enrolment
    handed = [due for due in decision.letters if due.kind is LetterKind.HANDOVER]
    assert bool(handed) is moved
    if moved:
        assert handed[0].recipient == decision.responsible
        assert handed[0].sender.division == facts.enrolment


@given(patterns)
def test_whose_child_is_elsewhere_is_the_household_countys(facts: Facts) -> None:
    """Art. 8: in the enrolment county it acts itself; elsewhere the household county acts."""
    decision = evaluate(facts)
    if decision.needs_decision:
        return
    expected = facts.enrolment if facts.location == facts.enrolment else facts.hukou
    assert decision.responsible == OrgId(expected, Role.EDU)


@pytest.mark.parametrize(
    ("kind", "division", "expected"),
    [
        (WhereaboutsKind.IN_ENROLMENT_COUNTY, "", E),
        (WhereaboutsKind.IN_HUKOU_COUNTY, "", H),
        (WhereaboutsKind.OTHER_COUNTY_YN, T, T),
        (WhereaboutsKind.AT_HOME, "", ""),
        (WhereaboutsKind.AT_HOME, H, H),
        (WhereaboutsKind.TEMPLE, "", ""),
        (WhereaboutsKind.UNKNOWN, E, ""),
    ],
)
def test_where_the_child_is_follows_from_record_or_kind(
    kind: WhereaboutsKind, division: str, expected: str
) -> None:
    """A recorded division counts, else the kind; a home can be anywhere, unknown is unknown."""
    assert location_of(kind, division, E, H) == expected
