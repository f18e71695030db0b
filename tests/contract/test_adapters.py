"""What `gateway.adapter_api` promises, tried on every adapter over its reference system."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters import assistance_platform, public_security
from adapters.reference import household_register, people, platform
from gateway.adapter_api import (
    API_VERSION,
    Adapter,
    Done,
    Exchange,
    HukouStatement,
    Person,
    PlatformEntry,
    Refused,
    TryLater,
)

CHILD = people.child(1)


@dataclass(frozen=True)
class Stand:
    """An adapter, the file of its agency's system, an exchange, and a way to change a record."""

    adapter: Adapter
    file: Path
    exchange: Exchange
    change_a_record: Callable[[], object]


def on_public_security(file: Path) -> Stand:
    """A register with one child, who moves back and forth."""
    url = f"sqlite:///{file}"
    household_register.create(url)
    household_register.seed(url, [household_register.Registration(CHILD, "530102", "530102001")])
    exchange = Exchange(
        exchange_id="01890a5d-ac96-774b-bcce-b302099a8057",
        kind="hukou",
        asked_by="530102/edu",
        asked_at=datetime(2026, 11, 23, 2, tzinfo=UTC),
        object_id="case-1",
        subject_token="token-1",
        person=Person(name=CHILD.name, id_number=CHILD.id_number),
    )

    def move() -> int:
        return household_register.move(url, CHILD.id_number, "530627", on=date(2026, 11, 2))

    return Stand(public_security.create({"url": url}), file, exchange, move)


def on_assistance_platform(file: Path) -> Stand:
    """A platform without entries, whose clerk types some."""
    url = f"sqlite:///{file}"
    platform.create(url)
    exchange = Exchange(
        exchange_id="01890a5d-ac96-774b-bcce-b302099a8058",
        kind="absence_entry",
        asked_by="530102/sch/3153000123",
        asked_at=datetime(2026, 11, 23, 2, tzinfo=UTC),
        object_id="absence-1",
        subject_token="token-1",
        person=Person(name="李**", id_number="53************9016", masked=True),
        fields={"school": "530102/sch/3153000123", "school_days": "3", "reason": "UNKNOWN"},
    )
    adapter = assistance_platform.create({"url": url})
    return Stand(adapter, file, exchange, lambda: platform.enter_by_hand(url, "01", "530102"))


MAKERS = {"public_security": on_public_security, "assistance_platform": on_assistance_platform}


@pytest.fixture(params=sorted(MAKERS))
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Each adapter in turn, on a system of its own."""
    made = MAKERS[request.param](tmp_path / "agency.db")
    yield made
    made.adapter.close()


def test_description_is_constant_and_of_this_api(stand: Stand) -> None:
    """An adapter says the same of itself at any time, and was written for this API's version."""
    described = stand.adapter.describe()
    stand.adapter.handle(stand.exchange)
    assert stand.adapter.describe() == described
    assert described.api_version == API_VERSION
    assert stand.exchange.kind in described.kinds
    assert described.reports_changes


def test_exchange_brought_again_gives_the_same_fact(stand: Stand) -> None:
    """The same exchange twice: one effect, one fact (a look-up's moment of reading apart)."""
    first, second = stand.adapter.handle(stand.exchange), stand.adapter.handle(stand.exchange)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    match first.fact, second.fact:
        case HukouStatement() as one, HukouStatement() as other:
            assert replace(one, snapshot_at=other.snapshot_at) == other
        case PlatformEntry() as one, PlatformEntry() as other:
            assert one == other
            assert len(stand.adapter.changes("").changes) == 1
        case _:
            pytest.fail("facts of two kinds")


def test_times_are_aware(stand: Stand) -> None:
    """No moment leaves an adapter without its zone."""
    stand.change_a_record()
    answer = stand.adapter.handle(stand.exchange)
    assert isinstance(answer, Done)
    changes = stand.adapter.changes("").changes
    for fact in (answer.fact, *(change.fact for change in changes)):
        moment = fact.snapshot_at if isinstance(fact, HukouStatement) else fact.entered_at
        assert moment.tzinfo is not None
    assert all(change.occurred_at.tzinfo is not None for change in changes)


def test_unknown_kind_is_refused(stand: Stand) -> None:
    """A kind that the adapter did not declare is refused for good."""
    assert isinstance(stand.adapter.handle(replace(stand.exchange, kind="weather")), Refused)


def test_cursor_goes_forward_and_a_second_reading_finds_nothing(stand: Stand) -> None:
    """Each change comes once to a reader who keeps the cursor, and is equal when read again."""
    stand.change_a_record()
    first = stand.adapter.changes("")
    again = stand.adapter.changes("")
    nothing = stand.adapter.changes(first.cursor)
    stand.change_a_record()
    second = stand.adapter.changes(nothing.cursor)
    assert [change.record_key for change in first.changes] == [
        change.record_key for change in again.changes
    ]
    assert list(first.changes) == list(again.changes)
    assert (list(nothing.changes), nothing.cursor) == ([], first.cursor)
    assert len(second.changes) == 1
    assert int(second.cursor) > int(first.cursor)
    assert second.changes[0].record_key != first.changes[0].record_key


def test_changes_come_oldest_first_over_several_readings(stand: Stand) -> None:
    """What was recorded first is told first, and one long reading equals several short ones."""
    for _ in range(3):
        stand.change_a_record()
    whole = [change.record_key for change in stand.adapter.changes("").changes]
    tails = [
        [change.record_key for change in stand.adapter.changes(str(cursor)).changes]
        for cursor in range(1, 4)
    ]
    assert len(whole) == 3
    assert tails == [whole[1:], whole[2:], []]


def test_foreign_cursor_is_an_error(stand: Stand) -> None:
    """A cursor that the adapter never gave is not taken for the beginning."""
    with pytest.raises(ValueError, match="cursor"):
        stand.adapter.changes("yesterday")


def test_system_away_means_later_and_nothing_is_lost(stand: Stand) -> None:
    """While the agency's system is away the answer is TryLater; back again, it is Done."""
    away = stand.file.with_suffix(".away")
    stand.file.rename(away)
    assert isinstance(stand.adapter.handle(stand.exchange), TryLater)
    assert not stand.adapter.health().ok
    assert not stand.file.exists(), "an empty system was made in place of the missing one"
    away.rename(stand.file)
    assert stand.adapter.health().ok
    assert isinstance(stand.adapter.handle(stand.exchange), Done)


def test_no_answer_repeats_identity(stand: Stand) -> None:
    """Neither a refusal nor a postponement holds the name or number that was asked for."""
    masked_wrongly = replace(
        stand.exchange, person=Person(name=CHILD.name, id_number=CHILD.id_number, masked=True)
    )
    stand.file.rename(stand.file.with_suffix(".away"))
    for exchange in (masked_wrongly, stand.exchange):
        answer = stand.adapter.handle(exchange)
        assert isinstance(answer, Refused | TryLater)
        assert CHILD.id_number not in answer.reason
        assert CHILD.name not in answer.reason


def test_unknown_setting_is_an_error_that_repeats_no_secret(
    stand: Stand, request: pytest.FixtureRequest
) -> None:
    """A mistyped setting stops the start; the URL with its password is not in the text."""
    create = {
        "public_security": public_security.create,
        "assistance_platform": assistance_platform.create,
    }[stand.adapter.describe().name]
    with pytest.raises(ValueError, match="pagesize") as caught:
        create({"url": "postgresql+psycopg://reader:secret@db/rk", "pagesize": "5"})
    assert "secret" not in str(caught.value)
