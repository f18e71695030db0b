"""Enums of the contract and of the domain are one list, in both directions."""

from enum import Enum
from typing import Any

import pytest

from gateway import adapter_api
from gateway.codec import enums
from gateway.domain import subjects
from gateway.domain.errors import Reason, Refusal
from gateway.domain.four_steps import Respondent
from gateway.v1 import agency_pb2

kinds = pytest.mark.parametrize("kind", enums.TABLE, ids=lambda kind: kind.__name__)
BEYOND = 9999  # a value of a contract newer than this release


@kinds
def test_every_member_goes_there_and_back(kind: type[Any]) -> None:
    """Each domain member has its own value on the wire, and none of them is unspecified."""
    values = {enums.wire(member): member for member in kind}
    assert len(values) == len(kind.__members__)
    assert 0 not in values
    for value, member in values.items():
        assert enums.maybe(kind, value) is member
        assert enums.required(kind, value, "field") is member
        assert enums.optional(kind, value, "field") is member


@kinds
def test_the_wire_has_no_value_that_the_domain_has_not(kind: type[Any]) -> None:
    """Names agree after the prefix; only the unspecified value stands outside."""
    wire, prefix = enums.TABLE[kind]
    names = set(wire.keys())
    unspecified = next(name for name in names if wire.Value(name) == 0)
    assert unspecified == f"{prefix}UNSPECIFIED"
    assert names - {unspecified} == {prefix + name for name in kind.__members__}


@kinds
def test_unspecified_and_unknown_values_are_told_apart(kind: type[Any]) -> None:
    """Nothing there is a missing field, an unknown value an invalid one; both name the field."""
    assert enums.maybe(kind, 0) is enums.maybe(kind, BEYOND) is enums.optional(kind, 0, "f") is None
    for value, check, reason in (
        (0, enums.required, Reason.MISSING_FIELD),
        (BEYOND, enums.required, Reason.INVALID_FIELD),
        (BEYOND, enums.optional, Reason.INVALID_FIELD),
    ):
        with pytest.raises(Refusal) as caught:
            check(kind, value, "some.field")
        assert (caught.value.reason, caught.value.field) == (reason, "some.field")
        assert "some.field" in caught.value.message


def test_none_is_unspecified() -> None:
    """A field that is not known is written as 0."""
    assert enums.wire(None) == 0


def test_every_enum_of_the_contract_is_tied_to_one_of_the_domain() -> None:
    """No enum is in the table twice; a mistaken row would tie two to one."""
    tied = [wire.DESCRIPTOR.full_name for wire, _ in enums.TABLE.values()]
    assert len(set(tied)) == len(tied)


def test_a_respondent_that_is_not_known_is_no_guardian() -> None:
    """A safeguard must not be passed by a value that this release does not know."""
    with pytest.raises(Refusal):
        enums.optional(Respondent, BEYOND, "step.respondent")


def names(kind: type[Enum]) -> set[str]:
    """Return the names of an enum's members."""
    return set(kind.__members__)


def test_the_adapters_words_are_the_domains_words() -> None:
    """adapter_api has enums of its own; they agree with the domain and the contract."""
    assert names(adapter_api.HukouFinding) == names(subjects.HukouFinding)
    matters = {
        name.removeprefix("PLATFORM_MATTER_")
        for name in agency_pb2.PlatformMatter.DESCRIPTOR.values_by_name
    }
    assert names(adapter_api.Matter) == matters - {"UNSPECIFIED"}
