"""Keys that have ended: what they signed stays good, and they sign nothing more (B22).

Mail is judged when it arrives, by keys that are good then; what still waits under an ended key is
therefore signed again, the same bytes, before it is handed out. What travels inside was signed when
it was stated, and is judged by that moment.
"""

from collections.abc import Callable
from datetime import datetime

from gateway.codec import fields
from gateway.domain.errors import Reason
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, TITLE
from gateway.ports.signing import Verification
from gateway.service.desk import Desk, Tools
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from gateway.v1.title_pb2 import Title

NOT_YET = (Reason.KEY_UNKNOWN, Reason.KEY_NOT_YET_VALID)
"""What a newer edition of the directory, or a moment's patience, may mend."""
_ENDED = (Reason.KEY_EXPIRED, Reason.KEY_REVOKED)


def under_good_key(desk: Desk, data: bytes) -> bytes:
    """Return own signed bytes as every receiver takes them now.

    Under another key than the present one the same payload is signed anew: its digest, and so its
    identifier and place on the lane, stay as they are, and whoever has it already knows it again.
    Raises Refusal(KEY_UNKNOWN) when there is no key to sign with.
    """
    envelope = SignedEnvelope.FromString(data)
    key = desk.tools.directory.current_key(desk.org, KeyPurpose.SIGN, desk.now)
    if key is not None and [signature.key_id for signature in envelope.signatures] == [key.key_id]:
        return data
    signed = desk.tools.signer.sign(desk.org, envelope.payload_type, envelope.payload)
    return signed.SerializeToString()


def verify_event(
    tools: Tools, envelope: SignedEnvelope, now: datetime, *, brought_by: OrgId
) -> Verification:
    """Verify an event that came in authentic mail of `brought_by`.

    Raises google.protobuf.message.DecodeError or Refusal for one that says no moment of record.
    """
    return _verify(tools, envelope, EVENT, now, brought_by, _recorded_at)


def verify_title(
    tools: Tools, envelope: SignedEnvelope, now: datetime, *, brought_by: OrgId
) -> Verification:
    """Verify a title that can be read and came in authentic mail. Raises Refusal as above."""
    return _verify(tools, envelope, TITLE, now, brought_by, _made_at)


def _verify(
    tools: Tools,
    envelope: SignedEnvelope,
    payload_type: str,
    now: datetime,
    brought_by: OrgId,
    stated_at: Callable[[bytes], datetime],
) -> Verification:
    """Verify by now; under a key that has ended, by the moment that the payload states.

    Whoever brought it signed the mail with a key that is good, and so answers for that moment.
    Under a revoked key it does so for its own word alone: somebody else may hold the private half
    of another's key, and would write any moment.
    """
    found = tools.verifier.verify(envelope, payload_type, now)
    if found.refusal not in _ENDED or not (found.signer == brought_by or _ran_out(tools, envelope)):
        return found
    then = tools.verifier.verify(envelope, payload_type, stated_at(envelope.payload))
    return then if then.refusal is None else found


def _ran_out(tools: Tools, envelope: SignedEnvelope) -> bool:
    """Say whether the keys ended in their own time, and none was revoked."""
    keys = [tools.directory.key(signature.key_id) for signature in envelope.signatures]
    return all(key is not None and key.revoked_at is None for key in keys)


def _recorded_at(payload: bytes) -> datetime:
    return fields.moment(Event.FromString(payload).recorded_at, "recorded_at")


def _made_at(payload: bytes) -> datetime:
    return fields.moment(Title.FromString(payload).made_at, "made_at")
