"""Real nodes and a real broker: a county's store is put back to an old state, and heals (row P3)."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from gateway.crypto.development import Estate
from gateway.domain.organisations import OrgId
from gateway.store.backup import BackupFault, back_up
from gateway.store.engine import sqlite_file
from gateway.store.restore import restore
from gateway.v1 import recovery_pb2
from tests.faults.processes import ProcessProvince
from tests.faults.reporting import FaultReport
from tests.stores import Stores
from tests.world.estate import ESTATE, WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.story import Story
from tests.world.waiting import eventually

E = "wuhua"
NODES = {"wuhua", "zhenxiong", "police"}


@pytest.fixture
def province(tmp_path: Path, stores: Stores) -> Iterator[ProcessProvince]:
    """A province of its own: what was put back must not meet other tests."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in NODES))
    province = ProcessProvince(tmp_path / "province", estate, stores)
    province.start()
    try:
        yield province
    finally:
        province.close()


def recovery(province: ProcessProvince, org: OrgId) -> recovery_pb2.Recovery:
    """Return the latest recovery of an organisation, empty when there was none."""
    request = recovery_pb2.GetRecoveryRequest()
    found: recovery_pb2.Recovery = province.ask(
        org, "RecoveryService/GetRecovery", request
    ).recovery
    return found


def has_ended(province: ProcessProvince, org: OrgId) -> bool:
    """Whether the recovery of an organisation has ended."""
    return recovery(province, org).HasField("ended_at")


def holders(province: ProcessProvince, case_id: str) -> list[OrgId]:
    """Return the bureaus that may act on the case, as their nodes say."""
    story = Story(province)
    story.case_id = case_id
    return [org for org in (WUHUA, ZHENXIONG) if story.case(org).may_act]


def url_of(province: ProcessProvince) -> str:
    """Return the URL of the county's store."""
    return province.process(E).config.store.url


def restored(province: ProcessProvince, target: Path) -> str:
    """Restore the county's store and return where the old one is kept; empty while it is in use."""
    try:
        return restore(url_of(province), target, replace=True, now=datetime.now(UTC))[1]
    except BackupFault as fault:
        if "A node works" not in str(fault):
            raise
        return ""  # PostgreSQL hears of the death a moment later


def incarnation(province: ProcessProvince) -> int:
    """Return the incarnation of the lane between the counties."""
    return province.look(WUHUA, lambda work: work.outbox.lane(WUHUA, ZHENXIONG).incarnation)


def handed_over_after_backup(province: ProcessProvince, target: Path) -> Story:
    """Back the granting county up while it runs, and let it grant afterwards."""
    story = Story(province)
    story.due(ZHENXIONG.division)
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    back_up(url_of(province), target, E, datetime.now(UTC))
    story.accepted(ZHENXIONG)
    story.seen_by(ZHENXIONG, "ASSIGNED")
    story.seen_by(WUHUA, "ASSIGNED")
    return story


def go_on(province: ProcessProvince, story: Story) -> None:
    """See that the healed county works: it follows the case, and its own mail arrives."""
    order = story.ordered(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    eventually(
        lambda: province.look(WUHUA, lambda work: work.orders.get(WUHUA, order.order_id)),
        "the order at the former holder",
    )
    second = Story(province)
    second.handed_over(ZHENXIONG)
    assert holders(province, second.case_id) == [ZHENXIONG]


@pytest.mark.fault("P3")
def test_a_restored_backup_heals(
    province: ProcessProvince, tmp_path: Path, fault_report: FaultReport
) -> None:
    """`gateway backup`, a grant, death, `gateway restore`, start: the case stays with its holder."""
    target = tmp_path / "backup"
    story = handed_over_after_backup(province, target)
    province.process(E).kill()
    province.engine(E).dispose()
    kept = eventually(partial(restored, province, target), "the restore")
    path = sqlite_file(url_of(province))
    fault_report.inject("older backup restored")
    assert path is None or Path(kept).exists()
    province.restart(E)
    eventually(partial(has_ended, province, WUHUA), "the end of the recovery")
    shown = recovery(province, WUHUA)
    assert shown.cause == recovery_pb2.RECOVERY_CAUSE_RESTORED
    assert shown.facts_returned > 0
    assert shown.asked == shown.answered
    assert holders(province, story.case_id) == [ZHENXIONG]
    assert incarnation(province) > 1
    assert path is None or path.stat().st_mode & 0o077 == 0
    go_on(province, story)


@pytest.mark.fault("P3")
@pytest.mark.sqlite_alone  # nobody puts a file of a database server back by hand
def test_an_old_copy_is_found_out_by_the_counter(
    province: ProcessProvince, tmp_path: Path, fault_report: FaultReport
) -> None:
    """Somebody puts an old file back by hand: the counter beside it tells, and the county heals."""
    path = sqlite_file(url_of(province))
    assert path is not None
    old = tmp_path / "old.sqlite"
    story = Story(province)
    story.due(ZHENXIONG.division)
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    province.run(province.process(E).stop())
    shutil.copyfile(path, old)
    province.restart(E)
    story.accepted(ZHENXIONG)
    story.seen_by(ZHENXIONG, "ASSIGNED")
    story.seen_by(WUHUA, "ASSIGNED")
    province.run(province.process(E).stop())
    province.engine(E).dispose()
    for companion in ("-wal", "-shm"):
        path.with_name(f"{path.name}{companion}").unlink(missing_ok=True)
    shutil.copyfile(old, path)
    fault_report.inject("older file put back by hand")
    province.restart(E)
    eventually(partial(has_ended, province, WUHUA), "the end of the recovery")
    assert recovery(province, WUHUA).cause == recovery_pb2.RECOVERY_CAUSE_STORE_OLDER
    assert holders(province, story.case_id) == [ZHENXIONG]
    go_on(province, story)
