"""A recovery that begins under an old directory: it came back with the same disk as the store."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.domain.recovery import PeerState, Recovery
from gateway.store import recovery_tables
from gateway.v1 import recovery_pb2
from tests.delivery.audit import rows
from tests.delivery.editions import bring_back_edition
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring
from tests.delivery.rotation import republish
from tests.delivery.test_recovery_hostile import returned
from tests.delivery.test_recovery_peers import go_on, on_desk, running, silence, waive
from tests.world.estate import (
    PLATFORM,
    SHUIFU,
    WUHUA,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
    ZHENXIONG_TOWNSHIP,
)
from tests.world.province import Province

E = "wuhua"
LISTED_LATE = (ZHENXIONG, ZHENXIONG_SCHOOL, ZHENXIONG_TOWNSHIP)

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


async def old_disk(
    province: Province, restoring: Restoring, version: int
) -> tuple[Inquiry, Callable[[], None]]:
    """Grant a case to 镇雄县, then bring back 五华区's store and directory of a time before either.

    All nodes have edition 2, and 五华区 the named one, in which 镇雄县 is not listed.
    """
    republish(province)
    story = await Inquiry(province).settled("confirmed")
    await restoring.back_up(E)
    for step in (story.determined, story.dispatched, story.accepted):
        await step()
        await province.settle()
    assert (await story.case(ZHENXIONG)).holder == ZHENXIONG
    renew = bring_back_edition(province, WUHUA, version, LISTED_LATE)
    await restoring.restore(E)
    return story, renew


async def shown(province: Province) -> recovery_pb2.Recovery:
    """Return what the operators of 五华区 see."""
    answer = await province.ask(
        WUHUA, "RecoveryService/GetRecovery", recovery_pb2.GetRecoveryRequest()
    )
    recovery: recovery_pb2.Recovery = answer.recovery
    return recovery


async def asked(province: Province, recovery: Recovery) -> set[str]:
    """Return whom the recovery asked."""
    found = await rows(province, recovery_tables.recovery_peers)
    return {row.peer for row in found if row.recovery_id == recovery.id}


async def check_one_acts(province: Province, restoring: Restoring, story: Inquiry) -> None:
    """五华区 knows again that 镇雄县 holds the case, and one store acts."""
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


async def test_it_waits_for_the_directory_that_its_peers_have(
    province: Province, restoring: Restoring
) -> None:
    """Everybody listed has answered, and says that there is a newer edition: that is waited for, and
    the operators see it; then whoever it lists is asked.
    """
    story, renew = await old_disk(province, restoring, version=1)
    recovery = await running(province, WUHUA)
    await go_on(restoring)
    assert WUHUA in await restoring.recovering()
    assert str(ZHENXIONG) not in await asked(province, recovery)
    seen = await shown(province)
    assert seen.directory_version == 1
    elsewhere = [peer for peer in seen.peers if peer.organisation == str(SHUIFU)]
    assert [(peer.directory_version, peer.state) for peer in elsewhere] == [
        (2, recovery_pb2.RECOVERY_PEER_STATE_RETURNED)
    ]
    renew()
    await check_one_acts(province, restoring, story)
    assert str(ZHENXIONG) in await asked(province, recovery)


async def test_whoever_is_listed_while_it_runs_is_asked(
    province: Province, restoring: Restoring
) -> None:
    """No peer knows of a newer edition, but one comes before the last of them has answered."""
    story, renew = await old_disk(province, restoring, version=2)
    recovery = await running(province, WUHUA)
    silence(province, PLATFORM)
    await go_on(restoring)
    assert str(ZHENXIONG) not in await asked(province, recovery)
    renew()
    province.bus.meddle = lambda _receiver, item: (item,)
    await check_one_acts(province, restoring, story)
    assert {str(org) for org in LISTED_LATE} <= await asked(province, recovery)


@pytest.mark.parametrize("late", [False, True])
async def test_a_directory_that_nobody_has_holds_nobody_for_ever(
    province: Province, restoring: Restoring, late: bool
) -> None:
    """A peer names an edition that does not exist: it is waived, or was before it said so."""
    await Inquiry(province).settled("confirmed")
    await restoring.back_up(E)
    silence(province, PLATFORM)
    await restoring.restore(E)
    recovery = await running(province, WUHUA)
    invented = replace(returned(province, recovery_id=recovery.id), author=PLATFORM)

    async def decide() -> None:
        for post in ("OPERATOR", "APPROVER"):
            await waive(province, WUHUA, PLATFORM, post)

    if late:
        await decide()
        await go_on(restoring)
    await on_desk(province, replace(invented, directory=2**62))
    await go_on(restoring)
    if not late:
        peer = await province.look(
            WUHUA, lambda desk: desk.work.recoveries.peer(WUHUA, recovery.id, PLATFORM)
        )
        assert (peer.state, peer.directory) == (PeerState.RETURNED, 2**62)
        await decide()
        await go_on(restoring)
    assert WUHUA not in await restoring.recovering()
