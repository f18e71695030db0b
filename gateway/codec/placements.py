"""Placements on the wire."""

from gateway.codec import enums, fields
from gateway.domain.placements import Placement
from gateway.v1 import placement_pb2


def encode_placement(placement: Placement) -> placement_pb2.Placement:
    """Encode a placement as its organisation sees it."""
    return placement_pb2.Placement(
        placement_id=placement.id,
        case_id=placement.case_id,
        subject_id=placement.subject_id,
        school=str(placement.school),
        kind=enums.wire(placement.kind),
        state=enums.wire(placement.state),
        plan_id=placement.plan_id,
        start_date=placement.start_date,
        watch_until=placement.watch_until,
        version=placement.version,
        changed_at=fields.timestamp(placement.changed_at),
    )
