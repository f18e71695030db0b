"""From the third absent day to the decision who is responsible, told by those who act.

Every act waits for what it rests on to arrive by the bus, as an officer would wait to see it.
"""

from collections.abc import Sequence
from datetime import date
from functools import partial

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.domain.organisations import OrgId
from gateway.v1 import absence_pb2, agency_pb2, case_pb2, jurisdiction_pb2, subject_pb2
from tests.world.case_file import CaseFile
from tests.world.estate import POLICE, WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP
from tests.world.waiting import eventually

WEDNESDAY_TO_FRIDAY = tuple(date(2026, 11, day) for day in (18, 19, 20))
UNEXCUSED = absence_pb2.ABSENCE_KIND_UNEXCUSED
SICK_LEAVE = absence_pb2.ABSENCE_KIND_SICK_LEAVE


def absence_days(
    days: Sequence[date], kind: absence_pb2.AbsenceKind.ValueType = UNEXCUSED
) -> list[absence_pb2.AbsenceDay]:
    """Return days of absence of one kind."""
    return [absence_pb2.AbsenceDay(date=day.isoformat(), kind=kind) for day in days]


class Inquiry(CaseFile):
    """A pupil of the school in 五华区 that stays away."""

    def report(
        self, days: Sequence[absence_pb2.AbsenceDay] = ()
    ) -> absence_pb2.ReportAbsenceRequest:
        """Return the head teacher's report, not yet sent."""
        child = self.child
        identity = subject_pb2.PersonIdentity(
            name=child.name, id_number=child.id_number, enrolment_number=child.enrolment_number
        )
        guardian = subject_pb2.GuardianContact(
            name=child.guardian_name,
            phone=child.guardian_phone.replace("-", ""),
            relation=child.guardian_relation,
        )
        return absence_pb2.ReportAbsenceRequest(
            actor_post="HEAD_TEACHER",
            subject=subject_pb2.SubjectReference(identity=identity),
            guardian=guardian,
            class_name="七(3)班",
            grade=7,
            days=days or absence_days(WEDNESDAY_TO_FRIDAY),
        )

    def reported(self) -> absence_pb2.ReportAbsenceResponse:
        """The head teacher reports three unexcused school days."""
        answer: absence_pb2.ReportAbsenceResponse = self.world.act(
            WUHUA_SCHOOL, "AbsenceService/ReportAbsence", self.report(), "HEAD_TEACHER"
        )
        self.absence_id = answer.absence.absence_id
        return answer

    def submitted(
        self, recipients: Sequence[OrgId] = (WUHUA, WUHUA_TOWNSHIP)
    ) -> case_pb2.DropoutCase:
        """The principal submits to the recipients; the bureau has it when this returns."""
        request = case_pb2.SubmitSuspectedDropoutRequest(
            absence_id=self.absence_id,
            recipients=map(str, recipients),
            verified_on_platform=True,
        )
        answer = self.world.act(
            WUHUA_SCHOOL, "CaseService/SubmitSuspectedDropout", request, "PRINCIPAL"
        )
        self.case_id = answer.case.case_id
        for org in recipients:
            self.seen_by(org)
        case: case_pb2.DropoutCase = answer.case
        return case

    def confirmed(self) -> case_pb2.DropoutCase:
        """The story up to the bureau's confirmation."""
        self.reported()
        self.submitted()
        case = self.seen_by(WUHUA, "VERIFYING")
        request = case_pb2.ConfirmDropoutRequest(
            case_id=self.case_id, version=case.version, criteria="家访联系后仍未到校"
        )
        confirmed: case_pb2.DropoutCase = self.world.act(
            WUHUA, "CaseService/ConfirmDropout", request
        ).case
        return confirmed

    def hukou(self, county: str) -> None:
        """Public security answers the bureau's query; the bureau has it when this returns."""
        self.push(self.hukou_answer(county))
        eventually(partial(self._answered, county), "the answer of public security")

    def push(self, answer: agency_pb2.PushFactsRequest) -> None:
        """Public security pushes an answer; whether it arrives is not waited for."""
        (taken,) = self.world.clients.stream(POLICE, "AgencyService/PushFacts", [answer])
        assert taken.WhichOneof("result") == "taken", taken

    def hukou_answer(self, county: str) -> agency_pb2.PushFactsRequest:
        """Wait for the bureau's query and return public security's answer, not yet pushed."""
        exchange_id = eventually(self._query, "the hukou query")
        snapshot = Timestamp()
        snapshot.FromDatetime(self.world.clock.now())
        finding = (
            subject_pb2.HUKOU_FINDING_FOUND
            if len(county) == len("530102")
            else subject_pb2.HUKOU_FINDING_OUT_OF_PROVINCE
            if county
            else subject_pb2.HUKOU_FINDING_NOT_FOUND
        )
        fact = agency_pb2.AgencyFact(
            record_key=exchange_id,
            exchange_id=exchange_id,
            hukou=agency_pb2.HukouFact(
                hukou=subject_pb2.HukouAsserted(
                    finding=finding, county=county, snapshot_at=snapshot
                )
            ),
        )
        return agency_pb2.PushFactsRequest(
            request_id=exchange_id, actor_post="AGENCY_OFFICER", fact=fact
        )

    def asked_again(self, county: str) -> None:
        """The bureau asks once more, and public security answers with another county."""
        request = subject_pb2.RequestHukouRequest(case_id=self.case_id)
        self.world.act(WUHUA, "SubjectService/RequestHukou", request)
        self.hukou(county)

    def _query(self) -> str:
        request = agency_pb2.ListExchangesRequest(
            page_size=200, state=agency_pb2.EXCHANGE_STATE_WAITING
        )
        listed = self.world.ask(POLICE, "AgencyService/ListExchanges", request).exchanges
        return next((e.exchange_id for e in listed if e.case_id == self.case_id), "")

    def _answered(self, county: str) -> bool:
        subject = self.world.look(
            WUHUA, lambda work: work.subjects.get(WUHUA, self.case().subject_id)
        )
        return (
            subject is not None
            and subject.current_hukou is not None
            and subject.current_hukou.county == county
        )

    def whereabouts(
        self, kind: case_pb2.WhereaboutsKind.ValueType, division: str = ""
    ) -> case_pb2.DropoutCase:
        """The bureau records where the child is."""
        request = case_pb2.RecordWhereaboutsRequest(
            case_id=self.case_id, whereabouts=case_pb2.Whereabouts(kind=kind, division=division)
        )
        case: case_pb2.DropoutCase = self.world.act(
            WUHUA, "CaseService/RecordWhereabouts", request
        ).case
        return case

    def determine_request(self, org: OrgId = WUHUA) -> jurisdiction_pb2.DetermineRequest:
        """Return the request to determine the jurisdiction, at the present version."""
        return jurisdiction_pb2.DetermineRequest(
            case_id=self.case_id, version=self.case(org).version
        )

    def determined(self) -> jurisdiction_pb2.JurisdictionDecision:
        """The bureau determines who is responsible."""
        answer: jurisdiction_pb2.DetermineResponse = self.world.act(
            WUHUA, "JurisdictionService/Determine", self.determine_request()
        )
        return answer.decision

    def due(
        self,
        county: str,
        kind: case_pb2.WhereaboutsKind.ValueType = case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY,
    ) -> jurisdiction_pb2.JurisdictionDecision:
        """The story up to the decision, for a child of that household county and whereabouts."""
        self.confirmed()
        self.hukou(county)
        self.whereabouts(kind)
        return self.determined()
