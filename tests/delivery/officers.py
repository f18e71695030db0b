"""Officers who look at their own store and do what can be done there, by chance."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from adapters.reference.people import Child, child
from gateway.domain.cases import CaseState, DropoutCase
from gateway.domain.letters import Letter, LetterState
from gateway.domain.orders import OrderState
from gateway.domain.organisations import OrgId
from gateway.domain.placements import PlacementState
from gateway.v1 import (
    absence_pb2,
    case_pb2,
    jurisdiction_pb2,
    letter_pb2,
    placement_pb2,
    retrieval_pb2,
    subject_pb2,
)
from tests.world.estate import (
    SHUIFU,
    SHUIFU_TOWNSHIP,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
    ZHENXIONG_TOWNSHIP,
)
from tests.world.province import Province

TODAY = "2026-11-23"
TOWNSHIPS = {
    WUHUA: WUHUA_TOWNSHIP,
    ZHENXIONG: ZHENXIONG_TOWNSHIP,
    SHUIFU: SHUIFU_TOWNSHIP,
}
Act = Callable[[], Awaitable[Any]]


def report_on(child: Child) -> absence_pb2.ReportAbsenceRequest:
    """Return a head teacher's report of three unexcused school days."""
    identity = subject_pb2.PersonIdentity(
        name=child.name, id_number=child.id_number, enrolment_number=child.enrolment_number
    )
    guardian = subject_pb2.GuardianContact(
        name=child.guardian_name, phone=child.guardian_phone.replace("-", "")
    )
    return absence_pb2.ReportAbsenceRequest(
        actor_post="HEAD_TEACHER",
        subject=subject_pb2.SubjectReference(identity=identity),
        guardian=guardian,
        class_name="七(3)班",
        grade=7,
        days=[
            absence_pb2.AbsenceDay(date=f"2026-11-{day}", kind=absence_pb2.ABSENCE_KIND_UNEXCUSED)
            for day in (18, 19, 20)
        ],
    )


class Officers:
    """Everybody who acts in the province; `hukou` gives each child's household county."""

    def __init__(
        self, province: Province, chance: random.Random, hukou: Sequence[OrgId] = ()
    ) -> None:
        self.province = province
        self.chance = chance
        self.hukou: dict[str, OrgId] = {}
        self._to_report = list(enumerate(hukou, 1))
        self.dispatched: list[tuple[OrgId, str]] = []

    async def do_something(self) -> None:
        """Carry out one of the acts that are possible now."""
        acts = [act for org in self.province.node_of for act in await self._acts_of(org)]
        if self._to_report:
            acts.append(self._report)
        if acts:
            await self.chance.choice(acts)()

    async def _act(self, org: OrgId, method: str, request: Any, post: str = "") -> Any:
        return await self.province.act(org, method, request, post)

    async def _report(self) -> None:
        number, county = self._to_report.pop()
        answer = await self._act(
            WUHUA_SCHOOL, "AbsenceService/ReportAbsence", report_on(child(number)), "HEAD_TEACHER"
        )
        recipients = [str(WUHUA), str(WUHUA_TOWNSHIP)]
        for informed in self.chance.choice(([recipients], [[r] for r in recipients])):
            request = case_pb2.SubmitSuspectedDropoutRequest(
                absence_id=answer.absence.absence_id, recipients=informed, verified_on_platform=True
            )
            opened = await self._act(
                WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", request, "PRINCIPAL"
            )
            self.hukou[opened.case.case_id] = county

    async def _acts_of(self, org: OrgId) -> list[Act]:
        acts: list[Act] = []
        works = self.province.node_of[org].store
        cases, letters, orders, placements = await works.read(
            lambda work: (
                work.cases.page(org),
                work.letters.page(org),
                work.orders.page(org),
                work.placements.page(org),
            )
        )
        for case in cases:
            acts += self._of_case(org, case)
        for letter in letters:
            acts += self._of_letter(org, letter)
        for order in orders:
            if order.township == org:
                acts += self._of_order(org, order.id, order.state)
        for placement in placements:
            if placement.school == org and placement.state is PlacementState.DECIDED:
                request = placement_pb2.StartPlacementRequest(
                    placement_id=placement.id, start_date=TODAY
                )
                acts.append(self._plan(org, "PlacementService/StartPlacement", request))
        return acts

    def _plan(self, org: OrgId, method: str, request: Any, post: str = "") -> Act:
        return lambda: self._act(org, method, request, post)

    def _of_case(self, org: OrgId, case: DropoutCase) -> list[Act]:
        if org == WUHUA and case.state is CaseState.VERIFYING:
            confirm = case_pb2.ConfirmDropoutRequest(
                case_id=case.id, version=case.version, criteria="家访后仍未到校"
            )
            return [self._plan(org, "CaseService/ConfirmDropout", confirm)]
        away = case.state not in {CaseState.RETURNED, CaseState.PLACED, CaseState.WATCH}
        if org in {WUHUA_SCHOOL, ZHENXIONG_SCHOOL} and case.holder and away:
            back = case_pb2.RecordReturnRequest(case_id=case.id, first_day_attended=TODAY)
            act = self._plan(org, "CaseService/RecordReturn", back, "PRINCIPAL")
            return [act] if self.chance.random() < 0.05 else []
        if case.holder != org or case.offer is not None:
            return []
        return self._of_held(org, case)

    def _of_held(self, org: OrgId, case: DropoutCase) -> list[Act]:
        """Return the next act of a holder that is free to act."""
        if case.state is CaseState.CONFIRMED:
            return [lambda: self._determine(org, case)]
        if case.state is CaseState.JURISDICTION_PENDING:
            return [lambda: self._write(org, self.hukou[case.id])]
        named: dict[str, Any] = {"case_id": case.id, "version": case.version}
        method, request = "", cast("Any", None)
        if case.state is CaseState.ASSIGNED and case.retrieval_body is None:
            method = "RetrievalService/ConfirmBody"
            request = retrieval_pb2.ConfirmBodyRequest(**named)
        elif case.state is CaseState.ASSIGNED:
            method = "RetrievalService/IssueOrder"
            request = retrieval_pb2.IssueOrderRequest(township=str(TOWNSHIPS[org]), **named)
        elif case.state is CaseState.IN_RETRIEVAL and org == ZHENXIONG and not case.placement_id:
            method = "PlacementService/ProposePlacement"
            request = placement_pb2.ProposePlacementRequest(
                case_id=case.id, school=str(ZHENXIONG_SCHOOL)
            )
        elif case.state is CaseState.RETURNED:
            method = "PlacementService/DecidePlacement"
            kind = placement_pb2.PLACEMENT_KIND_REGULAR_CLASS
            request = placement_pb2.DecidePlacementRequest(kind=kind, **named)
        return [self._plan(org, method, request)] if method else []

    async def _determine(self, org: OrgId, case: DropoutCase) -> None:
        hukou = subject_pb2.AssertHukouRequest(
            subject_id=case.subject_id,
            finding=subject_pb2.HUKOU_FINDING_FOUND,
            county=self.hukou[case.id].division,
        )
        await self._act(org, "SubjectService/AssertHukou", hukou)
        place = case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
        request = case_pb2.RecordWhereaboutsRequest(case_id=case.id, whereabouts=place)
        known = (await self._act(org, "CaseService/RecordWhereabouts", request)).case
        determine = jurisdiction_pb2.DetermineRequest(case_id=case.id, version=known.version)
        await self._act(org, "JurisdictionService/Determine", determine)

    async def _write(self, org: OrgId, recipient: OrgId) -> None:
        """Write one letter about every child that is due to the recipient."""
        cases = await self.province.look(org, lambda desk: desk.work.cases.page(org))
        due = [
            case.id
            for case in cases
            if case.state is CaseState.JURISDICTION_PENDING
            and (case.holder, case.offer, self.hukou[case.id]) == (org, None, recipient)
        ]
        draft = letter_pb2.CreateDraftRequest(
            kind=jurisdiction_pb2.LETTER_KIND_HANDOVER, recipient=str(recipient), case_ids=due
        )
        letter = (await self._act(org, "LetterService/CreateDraft", draft)).letter
        for verb, make in (
            ("Sign", letter_pb2.SignLetterRequest),
            ("Dispatch", letter_pb2.DispatchLetterRequest),
        ):
            request = make(letter_id=letter.letter_id, version=letter.version)
            letter = (await self._act(org, f"LetterService/{verb}Letter", request)).letter
        self.dispatched.append((recipient, letter.letter_id))

    def _of_letter(self, org: OrgId, letter: Letter) -> list[Act]:
        underway = {LetterState.DISPATCHED, LetterState.DELIVERED, LetterState.REGISTERED}
        if letter.sender == org:
            retract = letter_pb2.RetractLetterRequest(letter_id=letter.id, reason="另行函告")
            act = self._plan(org, "LetterService/RetractLetter", retract)
            return [act] if letter.state in underway and self.chance.random() < 0.08 else []
        if letter.state is LetterState.DELIVERED:
            register = letter_pb2.RegisterLetterRequest(letter_id=letter.id)
            return [self._plan(org, "LetterService/RegisterLetter", register)]
        if letter.state is LetterState.REGISTERED and letter.open_lines():
            line = self.chance.choice(letter.open_lines())
            accept = letter_pb2.AcceptLinesRequest(letter_id=letter.id, line_nos=[line])
            back = letter_pb2.ReturnedLine(
                line_no=line, reason=letter_pb2.RETURN_REASON_PERSON_UNKNOWN
            )
            decline = letter_pb2.ReturnLinesRequest(letter_id=letter.id, lines=[back])
            if self.chance.random() < 0.3:
                return [self._plan(org, "LetterService/ReturnLines", decline)]
            return [self._plan(org, "LetterService/AcceptLines", accept)]
        return []

    def _of_order(self, org: OrgId, order_id: str, state: OrderState) -> list[Act]:
        if state is OrderState.ISSUED:
            request = retrieval_pb2.AcknowledgeOrderRequest(order_id=order_id)
            return [
                self._plan(org, "RetrievalService/AcknowledgeOrder", request, "TOWNSHIP_OFFICER")
            ]
        if state is OrderState.ACKNOWLEDGED:
            step = retrieval_pb2.StepRecord(
                step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
                outcome=retrieval_pb2.STEP_OUTCOME_INEFFECTIVE,
                date=TODAY,
                service=retrieval_pb2.SERVICE_METHOD_HOME_VISIT,
            )
            record = retrieval_pb2.RecordStepRequest(order_id=order_id, step=step)
            return [self._plan(org, "RetrievalService/RecordStep", record, "TOWNSHIP_OFFICER")]
        return []
