"""Which effect each kind of fact has. Complete: a test holds it against the kinds of facts."""

from collections.abc import Callable, Mapping

from gateway.domain.facts import FactKind
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects import cases, letters, retrieval
from gateway.service.effects.agencies import exchange_of

__all__ = ["EFFECTS", "exchange_of"]

EFFECTS: Mapping[FactKind, Callable[[Desk, ArrivedEvent], None]] = {
    FactKind.ABSENCE_REPORTED: cases.absence_reported,
    FactKind.PLATFORM_ENTRY_RECORDED: cases.platform_entry_recorded,
    FactKind.SUSPECTED_DROPOUT_SUBMITTED: cases.suspected_dropout_submitted,
    FactKind.DROPOUT_CONFIRMED: cases.dropout_confirmed,
    FactKind.DROPOUT_REFUTED: cases.dropout_refuted,
    FactKind.HUKOU_QUERIED: cases.nothing_else,
    FactKind.HUKOU_ASSERTED: cases.hukou_asserted,
    FactKind.WHEREABOUTS_RECORDED: cases.whereabouts_recorded,
    FactKind.JURISDICTION_DETERMINED: cases.jurisdiction_determined,
    FactKind.LETTER_DISPATCHED: letters.letter_dispatched,
    FactKind.LETTER_REGISTERED: letters.letter_registered,
    FactKind.LETTER_LINES_ACCEPTED: letters.letter_lines_accepted,
    FactKind.LETTER_LINES_RETURNED: letters.letter_lines_returned,
    FactKind.LETTER_NOTED: letters.letter_noted,
    FactKind.LETTER_RETRACTED: letters.letter_retracted,
    FactKind.TITLE_GRANTED: letters.title_granted,
    FactKind.OFFER_ENDED: letters.offer_ended,
    FactKind.RETRIEVAL_BODY_CONFIRMED: retrieval.retrieval_body_confirmed,
    FactKind.RETRIEVAL_ORDER_ISSUED: retrieval.retrieval_order_issued,
    FactKind.RETRIEVAL_ORDER_ACKNOWLEDGED: retrieval.retrieval_order_acknowledged,
    FactKind.RETRIEVAL_OFFICER_ASSIGNED: retrieval.retrieval_officer_assigned,
    FactKind.RETRIEVAL_STEP_RECORDED: retrieval.retrieval_step_recorded,
    FactKind.RETRIEVAL_ORDER_FULFILLED: retrieval.retrieval_order_fulfilled,
    FactKind.PLACEMENT_PROPOSED: retrieval.placement_proposed,
    FactKind.STUDENT_RETURNED: retrieval.student_returned,
    FactKind.PLACEMENT_DECIDED: retrieval.placement_decided,
    FactKind.PLACEMENT_STARTED: retrieval.placement_started,
    FactKind.ENROLMENT_ASSERTED: cases.enrolment_asserted,
}
