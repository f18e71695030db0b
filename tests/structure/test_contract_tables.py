"""The tables of the gateway are complete against the contract: no RPC, reason or fact is left out."""

import importlib
import pkgutil

import pytest
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
)

import gateway.v1
from gateway.codec.enums import TABLE
from gateway.domain.duties import TEXTS, Duty
from gateway.domain.errors import Reason
from gateway.domain.facts import RULES, FactKind, Party
from gateway.domain.organisations import Post, Role
from gateway.domain.visibility import VISIBILITY, PartKind
from gateway.service.effects.agencies import ASKED
from gateway.service.effects.table import EFFECTS
from gateway.service.parties import FILLED_BY
from gateway.service.summaries import summary
from gateway.transport.methods import COMMANDS, PAGE_STREAMS, QUERIES, RECORD_STREAMS
from gateway.transport.policy import POLICY
from gateway.transport.server import SERVICES
from gateway.transport.status_table import STATUS
from gateway.v1 import error_pb2, event_pb2, placement_pb2

FILES: tuple[FileDescriptor, ...] = tuple(
    importlib.import_module(f"gateway.v1.{module.name}").DESCRIPTOR
    for module in pkgutil.iter_modules(gateway.v1.__path__)
    if module.name.endswith("_pb2")
)
METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}": method
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
COMMANDS_AND_RECORDS = {*COMMANDS, *RECORD_STREAMS}
WITHOUT_DOMAIN_TWIN = {
    "ReceiptOutcome": "a word of delivery, which the domain does not know",
    "Sensitivity": "derived from the private parts when an event is stated",
    "PlatformMatter": "the twin of a type of gateway.adapter_api, tied together in codec.exchanges",
}


def _names(enum: EnumDescriptor, prefix: str) -> set[str]:
    """The names of an enum's values without the prefix, and without the unspecified one."""
    return {value.name.removeprefix(prefix) for value in enum.values if value.number}


def _record(method: MethodDescriptor) -> Descriptor:
    """What a mutating method takes: its request, or the record inside the stream's message."""
    name = f"{method.containing_service.name}/{method.name}"
    field = RECORD_STREAMS[name].one if name in RECORD_STREAMS else ""
    if not field:
        return method.input_type
    record = method.input_type.fields_by_name[field].message_type
    assert record is not None
    return record


def test_contract_has_services() -> None:
    """The files of the contract are found, so that no other test here is empty."""
    assert len(FILES) >= 15
    assert len(METHODS) >= 40


def test_every_service_is_served() -> None:
    """The server serves the services of the contract, all of them."""
    served = {service.full_name for service in SERVICES}
    assert served == {
        service.full_name for file in FILES for service in file.services_by_name.values()
    }


def test_policy_names_every_method() -> None:
    """Every RPC has its row in the policy table, and no row is for anything else."""
    assert set(POLICY) == set(METHODS)


def test_no_policy_is_empty() -> None:
    """Every row lets somebody in, and names only posts that its acts can be done by."""
    for name, rule in POLICY.items():
        assert rule.roles <= set(Role), name
        assert rule.roles, name
        assert rule.posts <= set(Post) - {Post.SYSTEM}, name


def test_whoever_changes_something_names_a_post() -> None:
    """A row has posts exactly when the RPC changes something."""
    for name, rule in POLICY.items():
        assert bool(rule.posts) == (name in COMMANDS_AND_RECORDS), name


def test_every_method_has_one_use_case() -> None:
    """Each RPC is a command, a query, a stream of records or of pages: exactly one."""
    tables = [set(COMMANDS), set(QUERIES), set(RECORD_STREAMS), set(PAGE_STREAMS)]
    assert sum(map(len, tables)) == len(set().union(*tables))
    assert set().union(*tables) == set(METHODS)


def test_streams_are_those_of_the_contract() -> None:
    """What the tables call a stream is one on the wire."""
    for name, method in METHODS.items():
        assert method.client_streaming == (name in RECORD_STREAMS), name
        assert method.server_streaming == (name in RECORD_STREAMS or name in PAGE_STREAMS), name


@pytest.mark.parametrize("name", sorted(COMMANDS_AND_RECORDS))
def test_mutating_request_names_its_id_and_post(name: str) -> None:
    """Every mutating request has request_id and actor_post."""
    for field in ("request_id", "actor_post"):
        found = _record(METHODS[name]).fields_by_name.get(field)
        assert found is not None, field
        assert found.type == FieldDescriptor.TYPE_STRING


@pytest.mark.parametrize(
    "name", sorted(n for n in METHODS if n.split("/")[1].startswith(("List", "GetTimeline")))
)
def test_list_has_pages(name: str) -> None:
    """Every List has page_size, page_token and next_page_token."""
    request, response = METHODS[name].input_type, METHODS[name].output_type
    assert {"page_size", "page_token"} <= set(request.fields_by_name)
    assert "next_page_token" in response.fields_by_name


def test_every_method_has_messages_of_its_own() -> None:
    """One pair of Request and Response for each RPC, named after it."""
    for method in METHODS.values():
        assert method.input_type.name == f"{method.name}Request"
        assert method.output_type.name == f"{method.name}Response"


def test_reasons_are_those_of_the_contract() -> None:
    """Reason and ErrorReason have the same names, and each has its gRPC status."""
    wire = error_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"]
    assert {reason.value for reason in Reason} == _names(wire, "ERROR_REASON_")
    assert set(STATUS) == set(Reason)


def test_kinds_of_facts_are_bodies_and_types_of_events() -> None:
    """Each kind of fact is a body of Event and an EventType of the same name and number."""
    bodies = {
        field.name: field.number
        for field in event_pb2.Event.DESCRIPTOR.oneofs_by_name["body"].fields
    }
    types = {
        value.name.removeprefix("EVENT_TYPE_").lower(): value.number
        for value in event_pb2.EventType.DESCRIPTOR.values
        if value.number
    }
    assert bodies == types
    assert set(bodies) == {kind.value for kind in FactKind}


def test_tables_of_facts_are_complete() -> None:
    """Every kind of fact has its rule, its effect, its articles and its Chinese name."""
    assert set(RULES) == set(FactKind)
    assert set(EFFECTS) == set(FactKind)
    assert {kind for _, kind in ASKED} <= set(FactKind)
    for kind, rule in RULES.items():
        assert rule.sources, kind
        assert rule.articles, kind
        assert rule.zh, kind


@pytest.mark.parametrize("kind", FactKind)
def test_every_fact_has_its_sentence(kind: FactKind) -> None:
    """Even an empty fact of each kind has a summary in both languages."""
    event = event_pb2.Event()
    getattr(event, kind.value).SetInParent()
    english, chinese = summary(event)
    assert english
    assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese)


def test_value_of_a_newer_contract_has_its_number() -> None:
    """A value that this release has no name for does not spoil the case file."""
    body = placement_pb2.PlacementDecided(school="530627/sch/3153000456")
    body.MergeFromString(b"\x18\x7f")  # kind = 127
    english, chinese = summary(event_pb2.Event(placement_decided=body))
    assert english.endswith(": 127")
    assert chinese.endswith("：127")


def test_every_place_and_part_has_its_rule() -> None:
    """Every place in a matter is filled by somebody, every private part is seen by somebody."""
    assert set(FILLED_BY) == set(Party)
    assert set(VISIBILITY) == set(PartKind)
    assert all(VISIBILITY.values())


def test_every_duty_has_its_text() -> None:
    """Every duty says in Chinese what is due, on what it rests and which command does it."""
    assert set(TEXTS) == set(Duty)
    for text in TEXTS.values():
        assert text.zh
        assert text.basis
        assert text.command.startswith("gateway ")


def test_enums_have_the_same_names_on_both_sides() -> None:
    """Every enum of the contract has a domain twin with the same names, or its reason for none."""
    wire = {enum.name: enum for file in FILES for enum in file.enum_types_by_name.values()}
    twins = {enum.DESCRIPTOR.name: (kind, prefix) for kind, (enum, prefix) in TABLE.items()}
    assert set(wire) == set(twins) | set(WITHOUT_DOMAIN_TWIN)
    assert not set(twins) & set(WITHOUT_DOMAIN_TWIN)
    for name, (kind, prefix) in twins.items():
        assert _names(wire[name], prefix) == set(kind.__members__), name
        assert wire[name].values_by_number[0].name == f"{prefix}UNSPECIFIED"
