"""Moves in the household register that the gateway is told of."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from adapters import public_security
from adapters.connectors.faults import UnreadableRecord
from adapters.reference import household_register as register
from adapters.reference.people import child
from gateway.adapter_api import Adapter, Change, HukouFinding, HukouStatement

PUPIL = child(5)
ON = date(2026, 9, 1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A register in which one pupil is registered in 五华."""
    made = f"sqlite:///{tmp_path / 'register.db'}"
    register.create(made)
    register.seed(made, [register.Registration(PUPIL, "530102")])
    return made


@pytest.fixture
def adapter(url: str) -> Iterator[Adapter]:
    """The adapter over that register."""
    made = public_security.create({"url": url})
    yield made
    made.close()


def changes(adapter: Adapter) -> list[Change]:
    """All changes from the beginning."""
    return list(adapter.changes("").changes)


def execute(url: str, statement: str, **values: str) -> None:
    """Change the register behind everyone's back."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def test_stock_of_the_register_is_no_change(adapter: Adapter) -> None:
    """Registrations that were there before are not reported."""
    assert changes(adapter) == []


def test_move_inside_the_province(adapter: Adapter, url: str) -> None:
    """A move states the new place and is dated by the day of the move in Asia/Shanghai."""
    serial = register.move(url, PUPIL.id_number, "530627", "530627001", on=ON)
    (change,) = changes(adapter)
    assert isinstance(change.fact, HukouStatement)
    assert (change.fact.finding, change.fact.county, change.fact.township, change.fact.since) == (
        HukouFinding.FOUND,
        "530627",
        "530627001",
        ON,
    )
    assert change.occurred_at == datetime(2026, 8, 31, 16, tzinfo=UTC)
    assert change.record_key == f"RK_BDXX/{serial}"
    assert change.origin_exchange_id == ""


def test_move_to_a_retired_code(adapter: Adapter, url: str) -> None:
    """A change too carries the county code in force."""
    register.move(url, PUPIL.id_number, "530630", on=ON)
    (change,) = changes(adapter)
    assert isinstance(change.fact, HukouStatement)
    assert change.fact.county == "530681"


def test_departures(adapter: Adapter, url: str) -> None:
    """A move out of the province and a death are reported as what they are."""
    other = child(7)
    register.seed(url, [register.Registration(other, "530627")])
    register.move(url, PUPIL.id_number, "441900", on=ON)
    register.cancel(url, other.id_number, register.DECEASED, on=ON)
    facts = [change.fact for change in changes(adapter)]
    assert all(isinstance(fact, HukouStatement) for fact in facts)
    assert [(fact.finding, fact.county) for fact in facts if isinstance(fact, HukouStatement)] == [
        (HukouFinding.OUT_OF_PROVINCE, "44"),
        (HukouFinding.DECEASED, ""),
    ]


def test_mended_name_is_no_move_but_uses_its_serial(adapter: Adapter, url: str) -> None:
    """A change that moves nobody is passed over; the cursor goes on behind it."""
    serial = register.rename(url, PUPIL.id_number, "王新名", on=ON)
    page = adapter.changes("")
    assert (list(page.changes), page.cursor) == ([], str(serial))


@pytest.mark.parametrize(("born", "reported"), [("20080902", 1), ("20080901", 0), ("19700101", 0)])
def test_grown_ups_stay_in_the_register(
    adapter: Adapter, url: str, born: str, reported: int
) -> None:
    """Moves of anyone aged 18 or more on that day never leave the adapter."""
    register.move(url, PUPIL.id_number, "530627", on=ON)
    execute(url, "UPDATE RK_BDXX SET CSRQ = :born", born=born)
    assert len(changes(adapter)) == reported


def test_later_move_does_not_rewrite_an_earlier_change(adapter: Adapter, url: str) -> None:
    """A change read again after further moves is equal to what it was."""
    register.move(url, PUPIL.id_number, "530627", on=ON)
    before = changes(adapter)
    register.move(url, PUPIL.id_number, "530102", on=date(2026, 10, 1))
    assert changes(adapter)[:1] == before


def test_unknown_kind_of_change_stops_the_feed_until_mended(adapter: Adapter, url: str) -> None:
    """What cannot be read is not passed over; health names the serial, nothing is lost."""
    for county in ("530627", "530102", "530627"):
        register.move(url, PUPIL.id_number, county, on=ON)
    execute(url, "UPDATE RK_BDXX SET BDLX = '77' WHERE BDXH = 2")
    page = adapter.changes("")
    assert len(page.changes) == 1
    with pytest.raises(UnreadableRecord):
        adapter.changes(page.cursor)
    health = adapter.health()
    assert not health.ok
    assert "Change 2 " in health.detail
    execute(url, "UPDATE RK_BDXX SET BDLX = '11' WHERE BDXH = 2")
    assert len(adapter.changes(page.cursor).changes) == 2
    assert adapter.health().ok
