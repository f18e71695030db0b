"""A recovery that cannot go on, because the node holds no key of the organisation: it waits alone."""

import pytest

from gateway.crypto.keyring import Keyring
from gateway.log_events import LogEvent
from gateway.service import recover
from gateway.service.recover import Recoverer
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring
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
