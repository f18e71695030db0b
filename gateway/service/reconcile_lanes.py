"""Reconciling the lanes: each number given is receipted, refused, on its way or a dead letter."""

from collections.abc import Sequence

from gateway.codec import fields
from gateway.codec.lanes import encode_balance
from gateway.domain.lane_balance import LaneBalance
from gateway.service.desk import Desk
from gateway.v1 import delivery_pb2


def reconcile(desk: Desk) -> Sequence[LaneBalance]:
    """Count every lane of the organisation."""
    return desk.work.lanes.balances(desk.org)


def reconcile_lanes(
    desk: Desk, _request: delivery_pb2.ReconcileLanesRequest
) -> delivery_pb2.ReconcileLanesResponse:
    """Answer with the count of every lane, and whether all of them add up."""
    balances = reconcile(desk)
    return delivery_pb2.ReconcileLanesResponse(
        lanes=[encode_balance(balance) for balance in balances],
        balanced=all(balance.balanced for balance in balances),
        counted_at=fields.timestamp(desk.now),
    )
