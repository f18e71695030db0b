"""Looking up a child's current household registration."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from adapters import public_security
from adapters.reference import household_register as register
from adapters.reference.people import Child, child
from gateway.adapter_api import (
    Adapter,
    Done,
    Exchange,
    HukouFinding,
    HukouStatement,
    Person,
    Refused,
)

BAI = child(3)
ON = date(2026, 9, 1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A register in which one child is registered in 镇雄."""
    made = f"sqlite:///{tmp_path / 'register.db'}"
    register.create(made)
    since = date(2020, 3, 1)
    register.seed(made, [register.Registration(BAI, "530627", "530627103", since)])
    return made


@pytest.fixture
def adapter(url: str) -> Iterator[Adapter]:
    """The adapter over that register."""
    made = public_security.create({"url": url})
    yield made
    made.close()


def asked(person: Person | None) -> Exchange:
    """An exchange that asks for a person."""
    return Exchange(
        exchange_id="01890a5d-ac96-774b-bcce-b302099a8057",
        kind="hukou",
        asked_by="530102/edu",
        asked_at=datetime(2026, 11, 23, 2, tzinfo=UTC),
        object_id="case-1",
        subject_token="token-1",
        person=person,
    )


def whole(of: Child) -> Person:
    """A person with all that a case knows."""
    return Person(name=of.name, id_number=of.id_number, birth_date=of.birth_date)


def stated(adapter: Adapter, person: Person) -> HukouStatement:
    """What the register states; fails on any other answer."""
    answer = adapter.handle(asked(person))
    assert isinstance(answer, Done), answer
    assert isinstance(answer.fact, HukouStatement)
    return answer.fact


def execute(url: str, statement: str, **values: str) -> None:
    """Change the register behind everyone's back."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def test_found_by_number(adapter: Adapter) -> None:
    """The number leads to county, township and the day since when."""
    fact = stated(adapter, whole(BAI))
    assert (fact.finding, fact.county, fact.township, fact.since) == (
        HukouFinding.FOUND,
        "530627",
        "530627103",
        date(2020, 3, 1),
    )


def test_county_is_never_read_from_the_number(adapter: Adapter) -> None:
    """The first six digits of the number name another place than the statement."""
    assert not BAI.id_number.startswith("530627")
    assert stated(adapter, Person(id_number=BAI.id_number)).county == "530627"


def test_number_is_understood_as_typed(adapter: Adapter) -> None:
    """Blanks, a small x and full-width digits lead to the same registration."""
    wide = BAI.id_number.lower().translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    typed = f" {wide[:6]} {wide[6:14]}-{wide[14:]}"
    assert stated(adapter, Person(id_number=typed)).finding is HukouFinding.FOUND


def test_after_a_move_only_the_new_place_counts(adapter: Adapter, url: str) -> None:
    """The registration in force is stated, not an earlier one."""
    register.move(url, BAI.id_number, "530102", "530102001", on=ON)
    fact = stated(adapter, whole(BAI))
    assert (fact.county, fact.township, fact.since) == ("530102", "530102001", ON)


def test_moved_out_of_the_province(adapter: Adapter, url: str) -> None:
    """Outside the province only the province is stated."""
    register.move(url, BAI.id_number, "441900", on=ON)
    fact = stated(adapter, whole(BAI))
    assert (fact.finding, fact.county, fact.township) == (HukouFinding.OUT_OF_PROVINCE, "44", "")


@pytest.mark.parametrize(
    ("mark", "finding"),
    [
        (register.DECEASED, HukouFinding.DECEASED),
        (register.DUPLICATE, HukouFinding.NOT_FOUND),
        (register.OTHERWISE, HukouFinding.NOT_FOUND),
    ],
)
def test_cancelled(adapter: Adapter, url: str, mark: str, finding: HukouFinding) -> None:
    """A death is stated as such; a registration cancelled otherwise is none."""
    register.cancel(url, BAI.id_number, mark, on=ON)
    fact = stated(adapter, whole(BAI))
    assert (fact.finding, fact.county) == (finding, "")


def test_two_current_registrations_need_a_person(adapter: Adapter, url: str) -> None:
    """One number registered in two places (双重户籍) is ambiguous."""
    register.seed(url, [register.Registration(BAI, "530102")])
    assert stated(adapter, whole(BAI)).finding is HukouFinding.AMBIGUOUS


def test_dead_and_alive_needs_a_person(adapter: Adapter, url: str) -> None:
    """A death beside a current registration is ambiguous, never a place."""
    register.cancel(url, BAI.id_number, register.DECEASED, on=ON)
    register.seed(url, [register.Registration(BAI, "530102")])
    assert stated(adapter, whole(BAI)).finding is HukouFinding.AMBIGUOUS


def test_right_number_of_another_child_needs_a_person(adapter: Adapter) -> None:
    """A number whose registered name or birth differs may be the wrong child (B04)."""
    other_name = replace(whole(BAI), name=child(8).name)
    other_birth = replace(whole(BAI), birth_date=date(2011, 1, 1))
    assert stated(adapter, other_name).finding is HukouFinding.AMBIGUOUS
    assert stated(adapter, other_birth).finding is HukouFinding.AMBIGUOUS


def test_former_name_is_the_same_child(adapter: Adapter, url: str) -> None:
    """A child asked for under the name before a change is found (B17)."""
    register.rename(url, BAI.id_number, "王新名", on=ON)
    assert stated(adapter, whole(BAI)).finding is HukouFinding.FOUND


def test_interpunct_of_a_minority_name(adapter: Adapter, url: str) -> None:
    """The mark between the parts of a name may be any of those typed in practice (B29)."""
    minority = child(16)
    assert "·" in minority.name
    register.seed(url, [register.Registration(minority, "530627")])
    typed = replace(whole(minority), name=minority.name.replace("·", " • "))
    assert stated(adapter, typed).finding is HukouFinding.FOUND


def test_name_and_birth_alone_never_find(adapter: Adapter) -> None:
    """Without a number one hit still needs a person's eye; no hit is no hit."""
    by_name = Person(name=BAI.name, birth_date=BAI.birth_date)
    assert stated(adapter, by_name).finding is HukouFinding.AMBIGUOUS
    nobody = Person(name=BAI.name, birth_date=date(2010, 1, 1))
    assert stated(adapter, nobody).finding is HukouFinding.NOT_FOUND


def test_unknown_number_with_a_known_name_needs_a_person(adapter: Adapter) -> None:
    """A number that is not in the register may have been corrected there."""
    changed = replace(whole(BAI), id_number=child(40).id_number)
    assert stated(adapter, changed).finding is HukouFinding.AMBIGUOUS
    assert stated(adapter, whole(child(40))).finding is HukouFinding.NOT_FOUND


def test_retired_county_code_is_stated_as_its_successor(adapter: Adapter, url: str) -> None:
    """A register that still writes 水富县 is understood; the township is left open."""
    register.move(url, BAI.id_number, "530630", "530630100", on=ON)
    fact = stated(adapter, whole(BAI))
    assert (fact.finding, fact.county, fact.township) == (HukouFinding.FOUND, "530681", "")


def test_village_code_is_cut_to_its_township(adapter: Adapter, url: str) -> None:
    """Twelve digits in the register become the nine of the township."""
    execute(url, "UPDATE RK_CZRK SET HKSZD_XZ = '530627103201'")
    assert stated(adapter, whole(BAI)).township == "530627103"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE RK_CZRK SET ZXBS = '7'",
        "UPDATE RK_CZRK SET HKSZD_QX = '530600'",
        "UPDATE RK_CZRK SET HKSZD_QX = '镇雄'",
        "UPDATE RK_CZRK SET HKSZD_XZ = '530102001'",
        "UPDATE RK_CZRK SET QRRQ = '2020'",
    ],
)
def test_what_the_mapping_does_not_know_is_refused(adapter: Adapter, url: str, damage: str) -> None:
    """An unknown mark, place or date is refused, not guessed at."""
    execute(url, damage)
    answer = adapter.handle(asked(whole(BAI)))
    assert isinstance(answer, Refused)


@pytest.mark.parametrize(
    "person",
    [
        None,
        Person(),
        Person(name=BAI.name),
        Person(birth_date=BAI.birth_date),
        Person(id_number="53************9016", masked=True),
    ],
)
def test_too_little_to_look_up_is_refused(adapter: Adapter, person: Person | None) -> None:
    """Without a number, or name and birth, nothing is looked up."""
    assert isinstance(adapter.handle(asked(person)), Refused)
