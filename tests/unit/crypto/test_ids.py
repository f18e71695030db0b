"""Identifiers, salts and the clock of the machine."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.crypto.clock import SystemClock
from gateway.crypto.ids import SystemIds
from gateway.ports.clock import Clock
from gateway.ports.ids import Ids


def test_new_ids_are_version_7_and_rise() -> None:
    """Identifiers are canonical UUIDv7 text and sort in the order they were made."""
    ids: Ids = SystemIds()
    made = [ids.new() for _ in range(2000)]
    assert {UUID(text).version for text in made} == {7}
    assert made == sorted(set(made))
    assert all(str(UUID(text)) == text for text in made)


def test_tokens_are_version_4() -> None:
    """A token carries no time."""
    ids: Ids = SystemIds()
    made = {ids.token() for _ in range(200)}
    assert len(made) == 200
    assert {UUID(text).version for text in made} == {4}


def test_salts_are_16_bytes_and_new() -> None:
    """No salt comes twice."""
    ids: Ids = SystemIds()
    made = {ids.salt() for _ in range(200)}
    assert {len(salt) for salt in made} == {16}
    assert len(made) == 200


def test_clock_is_utc() -> None:
    """The moment is aware and lies between two readings of the machine's clock."""
    clock: Clock = SystemClock()
    before = datetime.now(UTC)
    now = clock.now()
    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(UTC)
