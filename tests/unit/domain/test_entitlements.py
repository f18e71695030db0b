"""Who may follow whose facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.entitlements import PUBLISHED, Entitlement, followed_kinds, may_follow
from gateway.domain.facts import RULES, FactKind
from gateway.domain.organisations import OrgId, Role

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SUPERVISION = OrgId.parse("53/sup")
PREFECTURE = OrgId.parse("5306/edu")
ZHENXIONG = OrgId.parse("530627/edu")
SCHOOL = OrgId.parse("530627/sch/3153000456")
WUHUA = OrgId.parse("530102/edu")
GRANTED, RETURNED = FactKind.TITLE_GRANTED, FactKind.STUDENT_RETURNED
ENTITLEMENT = Entitlement(
    SUPERVISION, "5306", frozenset({GRANTED, RETURNED}), NOW, NOW + DAY, "art. 13"
)


@pytest.mark.parametrize(
    ("source", "kind", "at", "allowed"),
    [
        (ZHENXIONG, GRANTED, NOW, True),
        (PREFECTURE, GRANTED, NOW, True),
        (SCHOOL, RETURNED, NOW + DAY / 2, True),
        (WUHUA, GRANTED, NOW, False),
        (OrgId.parse("53/edu"), GRANTED, NOW, False),
        (ZHENXIONG, FactKind.LETTER_NOTED, NOW, False),
        (ZHENXIONG, GRANTED, NOW + DAY, False),
        (ZHENXIONG, GRANTED, NOW - timedelta(microseconds=1), False),
    ],
)
def test_division_kind_and_time_decide(
    source: OrgId, kind: FactKind, at: datetime, allowed: bool
) -> None:
    """A right holds in its division and below, for its kinds, from its begin until its end."""
    assert may_follow([ENTITLEMENT], SUPERVISION, source, kind, at) is allowed
    assert (kind in followed_kinds([ENTITLEMENT], source, at)) is allowed


def test_a_right_is_nobody_elses() -> None:
    """What one organisation may follow, another may not."""
    assert not may_follow([ENTITLEMENT], OrgId.parse("5306/sup"), ZHENXIONG, GRANTED, NOW)
    assert not may_follow([], SUPERVISION, ZHENXIONG, GRANTED, NOW)


def test_no_entry_gives_what_the_table_does_not() -> None:
    """A bureau above is entitled to hand-overs, never to which school a child returned to (D.6)."""
    wrong = replace(ENTITLEMENT, organisation=PREFECTURE)
    assert wrong.forbidden == {RETURNED}
    assert may_follow([wrong], PREFECTURE, ZHENXIONG, GRANTED, NOW)
    assert not may_follow([wrong], PREFECTURE, SCHOOL, RETURNED, NOW)
    assert followed_kinds([wrong], SCHOOL, NOW) == {GRANTED}


def test_telling_kinds_are_never_published() -> None:
    """That a child is sought, where it is and why it stopped coming is for nobody by this way."""
    assert not {
        FactKind.ABSENCE_REPORTED,
        FactKind.SUSPECTED_DROPOUT_SUBMITTED,
        FactKind.HUKOU_QUERIED,
        FactKind.HUKOU_ASSERTED,
        FactKind.WHEREABOUTS_RECORDED,
        FactKind.LETTER_DISPATCHED,
        FactKind.RETRIEVAL_ORDER_ISSUED,
        FactKind.RETRIEVAL_STEP_RECORDED,
    } & set(PUBLISHED)


def test_schools_and_townships_are_shown_to_supervision_and_platform_only() -> None:
    """A kind that a school or township states tells the place: bureaus above may not follow it."""
    for kind, roles in PUBLISHED.items():
        assert roles, kind
        if RULES[kind].sources & {Role.SCH, Role.TWN}:
            assert roles <= {Role.SUP, Role.RRB}, kind
