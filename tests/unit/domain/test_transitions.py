"""Every state machine is a complete and closed table (D.3)."""

from enum import StrEnum
from typing import Any

import pytest

from gateway.domain import absences, cases, letters, orders, placements
from gateway.domain.errors import Reason, Refusal
from gateway.domain.transitions import Machine


class Spec:
    """A machine with its enums, where it begins, and where it ends."""

    def __init__(
        self,
        machine: Machine[Any, Any],
        states: type[StrEnum],
        triggers: type[StrEnum],
        begin: StrEnum,
        final: str,
    ) -> None:
        self.machine, self.states, self.triggers = machine, states, triggers
        self.begin = begin
        self.final = set(final.split())


SPECS = (
    Spec(
        cases.MACHINE,
        cases.CaseState,
        cases.CaseTrigger,
        cases.CaseState.SUSPECTED,
        "NOT_DROPOUT CLOSED_RETAINED CLOSED_DECEASED CLOSED_ABROAD CLOSED_COMPLETED"
        " CLOSED_AGED_OUT CLOSED_TRANSFERRED CLOSED_MERGED CLOSED_WRONG_PERSON",
    ),
    Spec(
        letters.MACHINE,
        letters.LetterState,
        letters.LetterTrigger,
        letters.LetterState.DRAFT,
        "ARCHIVED REGISTERED_OFFLINE",
    ),
    Spec(
        letters.LINE_MACHINE,
        letters.LineState,
        letters.LineTrigger,
        letters.LineState.OPEN,
        "GRANTED RETURNED NOTED OFFER_ENDED",
    ),
    Spec(
        absences.MACHINE,
        absences.AbsenceState,
        absences.AbsenceTrigger,
        absences.AbsenceState.REPORTED,
        "RETRACTED",
    ),
    Spec(
        orders.MACHINE,
        orders.OrderState,
        orders.OrderTrigger,
        orders.OrderState.ISSUED,
        "FULFILLED RECALLED",
    ),
    Spec(
        placements.MACHINE,
        placements.PlacementState,
        placements.PlacementTrigger,
        placements.PlacementState.PROPOSED,
        "COMPLETED BROKEN",
    ),
)

machines = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.machine.name)


@machines
def test_every_pair_is_in_the_table_or_refused(spec: Spec) -> None:
    """What the table does not list is refused, with the present state and what it allows."""
    for state in spec.states:
        allowed = sorted(t for s, t in spec.machine.table if s == state)
        for trigger in spec.triggers:
            listed = (state, trigger) in spec.machine.table
            assert spec.machine.allows(state, trigger) is listed
            if listed:
                assert spec.machine.next(state, trigger) in spec.states
                continue
            with pytest.raises(Refusal) as caught:
                spec.machine.next(state, trigger)
            assert caught.value.reason is Reason.ILLEGAL_TRANSITION
            assert caught.value.metadata == {
                "state": state,
                "trigger": trigger,
                "allowed": ",".join(allowed),
            }


@machines
def test_every_state_can_be_reached(spec: Spec) -> None:
    """No state stands in the enum without a way to it."""
    reached, new = {spec.begin}, {spec.begin}
    while new:
        new = {to for (state, _), to in spec.machine.table.items() if state in new} - reached
        reached |= new
    assert reached == set(spec.states)


@machines
def test_every_trigger_moves_something(spec: Spec) -> None:
    """No trigger stands in the enum without a transition."""
    assert {trigger for _, trigger in spec.machine.table} == set(spec.triggers)


@machines
def test_only_the_named_states_are_final(spec: Spec) -> None:
    """A state is left by some trigger unless it is one of the ends of D.3."""
    left = {state for (state, _), to in spec.machine.table.items() if to is not state}
    assert {state.value for state in spec.states} - {state.value for state in left} == spec.final


def walk(machine: Machine[Any, Any], state: str, path: str) -> None:
    """Follow `TRIGGER>STATE` steps through a machine."""
    for step in path.split():
        trigger, _, expected = step.partition(">")
        known = next(t for _, t in machine.table if t == trigger)
        assert machine.next(type(next(iter(machine.table))[0])(state), known) == expected
        state = expected


@pytest.mark.parametrize(
    ("machine", "begin", "path"),
    [
        (
            cases.MACHINE,
            "SUSPECTED",
            (
                "BOTH_INFORMED>VERIFYING CONFIRM>CONFIRMED DETERMINE_OTHER>JURISDICTION_PENDING"
                " TAKE_OVER>ASSIGNED ISSUE_ORDER>IN_RETRIEVAL RETURN>RETURNED"
                " DECIDE_PLACEMENT>PLACED START_PLACEMENT>WATCH RETAIN>CLOSED_RETAINED"
            ),
        ),
        (
            cases.MACHINE,
            "IN_RETRIEVAL",
            "EXHAUST_STEPS>STEPS_EXHAUSTED DEFER>DEFERRED RESUME>IN_RETRIEVAL",
        ),
        (cases.MACHINE, "DEFERRED", "RETURN>RETURNED"),
        (cases.MACHINE, "WATCH", "BREAK_PLACEMENT>ASSIGNED ISSUE_ORDER>IN_RETRIEVAL"),
        (cases.MACHINE, "VERIFYING", "REFUTE>NOT_DROPOUT"),
        (
            letters.MACHINE,
            "DRAFT",
            (
                "SIGN>SIGNED DISPATCH>DISPATCHED DELIVER>DELIVERED REGISTER>REGISTERED"
                " ACCEPT>ACCEPTED REPLY>REPLIED ARCHIVE>ARCHIVED"
            ),
        ),
        (letters.MACHINE, "REGISTERED", "NOTE>NOTED REPLY>REPLIED"),
        (letters.MACHINE, "REGISTERED", "RETURN>RETURNED REPLY>REPLIED"),
        (
            letters.MACHINE,
            "DISPATCHED",
            (
                "GIVE_UP>UNDELIVERABLE SEND_ON_PAPER>PAPER_FALLBACK"
                " REGISTER_OFFLINE>REGISTERED_OFFLINE"
            ),
        ),
        (absences.MACHINE, "REPORTED", "ENTER>UNDER_FOLLOW_UP ESCALATE>ESCALATED"),
        (
            orders.MACHINE,
            "ISSUED",
            "ACKNOWLEDGE>ACKNOWLEDGED ASSIGN>ASSIGNED STEP>IN_PROGRESS FULFIL>FULFILLED",
        ),
        (orders.MACHINE, "IN_PROGRESS", "EXHAUST>EXHAUSTED FULFIL>FULFILLED"),
        (orders.MACHINE, "ASSIGNED", "BLOCK>BLOCKED RECALL>RECALLED"),
        (placements.MACHINE, "PROPOSED", "DECIDE>DECIDED START>STARTED COMPLETE>COMPLETED"),
        (placements.MACHINE, "STARTED", "BREAK>BROKEN"),
    ],
)
def test_the_ways_of_the_rules_exist(machine: Machine[Any, Any], begin: str, path: str) -> None:
    """The chains that the rules draw (D.3) lead where they say."""
    walk(machine, begin, path)


def test_an_open_case_can_end_at_any_time_and_a_closed_one_never() -> None:
    """Side exits exist from every open state and from no other (D.3)."""
    exits = {t for t in cases.CaseTrigger if t.startswith("CLOSE_")}
    for state in cases.CaseState:
        for trigger in exits:
            assert cases.MACHINE.allows(state, trigger) is (state in cases.OPEN_STATES)
    assert {cases.MACHINE.next(cases.CaseState.DEFERRED, t) for t in exits} == {
        s for s in cases.CaseState if s.startswith("CLOSED_") and s != "CLOSED_RETAINED"
    }


def test_no_letter_is_retracted_after_it_was_answered() -> None:
    """SIGNED to REGISTERED can be retracted by the sender alone, nothing else (D.3)."""
    retract = letters.LetterTrigger.RETRACT
    able = {s.value for s in letters.LetterState if letters.MACHINE.allows(s, retract)}
    assert able == {"SIGNED", "DISPATCHED", "DELIVERED", "REGISTERED"}
