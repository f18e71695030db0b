"""Recording where the child is 核实去向 (art. 7, M02)."""

from gateway.codec import cases, fields
from gateway.domain.cases import Whereabouts, WhereaboutsKind
from gateway.domain.division_codes import Level
from gateway.domain.facts import FactKind
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.state_fact import state_fact
from gateway.v1 import case_pb2

_IMPLIED = (
    WhereaboutsKind.IN_ENROLMENT_COUNTY,
    WhereaboutsKind.IN_HUKOU_COUNTY,
    WhereaboutsKind.ABROAD,
    WhereaboutsKind.UNKNOWN,
)
"""Kinds that need no division: it follows, or there is none."""


def record_whereabouts(
    desk: Desk, request: case_pb2.RecordWhereaboutsRequest
) -> case_pb2.RecordWhereaboutsResponse:
    """CaseService.RecordWhereabouts. Whoever is party to the case may: it is information."""
    case = desk.work.cases.require(desk.org, fields.uuid(request.case_id, "case_id"))
    if not request.HasField("whereabouts"):
        raise fields.missing("whereabouts")
    whereabouts = checked_whereabouts(desk, request.whereabouts)
    case = case.changed(desk.now, whereabouts=whereabouts)
    desk.work.cases.put(desk.org, case)
    state_fact(
        desk,
        FactKind.WHEREABOUTS_RECORDED,
        case_pb2.WhereaboutsRecorded(whereabouts=cases.encode_whereabouts(whereabouts)),
        Matter(cases=(case,)),
    )
    return case_pb2.RecordWhereaboutsResponse(case=cases.encode_case(case, desk.org))


def checked_whereabouts(desk: Desk, wire: case_pb2.Whereabouts) -> Whereabouts:
    """Decode whereabouts that a caller states, with source and time filled in.

    Raises Refusal: MISSING_FIELD, INVALID_FIELD, UNKNOWN_DIVISION or RETIRED_DIVISION.
    """
    stated = cases.decode_whereabouts(wire)
    if not stated.division and stated.kind not in _IMPLIED:
        raise fields.missing("whereabouts.division")
    division = stated.division
    if stated.kind is WhereaboutsKind.OTHER_PROVINCE:
        if len(division) != Level.PROVINCE.digits or division == "53":
            raise fields.invalid(
                "whereabouts.division",
                "Another province is named by its 2 digits.",
                "Write for example 44 for 广东.",
            )
    elif division:
        desk.require_current(division, "whereabouts.division")
        division = desk.county_of(division)
    return Whereabouts(stated.kind, division, stated.basis, desk.org, desk.now)
