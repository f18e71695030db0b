"""Real identifiers and salts, from the operating system's randomness."""

import os

import uuid_utils

from gateway.domain.commitments import MIN_SALT_BYTES


class SystemIds:
    """Implements `gateway.ports.ids.Ids`."""

    def new(self) -> str:
        """Return a new UUIDv7 (RFC 9562 section 5.7); later ones of this process sort later."""
        return str(uuid_utils.uuid7())

    def token(self) -> str:
        """Return a new random UUIDv4 (RFC 9562 section 5.4): it says nothing, not even when."""
        return str(uuid_utils.uuid4())

    def salt(self) -> bytes:
        """Return 16 random bytes for a commitment."""
        return os.urandom(MIN_SALT_BYTES)
