"""The relay when what carries its mail fails in a way that nobody foresaw."""

from collections.abc import Sequence

import pytest

from gateway.domain.organisations import OrgId
from gateway.ports.outbox import MessageState
from gateway.service.relay import Relay
from gateway.store import tables
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.province import Province


async def test_an_attempt_that_any_fault_undid_is_taken_back(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of this node in publishing is as good as a carrier that refuses: however often it
    came, the letter leaves as soon as it is mended, not when the pause is over.
    """
    story = await Inquiry(province).settled("determined")
    await story.dispatched()
    node = province.node_of[WUHUA]
    relay = Relay(node.store, province.bus, node.tools)

    async def stumble(_receiver: OrgId, _items: Sequence[bytes]) -> None:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(province.bus, "publish", stumble)
        for _ in range(5):
            await relay.send_due()
    (left,) = [
        row
        for row in await rows(province, tables.outbox)
        if (row.sender, row.receiver) == (str(WUHUA), str(ZHENXIONG))
    ]
    assert (left.state, left.attempts) == (MessageState.READY, 0)
    await province.settle()
    assert (await story.letter(ZHENXIONG)).id == story.letter_id
