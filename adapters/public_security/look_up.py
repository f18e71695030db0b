"""Looking up one child's current household registration (art. 5.9, 8).

A statement moves responsibility between counties, so it is FOUND only when the identity number
leads to exactly one current registration and nothing else about the child contradicts it. All
that needs a person's eye is AMBIGUOUS.
"""

from collections.abc import Sequence
from datetime import date, datetime

from adapters.public_security.matching import plain_number, same_name
from adapters.public_security.places import Places
from adapters.public_security.register import HouseholdRegister, Registration
from adapters.public_security.register_mapping import Standing
from gateway.adapter_api import HukouFinding, HukouStatement, Person


def look_up(
    register: HouseholdRegister, places: Places, person: Person, snapshot_at: datetime
) -> HukouStatement:
    """Return what the register holds of a person with a number, or a name and a date of birth.

    A name and a date alone never make a FOUND: half of such hits are somebody else, and only a
    person may say that it is not so.

    Raises:
        SystemAway: the register does not answer.
        UnreadableRecord: it holds a code that the mapping does not know.
    """
    number = plain_number(person.id_number)
    registrations = register.with_number(number) if number else []
    if any(_contradicts(person, held) for held in registrations):
        return HukouStatement(HukouFinding.AMBIGUOUS, snapshot_at)
    if registrations:
        return _of_one_number(registrations, places, snapshot_at)
    # The number may have been corrected since the school wrote it down.
    born = person.birth_date
    candidates = register.names_born_on(born) if born and person.name else []
    known = any(same_name(person.name, *names) for names in candidates)
    finding = HukouFinding.AMBIGUOUS if known else HukouFinding.NOT_FOUND
    return HukouStatement(finding, snapshot_at)


def _contradicts(person: Person, held: Registration) -> bool:
    """Say whether the number is right but the child is another one."""
    other_name = person.name and not same_name(person.name, held.name, held.former_name)
    other_birth = person.birth_date and held.birth_date and person.birth_date != held.birth_date
    return bool(other_name or other_birth)


def _of_one_number(
    registrations: Sequence[Registration], places: Places, snapshot_at: datetime
) -> HukouStatement:
    current = [held for held in registrations if held.standing is Standing.CURRENT]
    ended = [
        held
        for held in registrations
        if held.standing not in (Standing.CURRENT, Standing.SUPERSEDED)
    ]
    dead = any(held.standing is Standing.DECEASED for held in ended)
    # Two registrations (双重户籍), one dead and one alive, or all moved on and none arrived.
    if len(current) > 1 or (current and dead) or not (current or ended):
        return HukouStatement(HukouFinding.AMBIGUOUS, snapshot_at)
    if current:
        held = current[0]
        return places.statement(held.county, held.township, held.since, snapshot_at)
    if dead:
        return HukouStatement(HukouFinding.DECEASED, snapshot_at)
    last = max(ended, key=lambda held: held.ended or date.min)
    if last.standing is Standing.OUT_OF_PROVINCE:
        return places.elsewhere(last.destination, snapshot_at)
    return HukouStatement(HukouFinding.NOT_FOUND, snapshot_at)
