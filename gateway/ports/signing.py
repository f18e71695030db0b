"""Signing what the organisations at home on this node say, and checking what anybody says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.v1.envelope_pb2 import SignedEnvelope


class Signer(Protocol):
    """Signs under the key of an organisation at home here."""

    def sign(self, org: OrgId, payload_type: str, payload: bytes) -> SignedEnvelope:
        """Wrap and sign the bytes (DSSE) under the organisation's current signing key.

        Raises Refusal(KEY_UNKNOWN) when this node holds no signing key of the organisation.
        """
        ...


@dataclass(frozen=True)
class Step:
    """One check of a verification: its name, whether it held, and what was found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Verification:
    """The outcome of a verification.

    `refusal` is None when every step held; otherwise it is the reason of the first that failed,
    the last in `steps`. `signer` and `key_id` are set once the key was found in the directory.
    """

    steps: tuple[Step, ...]
    refusal: Reason | None
    signer: OrgId | None
    key_id: str


class Verifier(Protocol):
    """Checks signed envelopes against the directory."""

    def verify(self, envelope: SignedEnvelope, payload_type: str, at: datetime) -> Verification:
        """Check form, type, key, purpose, validity, revocation and signature, in that order.

        `at` is the moment at which the key must have been good: for what arrives now, now; for
        what a log holds, the moment of its entry. Never raises for bad input.
        """
        ...
