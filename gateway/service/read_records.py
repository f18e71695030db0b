"""Reading what an organisation has: one record, or a page of them."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from gateway.codec import cases, enums, exchanges, fields
from gateway.codec.absences import encode_absence
from gateway.codec.letters import encode_letter
from gateway.codec.orders import encode_order
from gateway.codec.placements import encode_placement
from gateway.codec.subjects import encode_subject, mask_guardian, mask_identity
from gateway.domain.absences import AbsenceState
from gateway.domain.cases import CaseState
from gateway.domain.errors import Reason, Refusal
from gateway.domain.exchanges import ExchangeState
from gateway.domain.letters import LetterState
from gateway.domain.orders import OrderState
from gateway.domain.visibility import PartKind
from gateway.log_events import LogEvent, log
from gateway.ports.shelf import Shelf, Shelved
from gateway.service.desk import Desk
from gateway.service.recovery import may_act
from gateway.v1 import (
    absence_pb2,
    agency_pb2,
    case_pb2,
    letter_pb2,
    placement_pb2,
    retrieval_pb2,
    subject_pb2,
)

_DEFAULT, _MOST = 50, 200
T = TypeVar("T", bound=Shelved)


class Listing(Protocol):
    """A request for a page."""

    @property
    def page_size(self) -> int:
        """Most records on the page."""
        ...

    @property
    def page_token(self) -> str:
        """Where the page begins."""
        ...


def page_of(
    desk: Desk,
    shelf: Shelf[T],
    request: Listing,
    state: StrEnum | None,
    keep: Callable[[T], bool] = lambda _: True,
) -> tuple[Sequence[T], str]:
    """Return a page of records and the token of the next one, empty on the last.

    The token is the identifier of the last record of the page: identifiers rise with time, so a
    page is stable while new records arrive.
    """
    size = fields.page_size(request.page_size, _DEFAULT, _MOST)
    after = fields.uuid(request.page_token, "page_token") if request.page_token else ""
    states = (state.value,) if state else ()
    found: list[T] = []
    while len(found) <= size:
        rows = shelf.page(desk.org, after=after, limit=size + 1, states=states)
        found.extend(row for row in rows if keep(row))
        if len(rows) <= size:
            break
        after = rows[-1].id
    page = found[:size]
    return page, page[-1].id if len(found) > size else ""


def get_absence(
    desk: Desk, request: absence_pb2.GetAbsenceRequest
) -> absence_pb2.GetAbsenceResponse:
    """AbsenceService.GetAbsence."""
    absence = desk.work.absences.require(desk.org, fields.uuid(request.absence_id, "absence_id"))
    return absence_pb2.GetAbsenceResponse(absence=encode_absence(absence))


def list_absences(
    desk: Desk, request: absence_pb2.ListAbsencesRequest
) -> absence_pb2.ListAbsencesResponse:
    """AbsenceService.ListAbsences."""
    state = enums.maybe(AbsenceState, request.state)
    page, token = page_of(desk, desk.work.absences, request, state)
    return absence_pb2.ListAbsencesResponse(
        absences=[encode_absence(absence) for absence in page], next_page_token=token
    )


def get_case(desk: Desk, request: case_pb2.GetCaseRequest) -> case_pb2.GetCaseResponse:
    """CaseService.GetCase."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    return case_pb2.GetCaseResponse(case=cases.encode_case(case, may_act(desk)))


def list_cases(desk: Desk, request: case_pb2.ListCasesRequest) -> case_pb2.ListCasesResponse:
    """CaseService.ListCases."""
    page, token = page_of(
        desk,
        desk.work.cases,
        request,
        enums.maybe(CaseState, request.state),
        lambda case: not request.held or case.holder == desk.org,
    )
    return case_pb2.ListCasesResponse(
        cases=[cases.encode_case(case, may_act(desk)) for case in page], next_page_token=token
    )


def get_letter(desk: Desk, request: letter_pb2.GetLetterRequest) -> letter_pb2.GetLetterResponse:
    """LetterService.GetLetter."""
    letter = desk.work.letters.require(desk.org, fields.uuid(request.letter_id, "letter_id"))
    return letter_pb2.GetLetterResponse(letter=encode_letter(letter))


def list_letters(
    desk: Desk, request: letter_pb2.ListLettersRequest
) -> letter_pb2.ListLettersResponse:
    """LetterService.ListLetters."""
    page, token = page_of(
        desk,
        desk.work.letters,
        request,
        enums.maybe(LetterState, request.state),
        lambda letter: not request.received or letter.recipient == desk.org,
    )
    return letter_pb2.ListLettersResponse(
        letters=[encode_letter(letter) for letter in page], next_page_token=token
    )


def get_order(desk: Desk, request: retrieval_pb2.GetOrderRequest) -> retrieval_pb2.GetOrderResponse:
    """RetrievalService.GetOrder."""
    order = desk.work.orders.require(desk.org, fields.uuid(request.order_id, "order_id"))
    return retrieval_pb2.GetOrderResponse(order=encode_order(order))


def list_orders(
    desk: Desk, request: retrieval_pb2.ListOrdersRequest
) -> retrieval_pb2.ListOrdersResponse:
    """RetrievalService.ListOrders."""
    state = enums.maybe(OrderState, request.state)
    page, token = page_of(desk, desk.work.orders, request, state)
    return retrieval_pb2.ListOrdersResponse(
        orders=[encode_order(order) for order in page], next_page_token=token
    )


def get_placement(
    desk: Desk, request: placement_pb2.GetPlacementRequest
) -> placement_pb2.GetPlacementResponse:
    """PlacementService.GetPlacement."""
    key = fields.uuid(request.placement_id, "placement_id")
    placement = desk.work.placements.require(desk.org, key)
    return placement_pb2.GetPlacementResponse(placement=encode_placement(placement))


def list_exchanges(
    desk: Desk, request: agency_pb2.ListExchangesRequest
) -> agency_pb2.ListExchangesResponse:
    """AgencyService.ListExchanges."""
    state = enums.maybe(ExchangeState, request.state)
    page, token = page_of(desk, desk.work.exchanges, request, state)
    return agency_pb2.ListExchangesResponse(
        exchanges=[exchanges.encode_exchange(exchange) for exchange in page],
        next_page_token=token,
    )


def get_subject(
    desk: Desk, request: subject_pb2.GetSubjectRequest
) -> subject_pb2.GetSubjectResponse:
    """SubjectService.GetSubject: masked, unless a purpose is given; every full look is logged."""
    token = fields.uuid(request.subject_id, "subject_id")
    wire = encode_subject(desk.work.subjects.require(desk.org, token))
    purpose = fields.text(request.purpose, "purpose", 200)
    if purpose and not desk.actor.post:
        raise Refusal(
            Reason.PURPOSE_REQUIRED,
            "The full identity is shown to a post with a purpose only.",
            "Fill in actor_post and purpose.",
            field="actor_post",
        )
    wire.masked = not purpose
    for part in desk.work.vault.reveal(desk.org, token, purpose or "masked view"):
        if part.kind == enums.wire(PartKind.IDENTITY):
            identity = subject_pb2.PersonIdentity.FromString(part.content)
            wire.identity.CopyFrom(identity if purpose else mask_identity(identity))
        elif part.kind == enums.wire(PartKind.GUARDIAN):
            guardian = subject_pb2.GuardianContact.FromString(part.content)
            wire.guardian.CopyFrom(guardian if purpose else mask_guardian(guardian))
    if purpose:
        log(
            LogEvent.IDENTITY_REVEALED,
            org=str(desk.org),
            post=desk.actor.post,
            subject=token,
        )
    return subject_pb2.GetSubjectResponse(subject=wire)
