"""Entries that the adapter makes on the assistance platform."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters import assistance_platform
from adapters.assistance_platform.adapter import AssistancePlatformAdapter
from adapters.assistance_platform.platform import Platform
from adapters.assistance_platform.platform_mapping import PlatformMapping
from adapters.connectors.faults import UnreadableRecord
from adapters.connectors.settings import SqlSettings
from adapters.connectors.sql import SqlConnector
from adapters.reference import platform as reference
from gateway.adapter_api import Done, Exchange, Matter, Person, PlatformEntry, Refused

MASKED = Person(
    name="李**",
    id_number="53************9016",
    enrolment_number="G53************9016",
    masked=True,
)
FIELDS: dict[str, dict[str, str]] = {
    "absence_entry": {"school": "530102/sch/3153000123", "school_days": "3", "reason": "WORK"},
    "body_entry": {"body": "530627/edu", "row": "J3"},
    "order_entry": {
        "order_no": "镇教劝〔2026〕12号",
        "issuer": "530627/edu",
        "township": "530627001/twn",
    },
    "step_entry": {
        "order_id": "0197f0a3-5b7e-7c11-8a1d-3f6b2a9d4e10",
        "step": "EDUCATION",
        "outcome": "EFFECTIVE",
        "date": "2026-11-25",
    },
    "return_entry": {"school": "530627/sch/3153000456", "date": "2026-11-30"},
}
MATTERS = dict(zip(FIELDS, Matter, strict=True))
NOW = datetime(2026, 11, 23, 3, 4, 5, 678_901, tzinfo=UTC)
Make = Callable[[datetime], AssistancePlatformAdapter]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty platform."""
    made = f"sqlite:///{tmp_path / 'platform.db'}"
    reference.create(made)
    return made


@pytest.fixture
def make(url: str) -> Iterator[Make]:
    """Makes adapters over that platform whose clock stands still."""
    made: list[AssistancePlatformAdapter] = []

    def at(now: datetime) -> AssistancePlatformAdapter:
        platform = Platform(SqlConnector(url, read_only=False), PlatformMapping())
        made.append(AssistancePlatformAdapter(platform, SqlSettings(url=url), lambda: now))
        return made[-1]

    yield at
    for adapter in made:
        adapter.close()


def asked(kind: str = "absence_entry", number: int = 1) -> Exchange:
    """An exchange of a kind; another number is another exchange about another object."""
    return Exchange(
        exchange_id=f"0197f0a3-5b7e-7c11-8a1d-{number:012d}",
        kind=kind,
        asked_by="530102/edu",
        asked_at=NOW,
        object_id=f"object-{number}",
        subject_token="token-1",
        person=MASKED,
        fields=FIELDS[kind],
    )


def entered(adapter: AssistancePlatformAdapter, exchange: Exchange) -> PlatformEntry:
    """The entry that an exchange made; fails on any other answer."""
    answer = adapter.handle(exchange)
    assert isinstance(answer, Done), answer
    assert isinstance(answer.fact, PlatformEntry)
    return answer.fact


@pytest.mark.parametrize("kind", FIELDS)
def test_each_kind_becomes_an_entry(make: Make, kind: str) -> None:
    """Every declared kind makes one entry about its matter, with number, object and time."""
    adapter = make(NOW)
    assert kind in adapter.describe().kinds
    fact = entered(adapter, asked(kind))
    assert fact == PlatformEntry(
        MATTERS[kind], "ZZ-2026-530102-000001", "object-1", NOW.replace(microsecond=0)
    )


def test_what_the_clerk_sees(make: Make, url: str) -> None:
    """The screen shows the child masked and the matter's own columns in the platform's codes."""
    entered(make(NOW), asked("step_entry"))
    (line,) = reference.entries(url)
    assert (line.matter, line.name, line.county, line.by_hand) == (
        "四步法步骤",
        "李**",
        "530102",
        False,
    )
    assert line.details["四步法步骤"] == "1"
    assert line.details["步骤结果"] == "3"
    assert line.details["发生日期"] == "2026-11-25"
    assert line.entered_at == datetime(2026, 11, 23, 11, 4, 5)  # noqa: DTZ001  their local time


@pytest.mark.parametrize("reason", ["WORK", "EARLY_MARRIAGE", "RELIGIOUS", "ILLNESS_DISABILITY"])
def test_private_reason_reaches_no_platform(make: Make, url: str, reason: str) -> None:
    """The platform learns that there is a private reason, the same code for each of them."""
    fields = {**FIELDS["absence_entry"], "reason": reason}
    entered(make(NOW), replace(asked(), fields=fields))
    assert reference.entries(url)[0].details["缺课原因"] == "90"


def test_numbers_run_by_county_and_year(make: Make) -> None:
    """Entry numbers count up within a county and a year of the platform's own calendar."""
    new_year = datetime(2026, 12, 31, 16, tzinfo=UTC)  # midnight in Kunming
    elsewhere = replace(asked(number=3), asked_by="530627001/twn")
    numbers = [
        entered(make(NOW), asked(number=1)).entry_no,
        entered(make(NOW), asked(number=2)).entry_no,
        entered(make(NOW), elsewhere).entry_no,
        entered(make(new_year), asked(number=4)).entry_no,
    ]
    assert numbers == [
        "ZZ-2026-530102-000001",
        "ZZ-2026-530102-000002",
        "ZZ-2026-530627-000001",
        "ZZ-2027-530102-000001",
    ]


def test_exchange_brought_again_much_later_is_the_first_entry(make: Make, url: str) -> None:
    """After a crash the same exchange is answered from the entry it made, time included."""
    first = entered(make(NOW), asked())
    later = entered(make(datetime(2027, 2, 1, tzinfo=UTC)), asked())
    assert later == first
    assert len(reference.entries(url)) == 1


def test_same_exchange_for_another_object_is_refused(make: Make, url: str) -> None:
    """An exchange id cannot be used for a second matter."""
    adapter = make(NOW)
    entered(adapter, asked())
    other_kind = replace(asked("body_entry"), object_id="object-1")
    for reused in (replace(asked(), object_id="object-2"), other_kind):
        assert isinstance(adapter.handle(reused), Refused)
    assert len(reference.entries(url)) == 1


def test_clerk_and_adapter_draw_from_one_series(make: Make, url: str) -> None:
    """An entry typed in between takes its number; none is given twice."""
    adapter = make(NOW.replace(year=datetime.now(UTC).year))
    first = entered(adapter, asked(number=1)).entry_no
    by_hand = reference.enter_by_hand(url, "01", "530102")
    last = entered(adapter, asked(number=2)).entry_no
    assert len({first, by_hand, last}) == 3


def test_own_entries_come_back_as_echoes(make: Make, url: str) -> None:
    """An entry of the gateway names its exchange among the changes, a typed one names none."""
    adapter = make(NOW)
    fact = entered(adapter, asked())
    by_hand = reference.enter_by_hand(url, "05", "530627", object_id="case-9")
    echo, typed = adapter.changes("").changes
    assert (echo.record_key, echo.fact, echo.origin_exchange_id) == (
        fact.entry_no,
        fact,
        asked().exchange_id,
    )
    assert (typed.record_key, typed.origin_exchange_id) == (by_hand, "")
    assert isinstance(typed.fact, PlatformEntry)
    assert (typed.fact.matter, typed.fact.object_id) == (Matter.RETURN, "case-9")


def test_unknown_matter_stops_the_feed(make: Make, url: str) -> None:
    """A matter that the mapping does not know is not passed over; health names the entry."""
    adapter = make(NOW)
    reference.enter_by_hand(url, "66", "530102")
    with pytest.raises(UnreadableRecord):
        adapter.changes("")
    assert "Entry 1 " in adapter.health().detail


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("school_days", "0"),
        ("school_days", "three"),
        ("school_days", "-3"),
        ("reason", "她要结婚"),
        ("school", "x" * 65),
    ],
)
def test_field_of_wrong_form_is_refused(make: Make, url: str, field: str, value: str) -> None:
    """A value that the platform has no form for is refused, named by its field only."""
    answer = make(NOW).handle(replace(asked(), fields={**FIELDS["absence_entry"], field: value}))
    assert isinstance(answer, Refused)
    assert field in answer.reason
    assert value not in answer.reason
    assert reference.entries(url) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"school": "530102/sch/3153000123", "school_days": "3"},
        {**FIELDS["absence_entry"], "whereabouts": "AT_HOME"},
    ],
)
def test_fields_are_exactly_those_of_the_kind(make: Make, fields: dict[str, str]) -> None:
    """What is missing, and what has no column, is refused."""
    assert isinstance(make(NOW).handle(replace(asked(), fields=fields)), Refused)


def test_wrong_date_and_wrong_asker_are_refused(make: Make) -> None:
    """A date that is none, and an organisation without a division, make no entry."""
    late = replace(asked("return_entry"), fields={**FIELDS["return_entry"], "date": "2026-02-30"})
    assert isinstance(make(NOW).handle(late), Refused)
    assert isinstance(make(NOW).handle(replace(asked(), asked_by="edu")), Refused)


def test_entry_without_a_person(make: Make, url: str) -> None:
    """A matter may be entered with the token alone."""
    entered(make(NOW), replace(asked(), person=None))
    assert reference.entries(url)[0].name == ""


def test_mapping_leaves_unsaid_what_is_as_in_the_reference(tmp_path: Path, url: str) -> None:
    """A mapping file changes what it names, and nothing beside it in the same table."""
    file = tmp_path / "mapping.toml"
    file.write_text('number_format = "X{last}"\n[local_time]\nzone = "UTC"\n', "utf-8")
    adapter = assistance_platform.create({"url": url, "mapping": str(file)})
    answer = adapter.handle(asked("return_entry"))
    adapter.close()
    assert isinstance(answer, Done)
    assert isinstance(answer.fact, PlatformEntry)
    assert answer.fact.entry_no == "X1"
    assert reference.entries(url)[0].details["发生日期"] == "2026-11-30"
