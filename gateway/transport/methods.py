"""Every RPC and the use case behind it. Complete against the descriptors, which a test holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.service import (
    answer_letter,
    confirm_dropout,
    dead_letters,
    determine_jurisdiction,
    follow_log,
    list_todo,
    place,
    push_facts,
    read_events,
    read_places,
    read_records,
    reconcile_lanes,
    record_whereabouts,
    replay_facts,
    report_absence,
    request_hukou,
    resolve_subject,
    retrieve,
    submit_suspected_dropout,
    tend_recovery,
    tend_subscribers,
    write_letter,
)

UseCase = Callable[..., Any]

COMMANDS: Mapping[str, UseCase] = {
    "AbsenceService/ReportAbsence": report_absence.report_absence,
    "SubjectService/ResolveSubject": resolve_subject.resolve_subject,
    "SubjectService/RequestHukou": request_hukou.request_hukou,
    "SubjectService/AssertHukou": request_hukou.assert_hukou,
    "SubjectService/AssertEnrolment": request_hukou.assert_enrolment,
    "CaseService/SubmitSuspectedDropout": submit_suspected_dropout.submit_suspected_dropout,
    "CaseService/ConfirmDropout": confirm_dropout.confirm_dropout,
    "CaseService/RefuteDropout": confirm_dropout.refute_dropout,
    "CaseService/RecordWhereabouts": record_whereabouts.record_whereabouts,
    "CaseService/RecordReturn": place.record_return,
    "JurisdictionService/Determine": determine_jurisdiction.determine_jurisdiction,
    "LetterService/CreateDraft": write_letter.create_draft,
    "LetterService/SignLetter": write_letter.sign_letter,
    "LetterService/DispatchLetter": write_letter.dispatch_letter,
    "LetterService/RegisterLetter": answer_letter.register_letter,
    "LetterService/AcceptLines": answer_letter.accept_lines,
    "LetterService/ReturnLines": answer_letter.return_lines,
    "LetterService/NoteLetter": answer_letter.note_letter,
    "LetterService/RetractLetter": answer_letter.retract_letter,
    "RetrievalService/ConfirmBody": retrieve.confirm_body,
    "RetrievalService/IssueOrder": retrieve.issue_order,
    "RetrievalService/AcknowledgeOrder": retrieve.acknowledge_order,
    "RetrievalService/AssignOfficer": retrieve.assign_officer,
    "RetrievalService/RecordStep": retrieve.record_step,
    "PlacementService/ProposePlacement": place.propose_placement,
    "PlacementService/DecidePlacement": place.decide_placement,
    "PlacementService/StartPlacement": place.start_placement,
    "EventService/AckEvents": tend_subscribers.ack_events,
    "EventService/RejectEvent": tend_subscribers.reject_event,
    "EventService/RedeliverEvent": tend_subscribers.redeliver_event,
    "RecoveryService/WaivePeer": tend_recovery.waive_peer,
    "RecoveryService/CheckRecoveredFact": tend_recovery.check_recovered_fact,
    "DeliveryService/RedriveDeadLetter": dead_letters.redrive_dead_letter,
    "DeliveryService/DiscardDeadLetter": dead_letters.discard_dead_letter,
}
"""RPCs that change something; answered once for each request_id."""

QUERIES: Mapping[str, UseCase] = {
    "AbsenceService/GetAbsence": read_records.get_absence,
    "AbsenceService/ListAbsences": read_records.list_absences,
    "SubjectService/GetSubject": read_records.get_subject,
    "CaseService/GetCase": read_records.get_case,
    "CaseService/ListCases": read_records.list_cases,
    "CaseService/GetTimeline": read_events.get_timeline,
    "CaseService/ListTodo": list_todo.list_todo,
    "JurisdictionService/Evaluate": determine_jurisdiction.evaluate_jurisdiction,
    "LetterService/GetLetter": read_records.get_letter,
    "LetterService/ListLetters": read_records.list_letters,
    "RetrievalService/GetOrder": read_records.get_order,
    "RetrievalService/ListOrders": read_records.list_orders,
    "PlacementService/GetPlacement": read_records.get_placement,
    "EventService/GetEvent": read_events.get_event,
    "EventService/ListSubscribers": tend_subscribers.list_subscribers,
    "EventService/ListRejectedEvents": tend_subscribers.list_rejected_events,
    "EventService/VerifyEvent": read_events.verify_event,
    "AgencyService/ListExchanges": read_records.list_exchanges,
    "RecoveryService/GetRecovery": tend_recovery.get_recovery,
    "RecoveryService/ListRecoveredFacts": tend_recovery.list_recovered_facts,
    "DeliveryService/ListDeadLetters": dead_letters.list_dead_letters,
    "DeliveryService/ReconcileLanes": reconcile_lanes.reconcile_lanes,
    "DivisionService/ResolveDivision": read_places.resolve_division,
    "DivisionService/ListDivisions": read_places.list_divisions,
    "DirectoryService/GetOrganisation": read_places.get_organisation,
    "DirectoryService/ListOrganisations": read_places.list_organisations,
    "DirectoryService/ListKeys": read_places.list_keys,
    "DirectoryService/ListEntitlements": read_places.list_entitlements,
}
"""RPCs that only read."""


@dataclass(frozen=True)
class RecordStream:
    """A stream of records, answered each for itself: the use case for one record, the field of the
    stream's message that holds one (empty: the message itself), and the one that holds many.
    """

    use_case: UseCase
    one: str = ""
    many: str = ""


RECORD_STREAMS: Mapping[str, RecordStream] = {
    "AbsenceService/ReportAbsences": RecordStream(
        report_absence.report_absence, "report", "reports"
    ),
    "AgencyService/PushFacts": RecordStream(push_facts.push_fact),
}
"""RPCs that take a stream of records and answer each for itself."""


@dataclass(frozen=True)
class PageStream:
    """A stream of pages: the use case for one page, and one that writes when it begins, if any."""

    page: UseCase
    opening: UseCase | None = None


PAGE_STREAMS: Mapping[str, PageStream] = {
    "EventService/Subscribe": PageStream(follow_log.log_page, follow_log.open_log),
    "FactService/ReplayFacts": PageStream(replay_facts.facts_page),
}
"""RPCs that answer with a stream of pages."""
