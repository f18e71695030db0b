"""A node of the next version: `python -m tests.faults.next_version_node CONFIG NOW`.

Whatever it signs has a field that this version has never heard of.
"""

from gateway.crypto.signer import DirectorySigner
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, MESSAGE, RECEIPT
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.faults.node_process import main

NEW_FIELD = bytes.fromhex("faba3f") + b"\x08the next"
"""Field 129967, length-delimited, as protobuf writes it (tag 129967 << 3 | 2 as a varint)."""

_sign = DirectorySigner.sign


def _sign_more(
    self: DirectorySigner, org: OrgId, payload_type: str, payload: bytes
) -> SignedEnvelope:
    more = NEW_FIELD if payload_type in {EVENT, MESSAGE, RECEIPT} else b""
    return _sign(self, org, payload_type, payload + more)


if __name__ == "__main__":
    DirectorySigner.sign = _sign_more  # type: ignore[method-assign]
    main()
