"""Own messages and receipts that came to nothing: an operator has them go again, or gives them up."""

from typing import Any

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.service import take_mail
from gateway.service.desk import Desk
from gateway.service.effects.table import EFFECTS
from tests.delivery.dead_list import KIND, STATE, discard, listed, redrive
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over, take_aside
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.province import Province


async def test_a_receipt_on_which_the_node_stumbles_is_taken_again(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes its message once the fault is mended."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    said = await hand_over(province, ZHENXIONG, *take_aside(province, WUHUA, ZHENXIONG))

    def stumble(*_args: Any) -> None:
        raise KeyError("a fault of the program")

    with monkeypatch.context() as patch:
        patch.setattr(take_mail, "take_receipt", stumble)
        await hand_over(province, WUHUA, *said)
        (letter,) = await listed(province, WUHUA)
        still = await redrive(province, WUHUA, letter.dead_letter_id)
        assert (letter.kind, still.state) == (
            KIND.DEAD_LETTER_KIND_RECEIPT_FAILED,
            STATE.DEAD_LETTER_STATE_OPEN,
        )
    assert (await redrive(province, WUHUA, letter.dead_letter_id)).state == (
        STATE.DEAD_LETTER_STATE_REDRIVEN
    )
    assert (await inquiry.letter(WUHUA)).delivered_at is not None


async def test_a_refused_fact_is_delivered_again_under_a_number_of_its_own(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender sees which fact was declined and why; taken up again it goes in a new message."""
    inquiry = await Inquiry(province).settled("determined")

    def decline(_desk: Desk, _arrived: Any) -> None:
        raise Refusal(Reason.MATTER_UNKNOWN, "No.", "None.")

    with monkeypatch.context() as patch:
        patch.setitem(EFFECTS, FactKind.LETTER_DISPATCHED, decline)
        await inquiry.dispatched()
        await province.settle()
    (letter,) = await listed(province, WUHUA)
    assert (letter.kind, letter.peer) == (KIND.DEAD_LETTER_KIND_REFUSED_BY_PEER, str(ZHENXIONG))
    assert letter.reason
    assert letter.event_id
    await redrive(province, WUHUA, letter.dead_letter_id)
    await province.settle()
    assert (await inquiry.letter(ZHENXIONG)).id == inquiry.letter_id
    assert not await listed(province, WUHUA)


@pytest.mark.parametrize("then", ["redrive", "return", "discard"])
async def test_a_message_without_a_receipt_dies_after_a_week(province: Province, then: str) -> None:
    """It is not sent for ever: an operator has it sent again, or the peer comes back and asks; its
    receipt takes it off the list in either case.
    """
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    province.bus.waiting.clear()
    province.clock.advance(days=6)
    await province.tend()
    assert not await listed(province, WUHUA)
    province.clock.advance(days=2)
    await province.node_of[WUHUA].lane_keeper.tend()
    letters = await listed(province, WUHUA)
    assert {letter.kind for letter in letters} == {KIND.DEAD_LETTER_KIND_UNRECEIPTED}
    (letter,) = [letter for letter in letters if letter.peer == str(ZHENXIONG)]
    province.bus.waiting.clear()
    await province.send()
    assert not take_aside(province, WUHUA, ZHENXIONG)
    if then == "redrive":
        await redrive(province, WUHUA, letter.dead_letter_id)
    elif then == "return":
        await province.node_of[WUHUA].lane_keeper.state_lanes()
    else:
        await discard(province, WUHUA, letter.dead_letter_id)
    await province.settle()
    arrived = await province.look(
        ZHENXIONG, lambda desk: desk.work.letters.get(ZHENXIONG, inquiry.letter_id)
    )
    assert (arrived is None) == (then == "discard")
    left = await listed(province, WUHUA, kind=letter.kind)
    assert letter.dead_letter_id not in {one.dead_letter_id for one in left}
