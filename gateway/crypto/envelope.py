"""The form of a signed envelope: what exactly is signed, and what bytes are one at all.

DSSE v1.0.2 (secure-systems-lab/dsse, protocol.md), carried as protobuf instead of JSON. Lengths
count bytes. Types are ASCII: for other characters implementations disagree on the length.
"""

import re
from typing import Final

from google.protobuf.message import DecodeError

from gateway.domain.errors import Reason, Refusal
from gateway.v1.envelope_pb2 import SignedEnvelope

MAX_ENVELOPE_BYTES: Final = 4 * 1024 * 1024
"""Largest serialised envelope that is read, unless the caller sets another limit."""

MAX_SIGNATURES: Final = 4
"""Most signatures of one envelope; each costs a verification."""

MAX_SIGNATURE_BYTES: Final = 8192
"""Longest signature value; the largest in sight is ML-DSA-87 with 4,627 bytes."""

_PAYLOAD_TYPE = re.compile(r"[\x21-\x7e]{1,128}")
_KEY_ID = re.compile(r"[0-9a-f]{64}")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding: the bytes a signature is made over.

    Raises:
        ValueError: the type is empty, too long, or not visible ASCII.
    """
    if not _PAYLOAD_TYPE.fullmatch(payload_type):
        raise ValueError("a payload type is 1 to 128 visible ASCII characters")
    kind = payload_type.encode("ascii")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def form_fault(envelope: SignedEnvelope) -> str | None:
    """Return what is wrong with the form of an envelope, or None.

    Protobuf reads nearly anything, even no bytes at all, so having parsed proves nothing.
    """
    signatures = envelope.signatures
    key_ids = [signature.key_id for signature in signatures]
    lengths = [len(signature.value) for signature in signatures]
    rules = (
        (bool(envelope.payload), "there is no payload"),
        (
            _PAYLOAD_TYPE.fullmatch(envelope.payload_type),
            "the payload type is not 1 to 128 visible ASCII characters",
        ),
        (1 <= len(signatures) <= MAX_SIGNATURES, f"not 1 to {MAX_SIGNATURES} signatures"),
        (
            all(_KEY_ID.fullmatch(key_id) for key_id in key_ids),
            "a key identifier is not 64 lowercase hexadecimal digits",
        ),
        (len(set(key_ids)) == len(key_ids), "one key signs twice"),
        (
            all(1 <= length <= MAX_SIGNATURE_BYTES for length in lengths),
            f"a signature has not 1 to {MAX_SIGNATURE_BYTES} bytes",
        ),
    )
    return next((fault for holds, fault in rules if not holds), None)


def parse_envelope(data: bytes, limit: int = MAX_ENVELOPE_BYTES) -> SignedEnvelope:
    """Read a serialised envelope. Nothing is verified yet, and the payload stays unread bytes.

    Args:
        data: the bytes as they came.
        limit: most bytes to read.

    Raises:
        Refusal: ENVELOPE_MALFORMED.
    """
    if len(data) > limit:
        raise _malformed(f"The bytes are no signed envelope: more than {limit} bytes.")
    try:
        envelope = SignedEnvelope.FromString(data)
    except DecodeError:
        raise _malformed("The bytes are no signed envelope: they do not parse.") from None
    fault = form_fault(envelope)
    if fault is not None:
        raise _malformed(f"The bytes are no signed envelope: {fault}.")
    return envelope


def _malformed(message: str) -> Refusal:
    return Refusal(
        Reason.ENVELOPE_MALFORMED,
        message,
        "Send a SignedEnvelope with payload, payload type and one signature or more.",
    )
