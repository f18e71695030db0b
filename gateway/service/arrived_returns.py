"""Reading what a peer returns to this organisation while it recovers. Only the form is checked here;
whether the facts inside are truly its own is checked as they are put back.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.codec import fields
from gateway.codec.lanes import decode_head
from gateway.domain.errors import Reason, Refusal
from gateway.domain.lanes import MOST_EVENTS, LaneHead
from gateway.domain.organisations import OrgId
from gateway.service.desk import Tools
from gateway.v1 import message_pb2


@dataclass(frozen=True)
class ArrivedReturn:
    """An authenticated part of what a peer returns. `made_at` names the run it belongs to, and
    `directory` is the version in force at the author.
    """

    author: OrgId
    recovery_id: str
    made_at: datetime
    part: int
    last: bool
    received: LaneHead
    sent: LaneHead
    events: tuple[message_pb2.CarriedEvent, ...]
    envelope: bytes
    directory: int = 0


def read_return(
    tools: Tools, org: OrgId, author: OrgId, payload: bytes, envelope: bytes
) -> ArrivedReturn:
    """Open and read a part whose signature was checked.

    Raises Refusal: SIGNER_MISMATCH, WRONG_RECEIVER, SEAL_BROKEN, TOO_LARGE for more events than any
    part has, or what is wrong with a field.
    Raises google.protobuf.message.DecodeError for bytes that are none.
    """
    returned = message_pb2.ReturnedFacts.FromString(payload)
    header = message_pb2.ReturnHeader.FromString(returned.header)
    for stated, wanted, reason in (
        (header.author, author, Reason.SIGNER_MISMATCH),
        (header.peer, org, Reason.WRONG_RECEIVER),
    ):
        if stated != str(wanted):
            raise Refusal(reason, "Returned facts name another organisation.", "Look at both ends.")
    clear = tools.sealer.open(org, header.seal_key_id, returned.header, returned.sealed_content)
    events = message_pb2.MessageContent.FromString(clear).events
    if len(events) > MOST_EVENTS:
        raise Refusal(Reason.TOO_LARGE, "Too many facts in one part.", "Look at its author.")
    return ArrivedReturn(
        author=author,
        recovery_id=fields.uuid(header.recovery_id, "recovery_id"),
        made_at=fields.moment(header.created_at, "created_at"),
        part=header.part,
        last=header.last,
        received=decode_head(header.received),
        sent=decode_head(header.sent),
        events=tuple(events),
        envelope=envelope,
        directory=header.directory_version,
    )
