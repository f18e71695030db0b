"""A damaged SQLite file, and one whose write-ahead log is gone: a loud stop, never a wrong answer."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import grpc
import pytest
from _pytest.mark import ParameterSet

from gateway.ports.condition import Code
from gateway.store.disk_faults import EXIT_CODE
from tests.faults.lone_node import NAME, LoneNode
from tests.faults.reporting import FaultReport
from tests.world.estate import WUHUA_SCHOOL
from tests.world.waiting import eventually

PAGE = 4096


def longer(case: object) -> ParameterSet:
    """Leave a case to `make faults`: another one of its kind is in `make test`."""
    return pytest.param(case, marks=pytest.mark.faults)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LoneNode]:
    """Run a node with some reports in its store."""
    node = LoneNode(tmp_path, tmp_path / "disk" / "node.db")
    node.start()
    yield node
    node.close()


def stopped(node: LoneNode) -> Path:
    """Stop the node, and return its store with everything in one file."""
    node.engine(NAME).dispose()
    node.run(node.node.stop())
    assert not node.store.with_name(f"{node.store.name}-wal").exists()
    return node.store


def killed(node: LoneNode) -> Path:
    """Kill the node, and return the write-ahead log that it leaves."""
    node.engine(NAME).dispose()
    node.node.kill()
    log = node.store.with_name(f"{node.store.name}-wal")
    assert log.stat().st_size > 0
    return log


def root_page(store: Path, table: str) -> int:
    """Return where the root page of a table begins."""
    with closing(sqlite3.connect(f"{store.as_uri()}?immutable=1", uri=True)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table])
        return (int(found.fetchone()[0]) - 1) * PAGE


def flip(store: Path, place: int, count: int = 16) -> None:
    """Flip every bit of some bytes."""
    with store.open("r+b") as file:
        file.seek(place)
        found = file.read(count)
        file.seek(place)
        file.write(bytes(byte ^ 0xFF for byte in found))


@pytest.mark.fault("P2")
@pytest.mark.parametrize("what", [*map(longer, ["first page", "cut short"]), "a table"])
def test_no_node_starts_on_a_damaged_store(
    node: LoneNode, what: str, fault_report: FaultReport
) -> None:
    """Flipped bytes or a missing end: STORE_DAMAGED, from the node and from the doctor."""
    node.report()
    store = stopped(node)
    good = store.with_name("good")
    shutil.copy(store, good)
    if what == "cut short":
        os.truncate(store, store.stat().st_size // 2 // PAGE * PAGE)
    else:
        flip(store, 0 if what == "first page" else root_page(store, "requests"))
    fault_report.inject(what)
    node.refuses_to_start(Code.STORE_DAMAGED)
    assert Code.STORE_DAMAGED in node.doctor()
    shutil.copy(good, store)
    node.restart(NAME)
    assert node.doctor() == set()


@pytest.mark.fault("P2")
def test_a_store_damaged_under_a_running_node_ends_it(
    node: LoneNode, fault_report: FaultReport
) -> None:
    """What makes no sense any more is not answered from: the process ends at once, with its code."""
    node.report()
    store = stopped(node)
    node.restart(NAME)
    process = node.node.process
    assert process is not None
    size = store.stat().st_size
    with store.open("r+b") as file:
        file.seek(PAGE)  # the first page is in every connection's own memory
        file.write(os.urandom(size - PAGE))
    fault_report.inject("every page overwritten")
    with suppress(grpc.RpcError):
        for _ in range(20):
            node.report()
    assert process.wait(30) == EXIT_CODE
    assert '"event": "store.broken"' in node.log
    assert Code.STORE_DAMAGED in node.doctor()


@pytest.mark.fault("P2")
@pytest.mark.parametrize(
    "companions", [["-wal"], longer(["-wal", "-shm"])], ids=["log", "log and index"]
)
def test_a_store_without_its_log_is_not_opened(
    node: LoneNode, companions: list[str], tmp_path: Path, fault_report: FaultReport
) -> None:
    """A killed node's log is removed: STORE_LOG_MISSING; put back, everything acknowledged is there.

    Without the check SQLite opens the rest without a word: the test looks that it does.
    """
    mark = node.store.with_name(f".{node.store.name}.open")
    eventually(lambda: mark.stat().st_mtime > node.store.stat().st_mtime, "a moment noted")
    request_id = node.report()
    log = killed(node)
    for name in companions:
        shutil.move(node.store.with_name(f"{node.store.name}{name}"), tmp_path / f"kept{name}")
    fault_report.inject("write-ahead log removed")
    with closing(sqlite3.connect(f"{node.store.as_uri()}?immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    node.refuses_to_start(Code.STORE_LOG_MISSING)
    assert Code.STORE_LOG_MISSING in node.doctor()
    shutil.move(tmp_path / "kept-wal", log)
    node.restart(NAME)
    assert node.answered(request_id)


@pytest.mark.faults
@pytest.mark.fault("P2")
def test_a_log_that_sqlite_itself_has_ended_is_not_missed(
    node: LoneNode, fault_report: FaultReport
) -> None:
    """Somebody opens and closes a killed node's store: the log is in the database, and it starts."""
    request_id = node.report()
    log = killed(node)
    fault_report.inject("killed, then opened and closed by another program")
    with closing(sqlite3.connect(node.store)) as connection:
        connection.execute("SELECT count(*) FROM requests").fetchone()
    assert not log.exists()
    node.restart(NAME)
    assert node.answered(request_id)


@pytest.mark.fault("P2")
def test_the_doctor_changes_nothing(node: LoneNode, fault_report: FaultReport) -> None:
    """It looks at a killed node's store, log and all, and leaves every byte as it was."""
    node.report()
    killed(node)
    fault_report.inject("killed")
    files = {path: path.read_bytes() for path in sorted(node.store.parent.iterdir())}
    files = {path: data for path, data in files.items() if not path.name.endswith("-shm")}
    assert node.doctor() == set()
    after = [path for path in sorted(node.store.parent.iterdir()) if path.suffix != ".db-shm"]
    assert {path: path.read_bytes() for path in after} == files


def test_the_store_of_the_tests_holds_answers(node: LoneNode) -> None:
    """The measure of the tests here: an answered report is found in the store."""
    assert node.answered(node.report())
    assert not node.answered("00000000-0000-7000-8000-000000000000")
    assert node.look(WUHUA_SCHOOL, lambda work: work.events.end(WUHUA_SCHOOL)) == 1
