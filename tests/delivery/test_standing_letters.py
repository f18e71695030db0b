"""Letters and titles: nobody is made a holder against its will, nor is a letter misused."""

from typing import Any

import pytest

from gateway.codec import cases
from gateway.codec.letters import encode_dispatched, encode_letter
from gateway.domain.cases import CaseState, WhereaboutsKind
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.jurisdiction import LetterKind
from gateway.domain.letters import Letter, LetterLine, LetterState, letter_title
from gateway.domain.organisations import OrgId
from gateway.domain.titles import first_title, granted_title
from gateway.service import state_fact
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.titles import known_titles, make_title
from gateway.v1 import event_pb2, jurisdiction_pb2, letter_pb2
from tests.delivery.standing import ENROLMENT_COUNTY, HUKOU_COUNTY, Course, Statement, fresh
from tests.world.estate import (
    SHUIFU,
    SHUIFU_TOWNSHIP,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
)
from tests.world.province import Province

NOT_ALLOWED = Reason.JURISDICTION_NOT_ALLOWED
NOTIFICATION = jurisdiction_pb2.LETTER_KIND_NOTIFICATION


async def refusal_of(province: Province, org: OrgId, method: str, request: Any) -> Reason:
    """Return the reason for which a command is refused."""
    with pytest.raises(Refusal) as refused:
        await province.act(org, method, request)
    return refused.value.reason


@pytest.mark.parametrize(
    ("letter", "reason"),
    [("returned", Reason.ILLEGAL_TRANSITION), ("none", Reason.NOT_FOUND)],
)
async def test_nobody_is_made_holder_unasked(
    province: Province, letter: str, reason: Reason
) -> None:
    """TITLE_GRANTED to a county that returned the line, or was sent none, moves nothing."""
    course = await Course(province).determined()
    await course.registered()
    back = letter_pb2.ReturnLinesRequest(
        letter_id=course.letter_id,
        lines=[letter_pb2.ReturnedLine(line_no=1, reason=letter_pb2.RETURN_REASON_HUKOU_NOT_HERE)],
    )
    await province.act(ZHENXIONG, "LetterService/ReturnLines", back)
    await province.settle()

    def dumped(desk: Desk) -> letter_pb2.TitleGranted:
        present = known_titles(desk, course.case_id)[-1]
        title = make_title(desk, granted_title(present, ZHENXIONG, fresh()))
        case = desk.work.cases.require(WUHUA, course.case_id)
        desk.work.cases.put(WUHUA, case.changed(desk.now, title=title.ref, holder=ZHENXIONG))
        return letter_pb2.TitleGranted(
            letter_id=course.letter_id if letter == "returned" else fresh(),
            line_no=1,
            title=cases.encode_title_ref(title.ref),
        )

    statement = Statement(province, WUHUA, ZHENXIONG)
    await statement.refused(reason, FactKind.TITLE_GRANTED, dumped, course.own)
    assert (await course.case(ZHENXIONG)).holder == WUHUA


async def test_a_hand_over_is_not_noted(province: Province) -> None:
    """LETTER_NOTED on a hand-over is of the wrong kind; the offer stays open and is retracted."""
    course = await Course(province).determined()
    await course.registered()
    body = letter_pb2.LetterNoted(letter_id=course.letter_id)
    statement = Statement(province, ZHENXIONG, WUHUA)
    await statement.refused(Reason.WRONG_LETTER_KIND, FactKind.LETTER_NOTED, body, course.own)
    assert (await course.case(WUHUA)).offer is not None
    retract = letter_pb2.RetractLetterRequest(letter_id=course.letter_id, reason="另行函告")
    await province.act(WUHUA, "LetterService/RetractLetter", retract)
    assert (await course.case(WUHUA)).offer is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FactKind.LETTER_RETRACTED, letter_pb2.LetterRetracted()),
        (FactKind.OFFER_ENDED, letter_pb2.OfferEnded(line_no=1)),
    ],
)
async def test_only_the_sender_ends_a_letter(province: Province, kind: FactKind, body: Any) -> None:
    """A third county neither retracts the letter nor ends its offer."""
    course = await Course(province).determined()
    await course.registered()
    stated = type(body)(letter_id=course.letter_id)
    stated.MergeFrom(body)
    await Statement(province, SHUIFU, ZHENXIONG).refused(NOT_ALLOWED, kind, stated, course.about)


@pytest.mark.parametrize("body", ["accepted", "returned", "registered"])
async def test_only_the_recipient_answers_a_letter(province: Province, body: str) -> None:
    """A third county that learned of the letter neither registers, accepts nor returns it."""
    course = await Course(province).determined()
    await course.registered()
    answers: dict[str, tuple[FactKind, Any]] = {
        "accepted": (
            FactKind.LETTER_LINES_ACCEPTED,
            letter_pb2.LetterLinesAccepted(
                letter_id=course.letter_id, lines=[letter_pb2.AcceptedLine(line_no=1)]
            ),
        ),
        "returned": (
            FactKind.LETTER_LINES_RETURNED,
            letter_pb2.LetterLinesReturned(
                letter_id=course.letter_id, lines=[letter_pb2.ReturnedLine(line_no=1)]
            ),
        ),
        "registered": (
            FactKind.LETTER_REGISTERED,
            letter_pb2.LetterRegistered(letter_id=course.letter_id),
        ),
    }
    kind, answer = answers[body]
    statement = Statement(province, SHUIFU, WUHUA)
    await statement.refused(NOT_ALLOWED, kind, answer, course.about)


async def test_a_first_title_is_made_where_the_child_is_enrolled(province: Province) -> None:
    """A bureau that confirms another county's pupil itself cannot write a letter about it."""
    case_id, token, letter_id = fresh(), fresh(), fresh()
    made: list[event_pb2.CaseReference] = []

    def letter(desk: Desk) -> letter_pb2.LetterDispatched:
        title = make_title(desk, first_title(case_id, SHUIFU, fresh()))
        made.append(
            event_pb2.CaseReference(
                case_id=case_id,
                subject_id=token,
                episode=1,
                title=cases.encode_title_ref(title.ref),
            )
        )
        line = LetterLine(
            line_no=1,
            case_id=case_id,
            subject_id=token,
            enrolment_county=WUHUA.division,
            hukou_county=ZHENXIONG.division,
            school=WUHUA_SCHOOL,
            jurisdiction_row="J3",
            title=title.ref,
        )
        return encode_dispatched(
            encode_letter(
                Letter(
                    id=letter_id,
                    kind=LetterKind.HANDOVER,
                    state=LetterState.DISPATCHED,
                    sender=SHUIFU,
                    recipient=ZHENXIONG,
                    title=letter_title(LetterKind.HANDOVER, 1),
                    lines=(line,),
                    changed_at=desk.now,
                    letter_no="水教函〔2026〕1号",
                    signatory_post="APPROVER",
                    sign_date="2026-11-23",
                )
            )
        )

    statement = Statement(province, SHUIFU, ZHENXIONG)
    await statement.refused(
        Reason.PAYLOAD_INVALID,
        FactKind.LETTER_DISPATCHED,
        letter,
        lambda _desk: Matter(references=(made[0],)),
    )


async def test_a_second_holder_asks_for_a_decision(province: Province) -> None:
    """No letter leads from the second holder back to the first: NEEDS_DECISION, and it keeps it."""
    course = await Course(province).handed_over()
    with pytest.raises(Refusal) as refused:
        await course.determine(ZHENXIONG, ENROLMENT_COUNTY)
    assert refused.value.reason is Reason.NEEDS_DECISION
    case = await course.case(ZHENXIONG)
    assert (case.holder, case.state) == (ZHENXIONG, CaseState.ASSIGNED)


async def test_a_hand_over_after_a_notification_brings_the_view_up_to_date(
    province: Province,
) -> None:
    """What the notification showed of the case is replaced by what the later letter says."""
    course = await Course(province).determined(ENROLMENT_COUNTY)
    await course.registered(NOTIFICATION)
    known = await course.case(ZHENXIONG)
    assert known.jurisdiction_row == "J2"
    await course.determine(WUHUA, HUKOU_COUNTY)
    await course.registered()
    await course.accepted()
    case = await course.case(ZHENXIONG)
    assert (case.holder, case.jurisdiction_row) == (ZHENXIONG, "J3")
    assert case.whereabouts is not None
    assert case.whereabouts.kind is WhereaboutsKind.IN_HUKOU_COUNTY


@pytest.mark.parametrize(
    "copy_to", [[str(SHUIFU_TOWNSHIP)], [f"{530102 + n}/edu" for n in range(21)], ["53/psb"]]
)
async def test_copies_go_to_few_education_bureaus(province: Province, copy_to: list[str]) -> None:
    """A letter names children: copies are bounded, and for education bureaus only."""
    course = await Course(province).determined()
    draft = letter_pb2.CreateDraftRequest(
        kind=jurisdiction_pb2.LETTER_KIND_HANDOVER,
        recipient=str(ZHENXIONG),
        case_ids=[course.case_id],
        copy_to=copy_to,
    )
    reason = await refusal_of(province, WUHUA, "LetterService/CreateDraft", draft)
    assert reason is Reason.INVALID_FIELD


async def test_a_copy_named_often_is_sent_once(province: Province) -> None:
    """Naming one bureau thousands of times makes one copy."""
    course = await Course(province).determined()
    await course.signed(copy_to=[str(SHUIFU)] * 5000)
    letter = await province.look(
        WUHUA, lambda desk: desk.work.letters.require(WUHUA, course.letter_id)
    )
    assert letter.copy_to == (SHUIFU,)


async def test_a_fact_too_large_leaves_nothing_half_done(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter that no message can carry is TOO_LARGE: not sent, no offer, nothing in the log."""
    course = await Course(province).determined()
    version = await course.signed()
    own = Statement(province, ZHENXIONG, WUHUA)
    before = await own.picture()
    monkeypatch.setattr(state_fact, "MOST_BYTES", 600)
    send = letter_pb2.DispatchLetterRequest(letter_id=course.letter_id, version=version)
    reason = await refusal_of(province, WUHUA, "LetterService/DispatchLetter", send)
    assert reason is Reason.TOO_LARGE
    assert await own.picture() == before
    waiting = await province.look(WUHUA, lambda desk: desk.work.outbox.waiting(1))
    assert not waiting
    monkeypatch.undo()
    await province.act(WUHUA, "LetterService/DispatchLetter", send)


@pytest.mark.parametrize("victim", [WUHUA_SCHOOL, WUHUA_TOWNSHIP], ids=str)
async def test_a_stranger_determines_nothing(province: Province, victim: OrgId) -> None:
    """An act of authority without a title is TITLE_INVALID."""
    course = await Course(province).confirmed()
    body = jurisdiction_pb2.JurisdictionDetermined(
        decision=jurisdiction_pb2.JurisdictionDecision(row="J1", responsible=str(SHUIFU))
    )
    statement = Statement(province, SHUIFU, victim)
    kind = FactKind.JURISDICTION_DETERMINED
    await statement.refused(Reason.TITLE_INVALID, kind, body, course.about)
