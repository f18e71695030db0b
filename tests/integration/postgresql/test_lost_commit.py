"""P1: a link or a server that dies around the commit loses nothing and doubles nothing."""

import asyncio
import itertools
import threading

import pytest

from gateway.domain.organisations import OrgId
from gateway.ports.store import OutcomeUnknown, StoreUnavailable, Work
from gateway.store import writer
from gateway.store.engine import open_engine
from gateway.store.migrate import migrate
from gateway.store.writer import SqlStore
from tests.faults.reporting import FaultReport
from tests.integration.postgresql.conftest import Opened
from tests.integration.postgresql.cutter import Cut, Cutter
from tests.postgresql import PostgresqlServer

_numbers = itertools.count(1)
ORG = OrgId.parse("530102/edu")


class Count:
    """A task that is not idempotent on purpose: it shows how often it took effect."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, work: Work) -> int:
        """Count once more."""
        self.runs += 1
        return work.counters.next(ORG, "acts")


def effects(work: Work) -> int:
    """How often it took effect, the look itself included."""
    return work.counters.next(ORG, "acts")


@pytest.mark.fault("P1")
@pytest.mark.parametrize(("cut", "runs"), [(Cut.BEFORE, 2), (Cut.AFTER, 1)])
async def test_link_cut_at_the_commit(
    postgresql: PostgresqlServer,
    database: str,
    opened: Opened,
    cut: Cut,
    runs: int,
    fault_report: FaultReport,
) -> None:
    """Whether the commit took effect is found out: the caller gets its answer, the act is there
    once. It is run again only if nothing of it had happened.
    """
    task = Count()
    with Cutter(postgresql.directory) as cutter:
        store = await opened(cutter.url(database))
        assert await store.write(lambda _work: "linked") == "linked"
        cutter.cut = cut
        assert await store.write(task) == 1
        assert cutter.cuts == 1
        fault_report.inject(f"link cut at the commit ({cut.name.lower()})")
        assert task.runs == runs
        assert await store.write(effects) == 2
        assert store.ready
        await store.close()


@pytest.mark.fault("P1")
async def test_nobody_can_say(
    postgresql: PostgresqlServer,
    database: str,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    fault_report: FaultReport,
) -> None:
    """When the server does not come back to tell, the caller hears that the outcome is unknown."""
    monkeypatch.setattr(writer, "_LONGEST_ASKING", 0.5)
    with Cutter(postgresql.directory) as cutter:
        store = await opened(cutter.url(database))
        await store.write(lambda _work: None)
        cutter.deaf, cutter.cut = True, Cut.AFTER
        with pytest.raises(OutcomeUnknown):
            await store.write(Count())
        fault_report.inject("link cut, and the server not to be asked")
        with pytest.raises(StoreUnavailable) as caught:
            await store.write(Count())
        assert not isinstance(caught.value, OutcomeUnknown), "nothing of this one was sent"
        cutter.deaf = False
        assert await store.write(effects) == 2, "it had happened"
        assert store.ready
        await store.close()


@pytest.mark.fault("P1")
async def test_connection_killed_within_a_task(
    postgresql: PostgresqlServer, url: str, opened: Opened, fault_report: FaultReport
) -> None:
    """A backend that is ended in the midst of a batch: the whole batch is run again, once."""
    store = await opened(url)
    begun, go_on = threading.Event(), threading.Event()
    counts = [Count() for _ in range(3)]

    def hold(work: Work) -> None:
        counts[0](work)
        begun.set()
        assert go_on.wait(30)

    def after(work: Work) -> None:
        with work.savepoint():
            counts[1](work)

    first = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(begun.wait, 30)
    rest = [asyncio.create_task(store.write(task)) for task in (after, counts[2])]
    killed = await asyncio.to_thread(end_backends, postgresql)
    go_on.set()
    await asyncio.gather(first, *rest)
    assert killed == 1
    fault_report.inject("backend ended in a batch")
    assert counts[0].runs == 2
    assert await store.write(effects) == 4


def end_backends(server: PostgresqlServer) -> int:
    """End every session that is in a transaction; return how many there were."""
    with server.connect() as link:
        found = link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND application_name = 'dropout-gateway'"
        ).fetchall()
    return len(found)


@pytest.fixture
async def doomed(victim: PostgresqlServer, opened: Opened) -> SqlStore:
    """A store on the server that is killed; one act is in it."""
    url = victim.new_database(f"doomed-{next(_numbers)}")
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    store = await opened(url)
    assert await store.write(Count()) == 1
    return store


@pytest.mark.fault("P1")
async def test_server_killed_before_the_commit(
    victim: PostgresqlServer, doomed: SqlStore, fault_report: FaultReport
) -> None:
    """SIGKILL of the server between its last statement and the commit: once it is back it says
    that nothing was kept, and the act is done again.
    """
    task = Count()

    def die_once(work: Work) -> int:
        number = task(work)
        if task.runs == 1:
            victim.kill()
            victim.start()
        return number

    assert await doomed.write(die_once) == 2
    assert task.runs == 2
    fault_report.inject("kill -9 of PostgreSQL before the commit")
    assert await doomed.write(effects) == 3


@pytest.mark.fault("P1")
async def test_server_killed_within_a_task(
    victim: PostgresqlServer, doomed: SqlStore, fault_report: FaultReport
) -> None:
    """SIGKILL of the server between two statements: nothing of it is there, and the caller was
    told so; after the restart the same store goes on.
    """
    store = doomed

    def die(work: Work) -> None:
        work.counters.next(ORG, "acts")
        victim.kill()
        work.counters.next(ORG, "acts")

    with pytest.raises(StoreUnavailable) as caught:
        await store.write(die)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert not store.ready
    fault_report.inject("kill -9 of PostgreSQL in a transaction")
    victim.start()
    assert await store.write(effects) == 2
    assert store.ready
