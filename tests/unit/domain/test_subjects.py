"""Facts about the child's record, which holds no identity."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.organisations import OrgId
from gateway.domain.subjects import (
    EnrolmentAssertion,
    GuardianContact,
    HukouAssertion,
    HukouFinding,
    PersonIdentity,
    Subject,
)

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
POLICE, SCHOOL = OrgId.parse("53/psb"), OrgId.parse("530102/sch/3153000123")


def hukou(county: str, days: int) -> HukouAssertion:
    """Return a statement whose snapshot lies so many days back."""
    return HukouAssertion(HukouFinding.FOUND, county, "", "", NOW - timedelta(days=days), POLICE)


@given(st.lists(st.integers(0, 999), unique=True, min_size=1, max_size=6))
def test_the_newest_snapshot_counts_whatever_arrives_last(days: list[int]) -> None:
    """A late letter with an old register extract does not undo a newer one."""
    subject = Subject("child", NOW)
    for back in days:
        subject = subject.with_hukou(hukou(f"53{back:04d}", back), NOW)
    assert subject.version == len(days) + 1
    assert subject.current_hukou is not None
    assert subject.current_hukou.county == f"53{min(days):04d}"


def test_the_last_enrolment_counts() -> None:
    """Enrolment follows the order of statements; none is known at first."""
    subject = Subject("child", NOW)
    assert subject.current_hukou is None
    assert subject.current_enrolment is None
    first = EnrolmentAssertion("530102", SCHOOL, 6, "", SCHOOL)
    second = EnrolmentAssertion("530102", SCHOOL, 7, "", SCHOOL)
    subject = subject.with_enrolment(first, NOW).with_enrolment(second, NOW)
    assert subject.current_enrolment is second
    assert subject.enrolment == (first, second)


def test_identity_shows_itself_nowhere() -> None:
    """The repr that ends up in logs and test output holds no word of the person."""
    child = PersonIdentity("阿依", "530102201203040017", "G530102201203040017")
    guardian = GuardianContact("阿普", "08710000001", "某路1号", "父亲")
    for shown in (repr(child), str(child), f"{guardian}", repr([guardian])):
        assert not any(secret in shown for secret in ("阿", "5301", "0871", "某路", "父"))
