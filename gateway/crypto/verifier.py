"""Verifies signed envelopes against the directory, in numbered steps."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from gateway.crypto.envelope import form_fault, pae
from gateway.crypto.suites import SIGNATURE_SUITES
from gateway.crypto.validity import begun, expired, revoked
from gateway.domain.errors import Reason
from gateway.domain.keys import KeyPurpose, PublicKey
from gateway.domain.organisations import OrgId
from gateway.ports.directory import Directory
from gateway.ports.signing import Step, Verification
from gateway.v1.envelope_pb2 import SignedEnvelope

STEPS: Final = (
    "the envelope is well formed",
    "the payload type is the expected one",
    "the key is in the directory",
    "the key serves signing",
    "the key is valid already",
    "the key has not expired",
    "the key was not revoked by then",
    "the signature matches the bytes",
)
"""The names of the steps, in order. Where several keys sign, each step holds only for all."""


class _Finding(NamedTuple):
    """What a step found; `refusal` is None when it held."""

    detail: str
    refusal: Reason | None = None


class DirectoryVerifier:
    """Implements `gateway.ports.signing.Verifier`.

    Not checked here, since the payload is not read here: whether the signer is who the payload
    says, and whether it may state such a thing. The caller does that on the verified bytes.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def verify(self, envelope: SignedEnvelope, payload_type: str, at: datetime) -> Verification:
        """Check the envelope; `at` is the (aware) moment at which its keys must have been good.

        Never raises for bad input. Only when all eight steps were taken and held is `refusal`
        None; whatever could not be checked is refused.
        """
        steps: list[Step] = []
        keys: list[PublicKey] = []
        refusal: Reason | None = Reason.INTERNAL  # Until the last step has held.
        # strict: a step that was left out is a fault of the program, not a step that held.
        for name, finding in zip(
            STEPS, self._findings(envelope, payload_type, at, keys), strict=True
        ):
            refusal = finding.refusal
            steps.append(Step(name, refusal is None, finding.detail))
            if refusal is not None:
                break
        signer: OrgId | None = keys[0].owner if keys else None
        return Verification(tuple(steps), refusal, signer, keys[0].key_id if keys else "")

    def _findings(
        self, envelope: SignedEnvelope, payload_type: str, at: datetime, keys: list[PublicKey]
    ) -> Iterator[_Finding]:
        """Yield the finding of each step; a step is taken only when the one before it held."""
        # 1. The envelope is well formed: a payload, a type, one signature or more, no key twice.
        fault = form_fault(envelope)
        yield _Finding(fault, Reason.ENVELOPE_MALFORMED) if fault else _Finding("well formed")

        # 2. The payload type is the expected one: a receipt is never taken for an event.
        same = envelope.payload_type == payload_type
        yield _Finding(
            f"{envelope.payload_type}, expected {payload_type}",
            None if same else Reason.PAYLOAD_TYPE_UNEXPECTED,
        )

        # 3. The key is in the directory. Its id in the envelope is a hint where to look and proves
        #    nothing (DSSE v1.0.2). Keys of two owners would leave open who speaks.
        yield self._find(envelope, keys)

        # 4. The key serves signing, by an algorithm which the directory names, not the message.
        yield _for_all(
            keys,
            Reason.KEY_WRONG_PURPOSE,
            lambda key: key.purpose is KeyPurpose.SIGN and key.algorithm in SIGNATURE_SUITES,
            lambda key: f"serves {key.purpose} by {key.algorithm}",
        )

        # 5. The key is valid already.
        yield _for_all(
            keys,
            Reason.KEY_NOT_YET_VALID,
            lambda key: begun(key, at),
            lambda key: f"valid from {key.not_before.isoformat()}, judged at {at.isoformat()}",
        )

        # 6. The key has not expired.
        yield _for_all(
            keys,
            Reason.KEY_EXPIRED,
            lambda key: not expired(key, at),
            lambda key: f"valid until {key.not_after.isoformat()}, judged at {at.isoformat()}",
        )

        # 7. The key was not revoked by then. What was logged before the revocation stays good.
        yield _for_all(
            keys,
            Reason.KEY_REVOKED,
            lambda key: not revoked(key, at),
            lambda key: f"revoked at {key.revoked_at.isoformat() if key.revoked_at else 'no time'}",
        )

        # 8. The signature matches the bytes: over the encoding of type and payload, never over
        #    a payload that was read and written again.
        signed = pae(envelope.payload_type, envelope.payload)
        values = {signature.key_id: signature.value for signature in envelope.signatures}
        yield _for_all(
            keys,
            Reason.SIGNATURE_INVALID,
            lambda key: SIGNATURE_SUITES[key.algorithm].verify(
                key.public_key, signed, values[key.key_id]
            ),
            lambda key: f"checked by {key.algorithm}",
        )

    def _find(self, envelope: SignedEnvelope, keys: list[PublicKey]) -> _Finding:
        """Look every key up; fill `keys` only when all are known and of one owner."""
        found = [(sig.key_id, self._directory.key(sig.key_id)) for sig in envelope.signatures]
        unknown = [key_id for key_id, key in found if key is None]
        if unknown:
            return _Finding(f"{unknown[0]} is not listed", Reason.KEY_UNKNOWN)
        known = [key for _, key in found if key is not None]
        owners = sorted({str(key.owner) for key in known})
        if len(owners) > 1:
            return _Finding(f"signed by {' and '.join(owners)}", Reason.SIGNER_MISMATCH)
        keys.extend(known)
        return _Finding(f"of {owners[0]}, directory version {self._directory.version}")


def _for_all(
    keys: list[PublicKey],
    refusal: Reason,
    holds: Callable[[PublicKey], bool],
    found: Callable[[PublicKey], str],
) -> _Finding:
    """Hold when every key does; tell what was found on the first that does not, or on the first."""
    failing = next((key for key in keys if not holds(key)), None)
    told = failing or keys[0]
    return _Finding(f"{told.key_id}: {found(told)}", refusal if failing else None)
