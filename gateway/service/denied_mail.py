"""Mail that a peer once gave a receipt for and now says it lacks: it lost its memory."""

from gateway.domain.lanes import LaneHead
from gateway.log_events import LogEvent, log
from gateway.ports.outbox import OutMessage
from gateway.service.arrivals import ArrivedStatement
from gateway.service.desk import Desk
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope


def denies(desk: Desk, arrived: ArrivedStatement, message: OutMessage) -> bool:
    """Say whether the peer denies a message that its statement does not show as taken.

    Only one that it gave a receipt for, and no receipt given after the statement was made; both
    moments are the peer's own.
    """
    data = desk.work.inbox.receipt(desk.org, message.receipt_id)
    if data is None:
        return False
    receipt = message_pb2.Receipt.FromString(SignedEnvelope.FromString(data).payload)
    return receipt.received_at.ToNanoseconds() < arrived.statement.stated_at.ToNanoseconds()


def put_back_denied(desk: Desk, arrived: ArrivedStatement, received: LaneHead) -> None:
    """Put the mail of ended incarnations that the peer denies up for delivery once more.

    The lane has begun anew since, and takes no number of those before: what the messages carried is
    packed again, under numbers of the present incarnation.
    """
    backlog, peer = desk.work.backlog, arrived.author
    present = desk.work.outbox.lane(desk.org, peer).incarnation
    first = backlog.first_beyond(desk.org, peer, received, present)
    if first is None or not denies(desk, arrived, first):
        return
    log(LogEvent.LANE_ALARM, level="error", lane=f"{desk.org}:{peer}", standing="DENIED")
    count = backlog.put_back(desk.org, peer, received, present)
    log(LogEvent.MESSAGE_RESENT, due=count)
