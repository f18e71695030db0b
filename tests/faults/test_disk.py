"""A disk that is full, and one that is read-only: refused aloud, nothing lost, nothing half-done."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.domain.errors import Reason
from gateway.ports.condition import Code, Part
from tests.faults.lone_node import NAME, LoneNode
from tests.faults.reporting import FaultReport
from tests.world.clients import refusal_of
from tests.world.estate import WUHUA_SCHOOL
from tests.world.inquiry import Inquiry

MOST_REPORTS = 200  # far more than fit into what the log of the store has already taken

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="a disk of its own is mounted by root: no full disk is tried here"
)


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """Mount a disk of 32 MiB."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LoneNode]:
    """Run a node whose store is on a small disk."""
    with small_disk(tmp_path / "disk") as disk:
        node = LoneNode(tmp_path, disk / "node.db")
        node.start()
        yield node
        node.close()


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def refused_after(node: LoneNode, answered: list[str]) -> tuple[object, grpc.RpcError]:
    """Report until a report is refused; return its request and the error."""
    for _ in range(MOST_REPORTS):
        request = Inquiry(node).report()
        try:
            node.act(WUHUA_SCHOOL, "AbsenceService/ReportAbsence", request, "HEAD_TEACHER")
        except grpc.RpcError as error:
            return request, error
        answered.append(request.request_id)
    raise AssertionError("the full disk refused nothing")


def retry_seconds(error: grpc.RpcError) -> int:
    """Return after how long the caller is told to try again."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    return int(retry.retry_delay.seconds)


@needs_root
@pytest.mark.fault("D1")
def test_a_full_disk_refuses_and_passes(node: LoneNode, fault_report: FaultReport) -> None:
    """NOT_SERVING and a refusal that says when to try again; with room again it just goes on."""
    process = node.node.process
    answered = [node.report()]
    fill(ballast := node.store.with_name("ballast"))
    node.becomes("NOT_SERVING", Part.STORE)
    assert Code.DISK_FULL in node.doctor()
    request, error = refused_after(node, answered)
    fault_report.inject("disk full")
    refusal = refusal_of(error)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.UNAVAILABLE,
        Reason.STORE_UNAVAILABLE,
    )
    assert retry_seconds(error) > 0
    assert not node.answered(request.request_id)  # type: ignore[attr-defined]
    with fault_report.healing():
        ballast.unlink()
        node.becomes("SERVING", Part.STORE)
    node.act(WUHUA_SCHOOL, "AbsenceService/ReportAbsence", request, "HEAD_TEACHER")
    assert node.node.process is process
    assert process is not None
    assert process.poll() is None
    lost = [request_id for request_id in answered if not node.answered(request_id)]
    fault_report.lost = len(lost)
    assert not lost
    assert node.doctor() == set()


@needs_root
@pytest.mark.faults
@pytest.mark.fault("D1")
def test_no_node_starts_on_a_full_disk(node: LoneNode, fault_report: FaultReport) -> None:
    """It says why, and so does the doctor; with room it starts, and nothing is missing."""
    request_id = node.report()
    node.run(node.node.stop())
    node.engine(NAME).dispose()
    fill(ballast := node.store.with_name("ballast"))
    fault_report.inject("disk full at the start")
    node.refuses_to_start(Code.DISK_FULL)
    assert node.doctor() == {Code.DISK_FULL}
    ballast.unlink()
    node.restart(NAME)
    assert node.answered(request_id)


@needs_root
@pytest.mark.fault("D1")
def test_a_read_only_disk_is_refused(node: LoneNode, fault_report: FaultReport) -> None:
    """No node starts on it; it says so, and so does the doctor; written to again, it starts."""
    request_id = node.report()
    node.run(node.node.stop())
    node.engine(NAME).dispose()
    disk = node.store.parent
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        fault_report.inject("read-only disk")
        node.refuses_to_start(Code.STORE_READ_ONLY)
        assert node.doctor() == {Code.STORE_READ_ONLY}
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    node.restart(NAME)
    assert node.answered(request_id)
