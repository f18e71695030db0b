"""When a key of the directory is good: the one place that compares moments.

All moments are aware. What was signed before a revocation stays good (B22), so a key is judged at
the moment of the signature's log entry, not today.
"""

from datetime import datetime

from gateway.domain.keys import PublicKey


def begun(key: PublicKey, at: datetime) -> bool:
    """Say whether the key was valid already; its first moment counts."""
    return key.not_before <= at


def expired(key: PublicKey, at: datetime) -> bool:
    """Say whether the key was past its end; the end itself is past."""
    return key.not_after <= at


def revoked(key: PublicKey, at: datetime) -> bool:
    """Say whether the key was revoked by then; the moment of revocation counts."""
    return key.revoked_at is not None and key.revoked_at <= at


def good(key: PublicKey, at: datetime) -> bool:
    """Say whether the key could be used at that moment."""
    return begun(key, at) and not expired(key, at) and not revoked(key, at)
