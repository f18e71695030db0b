"""A recovery that cannot go on, since the node holds no key or its store fails: it waits alone."""

from typing import Any

import pytest

from gateway.crypto.keyring import Keyring
from gateway.domain.facts import FactKind
from gateway.domain.recovery import RecoveredFact, Recovery, RecoveryCause
from gateway.log_events import LogEvent
from gateway.ports.store import StoreUnavailable, Work
from gateway.service import recover
from gateway.service.recover import Recoverer
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.province import Province

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


async def test_the_node_goes_on_and_so_does_the_recovery_once_there_is_a_key(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No turn ends the loop; a rest later, with the key, the recovery comes to its end."""
    restoring = Restoring(province)
    await Inquiry(province).until("accepted")
    await restoring.back_up("wuhua")
    await province.settle()
    await restoring.restore("wuhua")
    node = province.nodes["wuhua"]
    logged: list[LogEvent] = []
    with monkeypatch.context() as keyless:
        keyless.setattr(node.tools.signer, "_keyring", Keyring({}))
        keyless.setattr(recover, "log", lambda event, **_: logged.append(event))
        recoverer = Recoverer(node.store, province.bus, node.tools)
        assert not await recoverer.step()
        assert not await recoverer.step()
    failed = logged.count(LogEvent.RECOVERY_FAILED)
    assert failed == len(node.tools.home), "each says so once, and rests"
    assert await restoring.recovering()
    await restoring.settle()


async def test_what_is_left_is_tried_again_after_the_store_failed(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the log has not grown; once it was tried, it is left until the log grows."""
    node, now = province.nodes["wuhua"], province.clock.now()
    recovery = Recovery("r1", RecoveryCause.RESTORED, since=now, ended_at=now)
    left = RecoveredFact("e1", "r1", FactKind.LETTER_DISPATCHED, "c1", ZHENXIONG, taken_at=now)

    def leave(work: Work) -> None:
        work.recoveries.put(WUHUA, recovery)
        work.recovered_facts.put(WUHUA, left)

    await node.store.write(leave)
    tried: list[bool] = []
    write = node.store.write

    async def fail_first(task: Any) -> Any:
        tried.append(True)
        if len(tried) == 1:
            raise StoreUnavailable
        return await write(task)

    monkeypatch.setattr(node.store, "write", fail_first)
    recoverer = Recoverer(node.store, province.bus, node.tools)
    with pytest.raises(StoreUnavailable):
        await recoverer.step()
    for _ in range(2):
        await recoverer.step()
    assert len(tried) == 2
