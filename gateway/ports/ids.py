"""New identifiers and random salts, asked for in one place so that a run can be repeated."""

from typing import Protocol


class Ids(Protocol):
    """Makes identifiers."""

    def new(self) -> str:
        """Return a new UUIDv7 (RFC 9562) in its canonical text form; rising with time."""
        ...

    def token(self) -> str:
        """Return a new random UUIDv4: a token that tells nothing, not even when it was made."""
        ...

    def salt(self) -> bytes:
        """Return 16 random bytes for the commitment to a private part."""
        ...
