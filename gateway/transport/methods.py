"""Every RPC and the use case behind it. Complete against the descriptors, which a test holds."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.service import (
    answer_letter,
    confirm_dropout,
    determine_jurisdiction,
    list_todo,
    place,
    push_facts,
    read_events,
    read_places,
    read_records,
    record_whereabouts,
    report_absence,
    request_hukou,
    resolve_subject,
    retrieve,
    submit_suspected_dropout,
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
    "EventService/AckEvents": read_events.ack_events,
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
    "EventService/VerifyEvent": read_events.verify_event,
    "AgencyService/ListExchanges": read_records.list_exchanges,
    "DivisionService/ResolveDivision": read_places.resolve_division,
    "DivisionService/ListDivisions": read_places.list_divisions,
    "DirectoryService/GetOrganisation": read_places.get_organisation,
    "DirectoryService/ListOrganisations": read_places.list_organisations,
    "DirectoryService/ListKeys": read_places.list_keys,
}
"""RPCs that only read."""

RECORD_STREAMS: Mapping[str, tuple[str, UseCase]] = {
    "AbsenceService/ReportAbsences": ("report", report_absence.report_absence),
    "AgencyService/PushFacts": ("", push_facts.push_fact),
}
"""RPCs that take a stream of records and answer each for itself: the field of the stream's message
that holds the record (empty: the message itself), and the use case for one record."""

EVENT_STREAM = "EventService/Subscribe"
"""The RPC that streams pages of the log."""
