"""The work list: what an organisation must do next, and since when."""

from gateway.codec import fields
from gateway.domain import duties
from gateway.domain.absences import AbsenceState
from gateway.domain.cases import CaseState
from gateway.domain.duties import TEXTS, DutyItem
from gateway.domain.letters import LetterState
from gateway.domain.orders import OrderState
from gateway.domain.placements import PlacementState
from gateway.service.desk import Desk
from gateway.service.request_hukou import case_answered
from gateway.v1 import case_pb2

_MOST_LOOKED_AT = 1000


def list_todo(desk: Desk, request: case_pb2.ListTodoRequest) -> case_pb2.ListTodoResponse:
    """CaseService.ListTodo, longest waiting first."""
    size = fields.page_size(request.page_size, 50, 200)
    start = fields.position(request.page_token, "page_token")
    items = sorted(_items(desk), key=lambda item: (item.since, item.object_id))
    page = items[start : start + size]
    more = start + size < len(items)
    return case_pb2.ListTodoResponse(
        items=[_encode(item) for item in page],
        next_page_token=str(start + size) if more else "",
    )


def _items(desk: Desk) -> list[DutyItem]:
    work, org, most = desk.work, desk.org, _MOST_LOOKED_AT
    absences = work.absences.page(
        org, limit=most, states=(AbsenceState.REPORTED, AbsenceState.UNDER_FOLLOW_UP)
    )
    cases = work.cases.page(
        org,
        limit=most,
        states=(
            CaseState.SUSPECTED,
            CaseState.VERIFYING,
            CaseState.CONFIRMED,
            CaseState.JURISDICTION_PENDING,
            CaseState.ASSIGNED,
            CaseState.RETURNED,
        ),
    )
    letters = work.letters.page(
        org,
        limit=most,
        states=(
            LetterState.DRAFT,
            LetterState.SIGNED,
            LetterState.DELIVERED,
            LetterState.REGISTERED,
        ),
    )
    orders = work.orders.page(
        org,
        limit=most,
        states=(
            OrderState.ISSUED,
            OrderState.ACKNOWLEDGED,
            OrderState.ASSIGNED,
            OrderState.IN_PROGRESS,
        ),
    )
    placements = work.placements.page(
        org, limit=most, states=(PlacementState.PROPOSED, PlacementState.DECIDED)
    )
    returned = work.recovered_facts.page(org, "", most, with_checked=False)
    found = [
        *(duties.of_absence(absence, org) for absence in absences),
        *(duties.of_case(case, org, hukou_answered=case_answered(desk, case)) for case in cases),
        *(duties.of_letter(letter, org) for letter in letters),
        *(duties.of_order(order, org) for order in orders),
        *(duties.of_placement(placement, org) for placement in placements),
        *(duties.of_recovered_fact(fact) for fact in returned),
    ]
    return [item for item in found if item is not None]


def _encode(item: DutyItem) -> case_pb2.TodoItem:
    text = TEXTS[item.duty]
    return case_pb2.TodoItem(
        duty=item.duty.value,
        duty_zh=text.zh,
        case_id=item.case_id,
        object_id=item.object_id,
        since=fields.timestamp(item.since),
        basis=text.basis,
        command=text.command.format(item.object_id),
        label=item.label,
    )
