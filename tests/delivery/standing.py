"""One genuine organisation that states what it may not, and the course of a case until then."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from adapters.reference.people import Child, child
from gateway.codec import cases, enums
from gateway.domain.cases import DropoutCase
from gateway.domain.errors import Reason
from gateway.domain.facts import RULES, FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RECEIPT
from gateway.domain.titles import first_title
from gateway.ports.vault import VaultPart
from gateway.service.desk import Desk
from gateway.service.parties import Matter, receivers
from gateway.service.state_fact import state_fact
from gateway.service.titles import make_title
from gateway.v1 import case_pb2, event_pb2, jurisdiction_pb2, letter_pb2, message_pb2, subject_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.officers import report_on
from tests.world.estate import WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP, ZHENXIONG
from tests.world.province import Province

HUKOU_COUNTY = case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY
ENROLMENT_COUNTY = case_pb2.WHEREABOUTS_KIND_IN_ENROLMENT_COUNTY
Stated = Callable[[Desk], Any]


def no_parts(_desk: Desk) -> Sequence[VaultPart]:
    """Return no private parts."""
    return ()


class Course:
    """The case of one child in WUHUA, brought as far as a test needs it."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.child: Child = child(1)
        self.absence_id = self.case_id = self.subject_id = self.letter_id = ""

    async def reported(self) -> "Course":
        """Bring the child to a report of three days' absence."""
        answer = await self.province.act(
            WUHUA_SCHOOL, "AbsenceService/ReportAbsence", report_on(self.child), "HEAD_TEACHER"
        )
        self.absence_id = answer.absence.absence_id
        self.subject_id = answer.absence.subject_id
        await self.province.settle()
        return self

    async def confirmed(self) -> "Course":
        """Bring the case to its first holder, WUHUA."""
        await self.reported()
        request = case_pb2.SubmitSuspectedDropoutRequest(
            absence_id=self.absence_id,
            recipients=[str(WUHUA), str(WUHUA_TOWNSHIP)],
            verified_on_platform=True,
        )
        opened = await self.province.act(
            WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", request, "PRINCIPAL"
        )
        self.case_id = opened.case.case_id
        self.subject_id = opened.case.subject_id
        await self.province.settle()
        version = (await self.case(WUHUA)).version
        confirm = case_pb2.ConfirmDropoutRequest(
            case_id=self.case_id, version=version, criteria="家访后仍未到校"
        )
        await self.province.act(WUHUA, "CaseService/ConfirmDropout", confirm)
        await self.province.settle()
        return self

    async def determined(
        self, kind: "case_pb2.WhereaboutsKind.ValueType" = HUKOU_COUNTY
    ) -> "Course":
        """Bring the case to the decision of WUHUA; the household is registered in ZHENXIONG."""
        await self.confirmed()
        hukou = subject_pb2.AssertHukouRequest(
            subject_id=self.subject_id,
            finding=subject_pb2.HUKOU_FINDING_FOUND,
            county=ZHENXIONG.division,
        )
        await self.province.act(WUHUA, "SubjectService/AssertHukou", hukou)
        await self.determine(WUHUA, kind)
        return self

    async def determine(self, org: OrgId, kind: "case_pb2.WhereaboutsKind.ValueType") -> None:
        """Have the bureau record the whereabouts and determine who is responsible."""
        place = case_pb2.RecordWhereaboutsRequest(
            case_id=self.case_id, whereabouts=case_pb2.Whereabouts(kind=kind)
        )
        known = (await self.province.act(org, "CaseService/RecordWhereabouts", place)).case
        request = jurisdiction_pb2.DetermineRequest(case_id=self.case_id, version=known.version)
        await self.province.act(org, "JurisdictionService/Determine", request)
        await self.province.settle()

    async def signed(
        self,
        kind: "jurisdiction_pb2.LetterKind.ValueType" = jurisdiction_pb2.LETTER_KIND_HANDOVER,
        copy_to: Sequence[str] = (),
    ) -> int:
        """Have WUHUA sign a letter to ZHENXIONG and return its version."""
        draft = letter_pb2.CreateDraftRequest(
            kind=kind, recipient=str(ZHENXIONG), case_ids=[self.case_id], copy_to=copy_to
        )
        letter = (await self.province.act(WUHUA, "LetterService/CreateDraft", draft)).letter
        self.letter_id = letter.letter_id
        sign = letter_pb2.SignLetterRequest(letter_id=self.letter_id, version=letter.version)
        answer = await self.province.act(WUHUA, "LetterService/SignLetter", sign, "APPROVER")
        version: int = answer.letter.version
        return version

    async def registered(
        self, kind: "jurisdiction_pb2.LetterKind.ValueType" = jurisdiction_pb2.LETTER_KIND_HANDOVER
    ) -> "Course":
        """Bring a letter from WUHUA into the register of ZHENXIONG."""
        version = await self.signed(kind)
        send = letter_pb2.DispatchLetterRequest(letter_id=self.letter_id, version=version)
        await self.province.act(WUHUA, "LetterService/DispatchLetter", send)
        await self.province.settle()
        take = letter_pb2.RegisterLetterRequest(letter_id=self.letter_id)
        await self.province.act(ZHENXIONG, "LetterService/RegisterLetter", take)
        await self.province.settle()
        return self

    async def accepted(self) -> "Course":
        """Have ZHENXIONG accept what it has registered: it holds the case then."""
        request = letter_pb2.AcceptLinesRequest(letter_id=self.letter_id)
        await self.province.act(ZHENXIONG, "LetterService/AcceptLines", request)
        await self.province.settle()
        return self

    async def handed_over(self) -> "Course":
        """Bring the case from WUHUA to ZHENXIONG."""
        await self.determined()
        await self.registered()
        return await self.accepted()

    async def case(self, org: OrgId) -> DropoutCase:
        """Return the case as the organisation knows it."""
        found: DropoutCase = await self.province.look(
            org, lambda desk: desk.work.cases.require(org, self.case_id)
        )
        return found

    def about(self, _desk: Desk) -> Matter:
        """Name the case as one does who does not have it."""
        reference = event_pb2.CaseReference(
            case_id=self.case_id, subject_id=self.subject_id, episode=1
        )
        return Matter(references=(reference,))

    def own(self, desk: Desk) -> Matter:
        """Name the case as the organisation at the desk has it."""
        return Matter(cases=(desk.work.cases.require(desk.org, self.case_id),))


class Statement:
    """A fact that an organisation states against the rules of who may state it, and to whom."""

    def __init__(self, province: Province, source: OrgId, victim: OrgId) -> None:
        self.province = province
        self.source = source
        self.victim = victim
        self.event_id = ""

    async def state(
        self,
        kind: FactKind,
        body: Any,
        about: Stated,
        parts: Callable[[Desk], Sequence[VaultPart]] = no_parts,
        subject_id: str = "",
    ) -> None:
        """State the fact, signed and sent by the source's own node, and wait for the answer.

        `body` is the body of the event, or a function that makes it at the source's desk.
        """

        def work(work: Any) -> str:
            desk = self.province.desk(work, self.source, "CASE_OFFICER")
            stated = body(desk) if callable(body) else body
            matter = about(desk)
            event_id = state_fact(
                desk, kind, stated, matter, parts=parts(desk), subject_id=subject_id
            )
            if self.victim not in receivers(desk, RULES[kind].told, matter):
                work.outbox.deliver(self.source, [self.victim], event_id)
            return event_id

        self.event_id = await self.province.node_of[self.source].store.write(work)
        await self.province.settle()

    async def refused(
        self,
        reason: Reason,
        kind: FactKind,
        body: Any,
        about: Stated,
        parts: Callable[[Desk], Sequence[VaultPart]] = no_parts,
        subject_id: str = "",
    ) -> None:
        """State the fact and see it refused: nothing changed at the victim, and its mail goes on."""
        before = await self.picture()
        await self.state(kind, body, about, parts, subject_id)
        assert self.answer() is reason, self.answer()
        assert await self.picture() == before
        await self.require_lane()

    async def taken(self) -> bool:
        """Whether the victim took the fact into its log."""
        found = await self.province.look(
            self.victim, lambda desk: desk.work.events.get(self.victim, self.event_id)
        )
        return found is not None

    def answer(self) -> Reason | None:
        """Return the reason in the victim's receipt for the fact; None when it names none."""
        for receiver, item in self.province.bus.carried:
            envelope = SignedEnvelope.FromString(item)
            if receiver != self.source or envelope.payload_type != RECEIPT:
                continue
            receipt = message_pb2.Receipt.FromString(envelope.payload)
            if receipt.receiver != str(self.victim):
                continue
            for exception in (e for part in receipt.items for e in part.exceptions):
                if exception.event_id == self.event_id:
                    return enums.maybe(Reason, exception.reason)
        return None

    async def require_lane(self) -> None:
        """Require that the victim took every message of the lane, and that none of it waits."""
        left = await self.province.look(
            self.source, lambda desk: desk.work.outbox.lane(self.source, self.victim)
        )
        arrived = await self.province.look(
            self.victim, lambda desk: desk.work.inbox.lane(self.victim, self.source)
        )
        assert (arrived.next_sequence, arrived.head_hash) == (left.next_sequence, left.head_hash)
        now = self.province.clock.now()
        due = await self.province.look(self.source, lambda desk: desk.work.outbox.due(now, 1))
        assert not due

    async def picture(self) -> Any:
        """Return all that the victim has on record, with what it knows of its children."""

        def see(desk: Desk) -> Any:
            work, org = desk.work, self.victim
            known = work.cases.page(org)
            children = sorted({case.subject_id for case in known})
            return (
                known,
                work.absences.page(org),
                work.letters.page(org),
                work.orders.page(org),
                work.placements.page(org),
                work.exchanges.page(org),
                work.events.end(org),
                [list(work.titles.chain(org, case.id)) for case in known],
                [work.subjects.get(org, token) for token in children],
                [list(work.vault.reveal(org, token, purpose="test")) for token in children],
            )

        return await self.province.look(self.victim, see)


class Invented:
    """A case that a bureau makes up to act under a title of its own; `about` names it."""

    def __init__(self) -> None:
        self._made: list[event_pb2.CaseReference] = []

    def reference(self, desk: Desk) -> event_pb2.CaseReference:
        """Return the reference to the case; the title is made at the first call."""
        if not self._made:
            case_id = fresh()
            title = make_title(desk, first_title(case_id, desk.org, fresh()))
            self._made.append(
                event_pb2.CaseReference(
                    case_id=case_id,
                    subject_id=fresh(),
                    episode=1,
                    title=cases.encode_title_ref(title.ref),
                )
            )
        return self._made[0]

    def about(self, desk: Desk) -> Matter:
        """Name the case alone."""
        return Matter(references=(self.reference(desk),))


def fresh() -> str:
    """Return an identifier that nobody has used."""
    return str(uuid4())
