"""The tables of facts and visibility are complete and say what D.4 and D.6 say."""

import pytest

from gateway.domain.facts import RULES, FactKind, Party
from gateway.domain.organisations import Role
from gateway.domain.visibility import VISIBILITY, PartKind, may_see
from gateway.service.effects.table import EFFECTS
from gateway.service.parties import FILLED_BY
from gateway.v1 import event_pb2


def test_every_fact_has_a_rule_an_effect_and_a_body_on_the_wire() -> None:
    """Kinds, rules, effects, event types and body fields are one list."""
    kinds = set(FactKind)
    assert set(RULES) == kinds
    assert set(EFFECTS) == kinds
    body = event_pb2.Event.DESCRIPTOR.oneofs_by_name["body"]
    assert {field.name for field in body.fields} == {kind.value for kind in kinds}
    for kind in kinds:
        assert kind.value.upper() == kind.name
        assert event_pb2.EventType.Value(f"EVENT_TYPE_{kind.name}")


@pytest.mark.parametrize("kind", FactKind)
def test_every_fact_rests_on_an_article_and_has_its_sources(kind: FactKind) -> None:
    """A fact has someone who may state it, someone who is told, its article and its Chinese term."""
    rule = RULES[kind]
    assert rule.sources
    assert rule.told
    assert rule.articles
    assert rule.zh


def test_every_party_can_be_found() -> None:
    """Whoever is told or passed on to is read from the matter."""
    assert set(FILLED_BY) == set(Party)


def test_only_bureaus_act_with_authority() -> None:
    """Authority is fenced by the title, and titles are held by education bureaus (rule 5)."""
    for rule in RULES.values():
        assert not rule.authority or rule.sources == {Role.EDU}
    fenced = {kind.value for kind, rule in RULES.items() if rule.authority}
    assert fenced == {
        "jurisdiction_determined",
        "letter_dispatched",
        "retrieval_body_confirmed",
        "retrieval_order_issued",
        "placement_proposed",
        "placement_decided",
    }


def test_only_facts_of_those_who_hold_no_title_are_passed_on() -> None:
    """What townships and schools state reaches former holders through the holder."""
    for rule in RULES.values():
        assert not rule.passed_on or rule.sources <= {Role.TWN, Role.SCH}


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_its_parts_and_no_others(role: Role) -> None:
    """D.6: case workers see the child, bureaus the reason too; police the identity alone, the
    platform it masked, and where the child is whoever has to bring it back.
    """
    case_work = {PartKind.IDENTITY, PartKind.GUARDIAN, PartKind.NARRATIVE}
    expected = {
        Role.EDU: case_work | {PartKind.REASON, PartKind.WHEREABOUTS},
        Role.SCH: case_work,
        Role.TWN: case_work | {PartKind.WHEREABOUTS},
        Role.PSB: {PartKind.IDENTITY},
        Role.RRB: {PartKind.MASKED_IDENTITY},
    }.get(role, set())
    assert {kind for kind in PartKind if may_see(role, kind)} == expected
    assert set(VISIBILITY) == set(PartKind)
