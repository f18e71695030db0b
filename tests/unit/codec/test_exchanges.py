"""What agencies state: the adapter's words and the contract's are the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapter_api import HukouFinding, HukouStatement, Matter, PlatformEntry
from gateway.codec import exchanges, subjects
from gateway.codec.subjects import decode_hukou
from gateway.domain.errors import Reason, Refusal
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.organisations import OrgId
from gateway.v1 import agency_pb2, subject_pb2

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
OBJECT = "01a208ab-a2e7-72cf-b228-147d1bd856f3"
POLICE, BUREAU = OrgId.parse("53/psb"), OrgId.parse("530102/edu")
BEYOND = 9999

moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    st.builds(
        HukouStatement,
        finding=st.sampled_from(HukouFinding),
        snapshot_at=moments,
        county=st.sampled_from(["530102", "530627"]),
        township=st.sampled_from(["", "530102001"]),
        since=st.none() | st.dates(),
    )
)
def test_a_statement_goes_there_and_back(statement: HukouStatement) -> None:
    """By gRPC it comes back as it was; as a signed fact it is the domain's assertion."""
    wire = exchanges.encode_statement(statement, "token", "query")
    assert exchanges.decode_statement(wire) == statement
    assertion = decode_hukou(wire, POLICE)
    assert assertion.finding.name == statement.finding.name
    assert (assertion.county, assertion.query_id) == (statement.county, "query")


@given(
    st.builds(
        PlatformEntry,
        matter=st.sampled_from(Matter),
        entry_no=st.text("KS0123456789-", min_size=1, max_size=20),
        object_id=st.uuids().map(str),
        entered_at=moments,
    )
)
def test_an_entry_goes_there_and_back(entry: PlatformEntry) -> None:
    """The platform's entry with its number."""
    assert exchanges.decode_entry(exchanges.encode_entry(entry)) == entry


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"matter": 0}, Reason.MISSING_FIELD, "platform_entry.matter"),
        ({"matter": BEYOND}, Reason.INVALID_FIELD, "platform_entry.matter"),
        ({"entry_no": ""}, Reason.MISSING_FIELD, "platform_entry.entry_no"),
        ({"entry_no": "1\n2"}, Reason.INVALID_FIELD, "platform_entry.entry_no"),
        ({"object_id": "1"}, Reason.INVALID_FIELD, "platform_entry.object_id"),
    ],
)
def test_an_entry_out_of_form_names_its_field(
    change: dict[str, object], reason: Reason, field: str
) -> None:
    """Also a matter that this release does not know."""
    wire = exchanges.encode_entry(PlatformEntry(Matter.ABSENCE, "1", OBJECT, NOW))
    for name, value in change.items():
        setattr(wire, name, value)
    with pytest.raises(Refusal) as caught:
        exchanges.decode_entry(wire)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_an_entry_says_when() -> None:
    """An entry without its time is refused."""
    wire = exchanges.encode_entry(PlatformEntry(Matter.ABSENCE, "1", OBJECT, NOW))
    wire.ClearField("entered_at")
    with pytest.raises(Refusal) as caught:
        exchanges.decode_entry(wire)
    assert caught.value.field == "platform_entry.entered_at"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"finding": 0}, Reason.MISSING_FIELD, "hukou.finding"),
        ({"finding": BEYOND}, Reason.INVALID_FIELD, "hukou.finding"),
        ({"county": ""}, Reason.MISSING_FIELD, "hukou.county"),
        ({"county": "五华区"}, Reason.INVALID_FIELD, "hukou.county"),
        ({"county": "5301020"}, Reason.INVALID_FIELD, "hukou.county"),
        ({"township": "镇"}, Reason.INVALID_FIELD, "hukou.township"),
        ({"since": "2026"}, Reason.INVALID_FIELD, "hukou.since"),
    ],
)
def test_a_statement_out_of_form_names_its_field(
    change: dict[str, object], reason: Reason, field: str
) -> None:
    """Pushed by an agency or arrived as a fact, it is held to the same form."""
    wire = subject_pb2.HukouAsserted(finding=subject_pb2.HUKOU_FINDING_FOUND, county="530102")
    wire.snapshot_at.FromDatetime(NOW)
    for name, value in change.items():
        setattr(wire, name, value)
    for read in (exchanges.decode_statement, lambda w: subjects.decode_hukou(w, POLICE)):
        with pytest.raises(Refusal) as caught:
            read(wire)
        assert (caught.value.reason, caught.value.field) == (reason, field)


def test_an_exchange_is_shown_without_its_child() -> None:
    """The agency's list says what is asked, by whom, and how it stands."""
    asked = AgencyExchange(
        "id", "hukou", ExchangeState.WAITING, BUREAU, NOW, NOW, NOW, "query", "token", attempts=2
    )
    shown = exchanges.encode_exchange(asked)
    assert (shown.exchange_id, shown.kind, shown.asked_by) == ("id", "hukou", "530102/edu")
    assert (shown.state, shown.attempts) == (agency_pb2.EXCHANGE_STATE_WAITING, 2)
