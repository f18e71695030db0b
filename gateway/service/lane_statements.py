"""Signed heartbeats of the lanes: by them a lost last message is found, and lost memory.

An organisation says to each peer how both lanes between them stand at its end: at every new link
to the broker, once a day, and when asked. Whatever of it is not as the other end knows it is asked
for, sent again, or raised as an alarm. A statement changes no lane by itself, so that one that
comes late or twice does no harm.
"""

from datetime import timedelta

from gateway.codec import fields
from gateway.codec.lanes import decode_head, encode_head
from gateway.domain.lanes import DISPUTED, FIRST, LaneHead, SendingLane, Standing, compare
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import LANE_STATEMENT
from gateway.domain.recovery import Recovery
from gateway.log_events import LogEvent, log
from gateway.ports.outbox import OutMessage
from gateway.service.arrivals import ArrivedStatement
from gateway.service.denied_mail import denies, put_back_denied
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, ask_for
from gateway.service.pause import too_soon
from gateway.service.recovery import doubt_memory, may_act, renew_lane, standing_of
from gateway.service.return_facts import hear_recovering, proof
from gateway.v1 import message_pb2

_DENIAL_PAUSE = timedelta(minutes=10)
"""What is sent again meanwhile goes at the pace of all mail."""


def lane_statements(desk: Desk) -> list[tuple[OrgId, bytes]]:
    """Return a statement for each peer of the organisation, each asking for the peer's own."""
    return [
        (peer, lane_statement(desk, peer, answer_wanted=True))
        for peer in desk.work.lanes.peers(desk.org)
    ]


def lane_statement(
    desk: Desk,
    peer: OrgId,
    *,
    answer_wanted: bool = False,
    proof_wanted: bool = False,
    recovery: Recovery | None = None,
) -> bytes:
    """Return the signed statement of how both lanes with the peer stand here.

    With a `recovery` it asks for the own facts that this store lacks.
    """
    statement = message_pb2.LaneStatement(
        author=str(desk.org),
        peer=str(peer),
        sent=encode_head(desk.work.outbox.lane(desk.org, peer).head),
        received=encode_head(desk.work.inbox.lane(desk.org, peer).head),
        answer_wanted=answer_wanted,
        stated_at=fields.timestamp(desk.now),
        recovering=recovery is not None,
        recovery_id=recovery.id if recovery else "",
        facts_since=fields.timestamp(recovery.facts_since) if recovery else None,
        proof_wanted=proof_wanted,
    )
    envelope = desk.tools.signer.sign(desk.org, LANE_STATEMENT, statement.SerializeToString())
    return envelope.SerializeToString()


def take_statement(desk: Desk, arrived: ArrivedStatement, replies: Replies) -> None:
    """Compare what the peer says with what is known here, and have what is missing sent again."""
    statement = arrived.statement
    log(LogEvent.LANE_STATED, level="debug", lane=f"{arrived.author}:{desk.org}")
    sent, received = decode_head(statement.sent), decode_head(statement.received)
    asked = statement.proof_wanted
    forgot = asked or _forgot(desk, arrived.author, sent)
    if statement.recovering:
        hear_recovering(desk, arrived)
    elif forgot:
        # Before any mail: a store that learns of its loss too late would do again what it did.
        shown = proof(desk, arrived.author, asked=asked)
        replies.ready += [(arrived.author, part) for part in shown]
    standing = check_received(desk, arrived.author, received, replies)
    if standing not in DISPUTED or may_act(desk) is None:  # for the same reason
        _ask_for_tail(desk, arrived.author, sent, replies)
    if standing is Standing.PEER_BEHIND and (statement.recovering or not forgot):
        put_back_denied(desk, arrived, received)
        _send_what_was_denied(desk, arrived, received)
    if statement.answer_wanted:
        replies.ready.append((arrived.author, lane_statement(desk, arrived.author)))


def check_received(desk: Desk, peer: OrgId, head: LaneHead, replies: Replies) -> Standing:
    """Compare what the peer says it has taken with what was numbered for it here.

    When it says that it has what this store never numbered, or another message under a number, one
    of the two is wrong: that is raised as an alarm, and the peer is asked for proof.
    """
    return _judged(desk, peer, head, standing_of(desk, peer, head), replies)


def check_receipt_head(
    desk: Desk, peer: OrgId, head: LaneHead, latest: OutMessage | None, replies: Replies
) -> None:
    """Do the same for the head in a receipt; `latest` is the last own message that it answers.

    A head that does not pass that message is compared with it alone, and costs no query.
    """
    if latest is not None and (latest.incarnation, latest.sequence) >= (
        head.incarnation,
        head.last_sequence,
    ):
        lane_then = SendingLane(latest.incarnation, latest.sequence + 1, latest.digest)
        _judged(desk, peer, head, compare(lane_then, head), replies)
    else:
        check_received(desk, peer, head, replies)


def _judged(
    desk: Desk, peer: OrgId, head: LaneHead, standing: Standing, replies: Replies
) -> Standing:
    if standing in DISPUTED:
        log(LogEvent.LANE_ALARM, level="error", lane=f"{desk.org}:{peer}", standing=standing)
        if doubt_memory(desk, peer, head):
            # No statement is wanted in answer: it would claim the same again.
            replies.ready.append((peer, lane_statement(desk, peer, proof_wanted=True)))
    elif head.closed:
        renew_lane(desk, peer, head)
    return standing


def _forgot(desk: Desk, peer: OrgId, sent: LaneHead) -> bool:
    """Say whether the peer states less than was taken from it. One that comes late does so too."""
    taken = desk.work.inbox.lane(desk.org, peer).head
    return (sent.incarnation, sent.last_sequence) < (taken.incarnation, taken.last_sequence)


def _ask_for_tail(desk: Desk, peer: OrgId, sent: LaneHead, replies: Replies) -> None:
    """Ask for what the peer has numbered and this store has not taken, the last one included."""
    lane = desk.work.inbox.lane(desk.org, peer)
    if sent.incarnation < lane.incarnation:
        return
    lane = lane.heard(sent.incarnation)
    if sent.last_sequence >= lane.next_sequence:
        log(LogEvent.LANE_GAP, lane=f"{peer}:{desk.org}", missing=lane.next_sequence)
        gap = message_pb2.GapRequest(
            lane_incarnation=lane.incarnation,
            first_missing=lane.next_sequence,
            last_missing=sent.last_sequence,
        )
        ask_for(replies, desk, peer, gap)


def _send_what_was_denied(desk: Desk, arrived: ArrivedStatement, received: LaneHead) -> None:
    """Send again what of the present incarnation the peer gave a receipt for and says it lacks."""
    own = desk.work.outbox.lane(desk.org, arrived.author)
    earlier = received.incarnation < own.incarnation
    first = FIRST if earlier else received.last_sequence + 1
    message = _message(desk, arrived.author, own.incarnation, first)
    if message is None or not denies(desk, arrived, message):
        return
    if too_soon(desk, arrived.author, "denied", _DENIAL_PAUSE):
        return
    log(LogEvent.LANE_ALARM, level="error", lane=f"{desk.org}:{arrived.author}", standing="DENIED")
    count = desk.work.backlog.revive(
        desk.org,
        arrived.author,
        own.incarnation,
        first,
        own.head.last_sequence,
        desk.now,
        receipted=True,
    )
    log(LogEvent.MESSAGE_RESENT, due=count)


def _message(desk: Desk, peer: OrgId, incarnation: int, sequence: int) -> OutMessage | None:
    found = desk.work.outbox.between(desk.org, peer, incarnation, sequence, sequence)
    return next(iter(found), None)
