"""Effects at an agency: what it is asked becomes an exchange with its own system."""

from collections.abc import Callable, Mapping

from gateway.codec.fields import day
from gateway.codec.orders import decode_step
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId, Role
from gateway.service.arrivals import ArrivedEvent
from gateway.service.desk import Desk
from gateway.service.effects.checks import require_passed_on, require_source
from gateway.service.titles import known_titles
from gateway.v1.event_pb2 import Event

_Asked = tuple[str, str, dict[str, str]]  # kind of exchange, object, fields


def _hukou(event: Event) -> _Asked:
    return "hukou", event.hukou_queried.query_id, {}


def _absence(event: Event) -> _Asked:
    body = event.absence_reported
    fields = {
        "school": body.school,
        "school_days": str(len(body.counted_days)),
        "reason": "",  # D.6: why a child stays away is not the platform's to know
    }
    return "absence_entry", body.absence_id, fields


def _body(event: Event) -> _Asked:
    body = event.retrieval_body_confirmed
    fields = {"body": body.body, "row": body.jurisdiction_row}
    return "body_entry", event.cases[0].case_id, fields


def _order(event: Event) -> _Asked:
    order = event.retrieval_order_issued.order
    fields = {"order_no": order.order_no, "issuer": order.issuer, "township": order.township}
    return "order_entry", order.order_id, fields


def _step(event: Event) -> _Asked:
    body = event.retrieval_step_recorded
    step = decode_step(body.step)
    fields = {
        "order_id": body.order_id,
        "step": step.step.value,
        "outcome": step.outcome.value,
        "date": step.date.isoformat(),
    }
    return "step_entry", body.order_id, fields


def _return(event: Event) -> _Asked:
    body = event.student_returned
    first_day = day(body.first_day_attended, "first_day_attended")
    fields = {"school": body.school, "date": first_day.isoformat()}
    return "return_entry", event.cases[0].case_id, fields


ASKED: Mapping[tuple[Role, FactKind], Callable[[Event], _Asked]] = {
    (Role.PSB, FactKind.HUKOU_QUERIED): _hukou,
    (Role.RRB, FactKind.ABSENCE_REPORTED): _absence,
    (Role.RRB, FactKind.RETRIEVAL_BODY_CONFIRMED): _body,
    (Role.RRB, FactKind.RETRIEVAL_ORDER_ISSUED): _order,
    (Role.RRB, FactKind.RETRIEVAL_STEP_RECORDED): _step,
    (Role.RRB, FactKind.STUDENT_RETURNED): _return,
}
"""What a fact asks of an agency's system, by the agency's role."""


def exchange_of(desk: Desk, arrived: ArrivedEvent) -> AgencyExchange | None:
    """Store the exchange that the event asks of this agency; None when it asks none."""
    asked = ASKED.get((desk.org.role, arrived.kind))
    if asked is None:
        return None
    _require_standing(desk, arrived)
    kind, object_id, fields = asked(arrived.event)
    reference = arrived.event.cases[0] if arrived.event.cases else None
    exchange = AgencyExchange(
        id=arrived.event.event_id,
        kind=kind,
        state=ExchangeState.WAITING,
        asked_by=arrived.source,
        asked_at=desk.now,
        changed_at=desk.now,
        due_at=desk.now,
        object_id=object_id,
        subject_id=reference.subject_id if reference else arrived.event.subject_id,
        case_id=reference.case_id if reference else "",
        episode=reference.episode if reference else 1,
        fields=tuple(fields.items()),
    )
    desk.work.exchanges.put(desk.org, exchange)
    return exchange


_PASSED_ON = (FactKind.RETRIEVAL_STEP_RECORDED, FactKind.STUDENT_RETURNED)


def _require_standing(desk: Desk, arrived: ArrivedEvent) -> None:
    """Raise Refusal(JURISDICTION_NOT_ALLOWED) unless the source may ask this of the agency.

    Acts of authority are fenced by the title already; a query is the holder's, an absence the
    school's own, and what townships and schools state of a case comes by way of its holder.
    """
    if arrived.kind in _PASSED_ON:
        require_passed_on(desk, arrived)
    elif arrived.kind is FactKind.ABSENCE_REPORTED:
        require_source(arrived, OrgId.parse(arrived.event.absence_reported.school))
    elif arrived.kind is FactKind.HUKOU_QUERIED:
        for case_id in arrived.case_ids:  # of each: a case of its own lends no right to another
            chain = known_titles(desk, case_id)
            require_source(arrived, chain[-1].holder if chain else None)
