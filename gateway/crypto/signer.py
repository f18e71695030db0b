"""Signs under the keys of the organisations at home, as the directory lists them."""

from gateway.crypto.envelope import pae
from gateway.crypto.keyring import HeldKey, Keyring
from gateway.crypto.validity import good
from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope


class DirectorySigner:
    """Implements `gateway.ports.signing.Signer`.

    A key is used only while the directory calls it good: a signature that every receiver would
    refuse is not made in the first place.
    """

    def __init__(self, keyring: Keyring, directory: Directory, clock: Clock) -> None:
        self._keyring = keyring
        self._directory = directory
        self._clock = clock

    def sign(self, org: OrgId, payload_type: str, payload: bytes) -> SignedEnvelope:
        """Wrap and sign the bytes (DSSE) under the organisation's newest good key held here.

        Raises:
            Refusal: KEY_UNKNOWN, this node holds no key under which it could sign now.
            ValueError: the payload type is not visible ASCII.
        """
        held = self._key(org)
        if held is None or held.sign is None:
            raise Refusal(
                Reason.KEY_UNKNOWN,
                f"This node holds no signing key of {org} that the directory calls good now.",
                "Ask the operator to compare the node's keys with the directory.",
                organisation=str(org),
            )
        value = held.sign(pae(payload_type, payload))
        return SignedEnvelope(
            payload=payload,
            payload_type=payload_type,
            signatures=[Signature(key_id=held.key_id, value=value)],
        )

    def _key(self, org: OrgId) -> HeldKey | None:
        """Return the newest key that is good now and held here; the directory is newest first.

        In a rotation the directory may list a key before this node has its private half.
        """
        now = self._clock.now()
        listed = (
            self._keyring.key(org, key.key_id)
            for key in self._directory.keys_of(org)
            if key.purpose is KeyPurpose.SIGN and good(key, now)
        )
        return next((held for held in listed if held is not None), None)
