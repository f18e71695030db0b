"""Several processes write to one database: what each read is still so when it writes."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from gateway.domain.absences import Absence
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.store.engine import open_engine
from gateway.store.shelf_tables import SHELVES
from tests.integration.postgresql.contender import ORGS

ROOT = Path(__file__).resolve().parents[3]
PROCESSES, CLIENTS, ROUNDS = 3, 6, 12


@pytest.fixture
def fought(url: str) -> str:
    """The database after all have acted at once; every one of them ended well."""
    program = [sys.executable, "-m", "tests.integration.postgresql.contender"]
    contenders = [
        subprocess.Popen([*program, url, str(ROUNDS), str(CLIENTS), f"p{number}"], cwd=ROOT)
        for number in range(PROCESSES)
    ]
    ends = [contender.wait(100) for contender in contenders]
    assert ends == [0] * PROCESSES
    return url


def numbers(connection: Connection, column: object, *where: object) -> list[int]:
    """The values of a numbering, in order."""
    rows = connection.execute(select(column).where(*where).order_by(column))  # type: ignore[call-overload]
    return [row[0] for row in rows]


def without_holes(found: list[int], first: int) -> bool:
    """Whether a numbering begins as it should and leaves out and doubles nothing."""
    return found == list(range(first, first + len(found)))


def test_every_invariant_holds(fought: str) -> None:
    """Positions, titles, lane numbers and versions run without a hole or a double; what was asked
    for by all was done once; every delivery travels in one message.
    """
    engine = open_engine(fought)
    with engine.connect().execution_options(reading=True) as connection:
        done = sum(check_organisation(connection, org) for org in ORGS)
        deliveries = select(func.count()).select_from(tables.deliveries)
        waiting = tables.deliveries.c.message_id.is_(None)
        assert connection.execute(deliveries.where(waiting)).scalar() == 0
        assert connection.execute(deliveries).scalar() == done
        messages = connection.execute(select(func.count()).select_from(tables.outbox)).scalar()
        assert messages == done
    engine.dispose()
    own = PROCESSES * CLIENTS * ROUNDS
    assert own < done <= own + len(ORGS) * ROUNDS, "each own act, and each shared one once"


def check_organisation(connection: Connection, org: OrgId) -> int:
    """Check the numberings of one organisation; return how many acts it has on record."""
    e, t, o, a, q = (
        tables.events.c,
        tables.titles.c,
        tables.outbox.c,
        SHELVES[Absence].c,
        tables.requests.c,
    )
    positions = numbers(connection, e.position, e.org == str(org))
    assert without_holes(positions, 1)
    assert without_holes(numbers(connection, t.number, t.org == str(org)), 0)
    assert without_holes(numbers(connection, o.sequence, o.sender == str(org)), 1)
    version = connection.execute(select(a.version).where(a.org == str(org))).scalar_one()
    answered = select(func.count()).where(q.org == str(org))
    assert connection.execute(answered).scalar_one() == version == len(positions)
    return len(positions)
