"""The stream of facts as data."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StorageType, StreamSource

from gateway.bus.fact_stream import cloud_event_headers, fact_stream, unsafe_fact_fields
from gateway.domain.organisations import OrgId
from gateway.ports.fact_carrier import CarrierMark, OutFact

NOTED = datetime(2026, 11, 23, 8, 0, 1, 500, tzinfo=UTC)


def test_what_a_node_makes_is_safe() -> None:
    """The stream keeps by limits, with explicit sizes, on disk, and drops the oldest."""
    made = fact_stream(replicas=3)
    assert unsafe_fact_fields(made) == ()
    assert made.max_age == 30 * 24 * 3600
    assert made.max_bytes
    assert made.max_msgs
    assert made.num_replicas == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retention", RetentionPolicy.WORK_QUEUE),
        ("storage", StorageType.MEMORY),
        ("discard", DiscardPolicy.NEW),
        ("subjects", ["dx.v1.>"]),
        ("deny_purge", False),
        ("republish", RePublish(src=">", dest="elsewhere.>")),
        ("allow_direct", True),
        ("sources", [StreamSource(name="OTHER")]),
        ("no_ack", True),
    ],
)
def test_a_stream_that_shows_or_loses_facts_is_named(field: str, value: Any) -> None:
    """Whatever would copy facts elsewhere, or let them be read past the consumers, is refused."""
    assert unsafe_fact_fields(replace(fact_stream(1), **{field: value})) == (field,)


def test_an_operator_may_choose_how_much_is_kept() -> None:
    """Size and age are no matter of safety: everything is in the stores of the sources."""
    assert unsafe_fact_fields(replace(fact_stream(1), max_age=60, max_bytes=1, max_msgs=1)) == ()


def test_headers_are_those_of_cloudevents_and_harmless() -> None:
    """Attributes say who and when, and the same type for every kind."""
    fact = OutFact("018f", 7, NOTED, b"")
    assert cloud_event_headers(OrgId.parse("530627/edu"), fact) == {
        "Nats-Expected-Stream": "FACT",
        "ce-specversion": "1.0",
        "ce-id": "018f",
        "ce-source": "spiffe://dropout-gateway/org/530627/edu",
        "ce-type": "dropout-gateway.fact.v1",
        "ce-time": "2026-11-23T08:00:01+00:00",
        "ce-sequence": "7",
        "ce-datacontenttype": "application/vnd.dropout-gateway.fact-notice.v1+protobuf",
    }


@pytest.mark.parametrize(
    ("later", "lost"),
    [
        (CarrierMark("monday", 10), False),
        (CarrierMark("monday", 12), False),
        (CarrierMark("monday", 9), True),
        (CarrierMark("tuesday", 99), True),
    ],
)
def test_a_carrier_that_forgot_is_told_from_one_that_went_on(
    later: CarrierMark, lost: bool
) -> None:
    """Another life, or a lower number, means that something is gone."""
    assert later.lost_since(CarrierMark("monday", 10)) is lost
