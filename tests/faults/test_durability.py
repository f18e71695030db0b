"""What was acknowledged was on the disk before: proved on a disk that forgets what is not synced.

SIGKILL proves nothing of it, because the kernel keeps what a killed process has written. Here every
write waits in memory until a successful fsync brings it to a twin of the file; at each answer the
twin must already hold what was answered, and a node must go on from the twins after a power cut.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from gateway.store.disk_faults import EXIT_CODE
from tests.faults.lone_node import NAME, LoneNode, compiled_shim, environment, shimmed
from tests.faults.reporting import FaultReport

ANSWERS = 12
FULL, NORMAL, OFF = "2", "1", "0"


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled library; without a compiler the test is skipped and says so."""
    return compiled_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(
    params=[FULL, pytest.param(NORMAL, marks=pytest.mark.faults), OFF],
    ids=["FULL", "NORMAL", "OFF"],
)
def synchronous(request: pytest.FixtureRequest) -> str:
    """Return the setting of SQLite; all but FULL are mutants."""
    return str(request.param)


@pytest.fixture
def node(tmp_path: Path, shim: Path, request: pytest.FixtureRequest) -> Iterator[LoneNode]:
    """Run a node on the forgetful disk."""
    mutant = "synchronous" in request.fixturenames and request.getfixturevalue("synchronous")
    program = "tests.faults.unsynced_node" if mutant else ""
    node = LoneNode(tmp_path, tmp_path / "disk" / "node.db", program)
    with environment(
        **shimmed(shim, node.store, tmp_path / "fails"), SYNCHRONOUS=str(mutant or FULL)
    ):
        node.start()
    yield node
    node.close()


def after_a_power_cut(store: Path, into: Path) -> Path:
    """Copy what the disk has for certain, and return the database among it."""
    into.mkdir(exist_ok=True)
    for twin in store.parent.glob(f"{store.name}*.synced"):
        shutil.copy(twin, into / twin.name.removesuffix(".synced"))
    return into / store.name


def kept(store: Path, into: Path, request_ids: list[str]) -> int:
    """Count the requests whose answer the disk has for certain."""
    database = after_a_power_cut(store, into)
    marks = ", ".join("?" * len(request_ids))
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute(
                f"SELECT count(*) FROM requests WHERE request_id IN ({marks})",  # noqa: S608
                request_ids,
            )
            return int(found.fetchone()[0])
    except sqlite3.DatabaseError:
        return 0  # not even a database


@pytest.mark.fault("D2")
def test_every_answer_is_on_the_disk_before_it_is_given(
    node: LoneNode, synchronous: str, tmp_path: Path, fault_report: FaultReport
) -> None:
    """At each answer the twin holds it; the mutants that sync later or never are found out."""
    answered: list[str] = []
    missing = 0
    for number in range(ANSWERS):
        answered.append(node.report())
        missing += len(answered) - kept(node.store, tmp_path / f"cut-{number}", answered)
    fault_report.inject("power cut at an answer", ANSWERS)
    if synchronous == FULL:
        assert missing == 0
    else:
        fault_report.remark(f"a build with synchronous={synchronous} is found out")
        assert missing > 0


@pytest.mark.fault("D2")
def test_a_node_goes_on_after_a_power_cut(
    node: LoneNode, tmp_path: Path, fault_report: FaultReport
) -> None:
    """With everything unsynced gone, each answered report is there, and repeating changes nothing."""
    answered = [node.report() for _ in range(ANSWERS)]
    node.node.kill()
    node.engine(NAME).dispose()
    after_a_power_cut(node.store, node.store.parent)
    node.store.with_name(f"{node.store.name}-shm").unlink()
    fault_report.inject("power cut")
    with fault_report.healing():
        node.restart(NAME)
    lost = [request_id for request_id in answered if not node.answered(request_id)]
    fault_report.lost = len(lost)
    assert not lost


@pytest.mark.fault("D2")
def test_a_failed_sync_ends_the_process_and_is_not_tried_again(
    node: LoneNode, tmp_path: Path, fault_report: FaultReport
) -> None:
    """EIO at fsync: the process is gone before it answers, after one attempt; then all is there."""
    answered = [node.report() for _ in range(3)]
    process = node.node.process
    assert process is not None
    (tmp_path / "fails").touch()
    with pytest.raises(grpc.RpcError):
        node.report()
    assert process.wait(30) == EXIT_CODE
    assert (tmp_path / "fails.log").read_text() == "EIO\n"
    fault_report.inject("EIO at fdatasync")
    assert '"fault": "SQLITE_IOERR_FSYNC"' in node.log
    (tmp_path / "fails").unlink()
    with fault_report.healing():
        node.restart(NAME)
    assert all(node.answered(request_id) for request_id in answered)
    assert node.report()
