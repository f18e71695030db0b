"""A genuine organisation states a fact about a matter that is not its own, and is refused."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from adapters.reference.people import child
from gateway.codec import cases, enums, fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.titles import known_titles
from gateway.v1 import (
    absence_pb2,
    case_pb2,
    event_pb2,
    placement_pb2,
    retrieval_pb2,
    subject_pb2,
)
from tests.delivery.standing import ENROLMENT_COUNTY, Course, Invented, Statement, fresh
from tests.world.estate import (
    PLATFORM,
    SHUIFU,
    SHUIFU_TOWNSHIP,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
)
from tests.world.province import Province

NOT_ALLOWED = Reason.JURISDICTION_NOT_ALLOWED
RETURNED = case_pb2.StudentReturned(
    school=str(ZHENXIONG_SCHOOL), first_day_attended="2026-11-20", days_attended=1
)
STARTED = placement_pb2.PlacementStarted(
    placement_id=fresh(), start_date="2026-11-20", watch_until="2027-02-18"
)
ELSEWHERE = case_pb2.WhereaboutsRecorded(
    whereabouts=case_pb2.Whereabouts(
        kind=case_pb2.WHEREABOUTS_KIND_OTHER_PROVINCE, division="44", source=str(WUHUA)
    )
)


def other_identity(token: str) -> Callable[[Desk], Sequence[VaultPart]]:
    """Return the parts that say that the token is another child."""
    other = child(999)
    identity = subject_pb2.PersonIdentity(name=other.name, id_number=other.id_number)
    kind = enums.wire(PartKind.IDENTITY)
    part = VaultPart(kind, token, b"0" * 16, identity.SerializeToString())
    return lambda _desk: [part]


@pytest.mark.parametrize("victim", [PLATFORM, WUHUA], ids=str)
async def test_a_stranger_school_does_not_return_the_child(
    province: Province, victim: OrgId
) -> None:
    """STUDENT_RETURNED counts from the case's own school, or as its holder passes it on."""
    course = await Course(province).confirmed()
    statement = Statement(province, ZHENXIONG_SCHOOL, victim)
    await statement.refused(NOT_ALLOWED, FactKind.STUDENT_RETURNED, RETURNED, course.about)


@pytest.mark.parametrize(
    ("kind", "body"),
    [(FactKind.STUDENT_RETURNED, RETURNED), (FactKind.PLACEMENT_STARTED, STARTED)],
)
@pytest.mark.parametrize("victim", [WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP], ids=str)
async def test_followers_hear_of_a_return_from_its_holder(
    province: Province, kind: FactKind, body: Any, victim: OrgId
) -> None:
    """After the hand-over those who follow take the fact from no school directly."""
    course = await Course(province).handed_over()
    statement = Statement(province, ZHENXIONG_SCHOOL, victim)
    await statement.refused(NOT_ALLOWED, kind, body, course.about)


@pytest.mark.parametrize("verdict", ["refuted", "confirmed"])
async def test_a_former_holder_decides_nothing(province: Province, verdict: str) -> None:
    """Whoever confirmed the dropout can neither refute nor confirm it after the hand-over."""
    course = await Course(province).handed_over()

    def confirmed(desk: Desk) -> case_pb2.DropoutConfirmed:
        first = known_titles(desk, course.case_id)[0]
        return case_pb2.DropoutConfirmed(criteria="x", title=cases.encode_title_ref(first.ref))

    statement = Statement(province, WUHUA, ZHENXIONG)
    if verdict == "refuted":
        body: Any = case_pb2.DropoutRefuted(reason="x")
        kind = FactKind.DROPOUT_REFUTED
    else:
        body, kind = confirmed, FactKind.DROPOUT_CONFIRMED
    await statement.refused(Reason.ILLEGAL_TRANSITION, kind, body, course.own)


async def test_a_stranger_refutes_nothing(province: Province) -> None:
    """Only the bureau of enrolment says that it is no dropout."""
    course = await Course(province).confirmed()
    body = case_pb2.DropoutRefuted(reason="x")
    statement = Statement(province, SHUIFU, WUHUA_TOWNSHIP)
    await statement.refused(NOT_ALLOWED, FactKind.DROPOUT_REFUTED, body, course.about)


async def test_a_stranger_records_no_whereabouts(province: Province) -> None:
    """WHEREABOUTS_RECORDED is for those who are party to the case."""
    course = await Course(province).confirmed()
    statement = Statement(province, SHUIFU_TOWNSHIP, WUHUA)
    await statement.refused(NOT_ALLOWED, FactKind.WHEREABOUTS_RECORDED, ELSEWHERE, course.about)


async def test_whereabouts_are_of_who_signed_them_and_when(province: Province) -> None:
    """Source and moment in the body count for nothing, so a later statement replaces it."""
    course = await Course(province).confirmed()
    body = case_pb2.WhereaboutsRecorded()
    body.CopyFrom(ELSEWHERE)
    ahead = fields.timestamp(province.clock.now() + timedelta(days=9000))
    assert ahead is not None
    body.whereabouts.recorded_at.CopyFrom(ahead)
    statement = Statement(province, WUHUA_TOWNSHIP, WUHUA)
    await statement.state(FactKind.WHEREABOUTS_RECORDED, body, course.about)
    assert await statement.taken()
    stored = (await course.case(WUHUA)).whereabouts
    assert stored is not None
    assert (stored.source, stored.recorded_at) == (WUHUA_TOWNSHIP, province.clock.now())
    province.clock.advance(minutes=1)
    unknown = case_pb2.WhereaboutsRecorded(
        whereabouts=case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_UNKNOWN)
    )
    await Statement(province, WUHUA_SCHOOL, WUHUA).state(
        FactKind.WHEREABOUTS_RECORDED, unknown, course.about
    )
    stored = (await course.case(WUHUA)).whereabouts
    assert stored is not None
    assert stored.source == WUHUA_SCHOOL


async def test_nobody_replaces_an_identity_in_passing(province: Province) -> None:
    """Neither a stranger nor a party makes the known child another, nor one of another event."""
    course = await Course(province).confirmed()
    about, token = course.about, course.subject_id
    unknown = case_pb2.WhereaboutsRecorded(
        whereabouts=case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_UNKNOWN)
    )
    kind = FactKind.WHEREABOUTS_RECORDED
    parts = other_identity(token)
    stranger = Statement(province, SHUIFU_TOWNSHIP, WUHUA)
    await stranger.refused(NOT_ALLOWED, kind, unknown, about, parts)

    def unrelated(_desk: Desk) -> Matter:
        reference = event_pb2.CaseReference(case_id=course.case_id, subject_id=fresh(), episode=1)
        return Matter(references=(reference,))

    party = Statement(province, WUHUA_TOWNSHIP, WUHUA)
    await party.refused(Reason.PART_MISMATCH, kind, unknown, unrelated, parts)

    def known(desk: Desk) -> tuple[list[bytes], str | None, str | None]:
        vault = desk.work.vault
        shown = [part.content for part in vault.reveal(WUHUA, token, purpose="test")]
        numbers = (course.child.id_number, child(999).id_number)
        found, other = (vault.find(WUHUA, number) for number in numbers)
        return shown, found, other

    before = await province.look(WUHUA, known)
    await party.state(kind, unknown, about, parts)
    assert await party.taken()
    assert await province.look(WUHUA, known) == before
    assert before[1:] == (token, None)


async def test_a_school_of_another_county_claims_no_pupil(province: Province) -> None:
    """ENROLMENT_ASSERTED is taken from the schools of the own county."""
    course = await Course(province).confirmed()
    body = subject_pb2.EnrolmentAsserted(
        subject_id=course.subject_id,
        county=ZHENXIONG.division,
        school=str(ZHENXIONG_SCHOOL),
        grade=7,
    )
    statement = Statement(province, ZHENXIONG_SCHOOL, WUHUA)
    await statement.refused(
        NOT_ALLOWED,
        FactKind.ENROLMENT_ASSERTED,
        body,
        lambda _desk: Matter(school=ZHENXIONG_SCHOOL),
        subject_id=course.subject_id,
    )


async def test_a_school_of_another_county_reports_no_absence(province: Province) -> None:
    """Neither under its own name nor under that of a school which is not its."""
    course = await Course(province).reported()
    body = absence_pb2.AbsenceReported(
        absence_id=course.absence_id,
        subject_id=course.subject_id,
        school=str(WUHUA_SCHOOL),
        counted_days=["2026-11-20"],
    )
    for victim in (WUHUA, WUHUA_TOWNSHIP, PLATFORM):
        statement = Statement(province, ZHENXIONG_SCHOOL, victim)
        await statement.refused(
            NOT_ALLOWED,
            FactKind.ABSENCE_REPORTED,
            body,
            lambda _desk: Matter(school=ZHENXIONG_SCHOOL),
        )


@pytest.mark.parametrize("victim", [WUHUA, WUHUA_TOWNSHIP, WUHUA_SCHOOL], ids=str)
async def test_an_order_rests_on_the_title_of_its_case(province: Province, victim: OrgId) -> None:
    """Under a title of a case that it made up, a bureau issues no order on another's case."""
    course = await Course(province).determined(ENROLMENT_COUNTY)
    body = retrieval_pb2.RetrievalOrderIssued(
        order=retrieval_pb2.RetrievalOrder(
            order_id=fresh(),
            order_no="1",
            case_id=course.case_id,
            subject_id=course.subject_id,
            issuer=str(SHUIFU),
            township=str(SHUIFU_TOWNSHIP),
            issued_at=fields.timestamp(province.clock.now()),
        )
    )
    statement = Statement(province, SHUIFU, victim)
    kind = FactKind.RETRIEVAL_ORDER_ISSUED
    await statement.refused(Reason.PAYLOAD_INVALID, kind, body, Invented().about)


async def test_whereabouts_from_the_future_outlast_nothing(province: Province) -> None:
    """What the principal's submission dates ahead gives way to the next statement all the same."""
    course = await Course(province).confirmed()
    ahead = fields.timestamp(province.clock.now() + timedelta(days=9000))
    place = case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_ABROAD, recorded_at=ahead)
    part = VaultPart(
        enums.wire(PartKind.WHEREABOUTS),
        course.subject_id,
        b"0" * 16,
        place.SerializeToString(),
    )
    again = case_pb2.SuspectedDropoutSubmitted(
        absence_id=course.absence_id, recipients=[str(WUHUA), str(WUHUA_TOWNSHIP)]
    )
    school = Statement(province, WUHUA_SCHOOL, WUHUA)
    kind = FactKind.SUSPECTED_DROPOUT_SUBMITTED
    await school.state(kind, again, course.about, lambda _desk: [part])
    township = Statement(province, WUHUA_TOWNSHIP, WUHUA)
    await township.state(FactKind.WHEREABOUTS_RECORDED, ELSEWHERE, course.about)
    stored = (await course.case(WUHUA)).whereabouts
    assert stored is not None
    assert stored.source == WUHUA_TOWNSHIP


async def test_a_school_returns_a_child_once(province: Province) -> None:
    """A second RecordReturn is refused at the school itself: ILLEGAL_TRANSITION."""
    course = await Course(province).confirmed()
    for again in (False, True):
        request = case_pb2.RecordReturnRequest(
            case_id=course.case_id, first_day_attended="2026-11-23"
        )
        method = "CaseService/RecordReturn"
        if again:
            with pytest.raises(Refusal) as refused:
                await province.act(WUHUA_SCHOOL, method, request, "PRINCIPAL")
            assert refused.value.reason is Reason.ILLEGAL_TRANSITION
        else:
            await province.act(WUHUA_SCHOOL, method, request, "PRINCIPAL")
        await province.settle()
    await Statement(province, WUHUA_SCHOOL, WUHUA).require_lane()
