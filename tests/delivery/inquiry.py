"""Short ways to a case in a certain state, step by step over the test bus."""

from typing import Any

from adapters.reference.people import child
from gateway.domain.cases import DropoutCase
from gateway.domain.letters import Letter
from gateway.domain.organisations import OrgId
from gateway.v1 import (
    case_pb2,
    jurisdiction_pb2,
    letter_pb2,
    subject_pb2,
)
from tests.delivery.officers import report_on
from tests.world.estate import WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP, ZHENXIONG
from tests.world.province import Province


class Inquiry:
    """One child of the school in 五华区 whose household is registered in 镇雄县, or where you say."""

    def __init__(self, province: Province, seed: int = 1, county: OrgId = ZHENXIONG) -> None:
        self.province = province
        self.county = county
        self.child = child(seed)
        self.case_id = self.letter_id = ""

    async def case(self, org: OrgId = WUHUA) -> DropoutCase:
        """Return the case as the organisation has it."""
        case = await self.province.look(org, lambda desk: desk.work.cases.get(org, self.case_id))
        assert isinstance(case, DropoutCase), f"{org} has no such case"
        return case

    async def letter(self, org: OrgId) -> Letter:
        """Return the letter as the organisation has it."""
        letter = await self.province.look(
            org, lambda desk: desk.work.letters.get(org, self.letter_id)
        )
        assert isinstance(letter, Letter), f"{org} has no such letter"
        return letter

    async def act(self, org: OrgId, method: str, request: Any, post: str = "") -> Any:
        """Carry out a command."""
        return await self.province.act(org, method, request, post)

    async def submitted(self) -> None:
        """The school reports the absence and submits the case; nothing is delivered yet."""
        report = report_on(self.child)
        answer = await self.act(
            WUHUA_SCHOOL, "AbsenceService/ReportAbsence", report, "HEAD_TEACHER"
        )
        request = case_pb2.SubmitSuspectedDropoutRequest(
            absence_id=answer.absence.absence_id,
            recipients=[str(WUHUA), str(WUHUA_TOWNSHIP)],
            verified_on_platform=True,
        )
        opened = await self.act(
            WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", request, "PRINCIPAL"
        )
        self.case_id = opened.case.case_id

    async def confirmed(self) -> None:
        """The bureau, which must have the case, confirms it; nothing of that is delivered yet."""
        request = case_pb2.ConfirmDropoutRequest(
            case_id=self.case_id, version=(await self.case()).version, criteria="家访后仍未到校"
        )
        await self.act(WUHUA, "CaseService/ConfirmDropout", request)

    async def determined(self) -> None:
        """Household and whereabouts are recorded, and row J3 is determined."""
        case = await self.case()
        hukou = subject_pb2.AssertHukouRequest(
            subject_id=case.subject_id,
            finding=subject_pb2.HUKOU_FINDING_FOUND,
            county=self.county.division,
        )
        await self.act(WUHUA, "SubjectService/AssertHukou", hukou)
        there = case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
        request = case_pb2.RecordWhereaboutsRequest(case_id=self.case_id, whereabouts=there)
        await self.act(WUHUA, "CaseService/RecordWhereabouts", request)
        version = (await self.case()).version
        determine = jurisdiction_pb2.DetermineRequest(case_id=self.case_id, version=version)
        await self.act(WUHUA, "JurisdictionService/Determine", determine)

    async def dispatched(self) -> None:
        """The hand-over letter is signed and dispatched; it is not delivered yet."""
        draft = letter_pb2.CreateDraftRequest(
            kind=jurisdiction_pb2.LETTER_KIND_HANDOVER,
            recipient=str(self.county),
            case_ids=[self.case_id],
            text=f"请协助劝返学生{self.child.name}",
        )
        letter = (await self.act(WUHUA, "LetterService/CreateDraft", draft)).letter
        sign = letter_pb2.SignLetterRequest(letter_id=letter.letter_id, version=letter.version)
        letter = (await self.act(WUHUA, "LetterService/SignLetter", sign, "APPROVER")).letter
        self.letter_id = letter.letter_id
        dispatch = letter_pb2.DispatchLetterRequest(
            letter_id=letter.letter_id, version=letter.version
        )
        await self.act(WUHUA, "LetterService/DispatchLetter", dispatch)

    async def accepted(self) -> None:
        """The receiver, which must have the letter, registers and accepts it."""
        register = letter_pb2.RegisterLetterRequest(letter_id=self.letter_id)
        await self.act(self.county, "LetterService/RegisterLetter", register)
        accept = letter_pb2.AcceptLinesRequest(letter_id=self.letter_id)
        await self.act(self.county, "LetterService/AcceptLines", accept)

    async def until(self, last: str) -> "Inquiry":
        """Play up to `last` (a method of this class), everything delivered in between."""
        for step in ("submitted", "confirmed", "determined", "dispatched", "accepted"):
            await getattr(self, step)()
            if step == last:
                return self
            await self.province.settle()
        raise AssertionError(f"there is no step {last}")

    async def settled(self, last: str) -> "Inquiry":
        """Play up to `last` and deliver that too."""
        await self.until(last)
        await self.province.settle()
        return self
