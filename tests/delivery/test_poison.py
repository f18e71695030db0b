"""One bad item keeps back nobody else: not its message, not its lane, not its node."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.ports.bus import Disposition
from gateway.service import mail_room, take_mail
from gateway.service.arrivals import Arrived, ArrivedMessage
from gateway.service.desk import Desk
from gateway.v1 import absence_pb2, letter_pb2, retrieval_pb2
from gateway.v1.event_pb2 import Event
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, receipts_in
from tests.delivery.test_order import quarantine
from tests.world.estate import SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

BODY = retrieval_pb2.RetrievalBodyConfirmed()
NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")


async def logged(province: Province, event_id: str) -> bool:
    """Say whether the bureau has the event in its log."""
    entry = await province.look(WUHUA, lambda desk: desk.work.events.get(WUHUA, event_id))
    return entry is not None


@pytest.mark.fault("M10")
async def test_a_refused_event_spoils_nothing_else_of_its_message(
    province: Province, fates: Fates
) -> None:
    """The others take effect; the receipt names the refused one and why."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    good = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    other = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    wrong_role = forge.event(
        SHUIFU, FactKind.ABSENCE_REPORTED, absence_pb2.AbsenceReported(), [of_case(case)]
    )
    foreign = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], signer=ZHENXIONG)
    mail = forge.mail(SHUIFU, WUHUA, *map(forge.carried, (good, wrong_role, foreign, other)))
    said = await hand_over(province, WUHUA, mail.data)
    assert answers(said) == ["REFUSED SIGNER_MISMATCH ROLE_NOT_ALLOWED"]
    (item,) = receipts_in(said)[0].items
    named = [exception.event_id for exception in item.exceptions]
    assert named == [Event.FromString(e.payload).event_id for e in (foreign, wrong_role)]
    for event in (good, other):
        assert await logged(province, Event.FromString(event.payload).event_id)
    assert await quarantine(province, WUHUA) == ["SIGNER_MISMATCH"]


@pytest.mark.fault("M10")
@pytest.mark.parametrize("of_a_case", [True, False])
async def test_an_event_on_which_the_node_stumbles_waits_in_sight(
    province: Province, fates: Fates, monkeypatch: pytest.MonkeyPatch, of_a_case: bool
) -> None:
    """A fault of our own is no refusal: the event is parked as INTERNAL, the message kept in
    quarantine, everything else goes on; once mended it takes effect when its sender asks.
    """
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    monkeypatch.setattr("gateway.service.arrivals._WITHOUT_CASE", frozenset(FactKind))
    forge = Forge(province)
    references = [of_case(case)] if of_a_case else []
    bad = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, references)
    good = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED)
    event_id = Event.FromString(bad.payload).event_id
    fates[event_id] = KeyError("a fault of the program")
    mail = forge.mail(SHUIFU, WUHUA, *map(forge.carried, (bad, good)))
    following = forge.mail(SHUIFU, WUHUA, forge.carried(good))
    first = await hand_over(province, WUHUA, mail.data)
    assert answers(first) == ["PARKED INTERNAL"]
    assert await quarantine(province, WUHUA) == ["INTERNAL"]
    assert answers(await hand_over(province, WUHUA, following.data)) == ["APPLIED"]
    assert await hand_over(province, WUHUA, mail.data) == first

    fates.clear()
    then = await hand_over(province, WUHUA, mail.data)
    assert then[0] == first[0]
    assert answers(then[1:]) == ["APPLIED"]
    (final,) = receipts_in(then[1:])
    assert final.items[0].follows_receipt_id == receipts_in(first)[0].receipt_id


async def test_the_same_fact_by_two_lanes_waits_once(province: Province, fates: Fates) -> None:
    """A fact that waits already is not parked again when someone passes it on."""
    inquiry = await Inquiry(province).settled("dispatched")
    case = await inquiry.case(WUHUA_SCHOOL)
    forge = Forge(province)
    unknown = of_case(case)
    unknown.title.epoch.number = 7
    act = forge.carried(forge.event(SHUIFU, FactKind.RETRIEVAL_BODY_CONFIRMED, BODY, [unknown]))
    twice = [forge.mail(SHUIFU, WUHUA_SCHOOL, act, act), forge.mail(SHUIFU, WUHUA_SCHOOL, act)]
    said = await hand_over(province, WUHUA_SCHOOL, *(mail.data for mail in twice))
    assert answers(said) == ["PARKED TITLE_UNKNOWN TITLE_UNKNOWN", "REFUSED TITLE_UNKNOWN"]


@pytest.mark.fault("M10")
async def test_an_item_that_breaks_the_whole_batch_is_brought_again_alone(
    province: Province, fates: Fates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw outside of any event: that item comes again, the others are done, and
    the node lives on.
    """
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    event = forge.carried(forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)]))
    of_shuifu = forge.mail(SHUIFU, WUHUA, event)
    event = forge.carried(forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(case)]))
    of_zhenxiong = forge.mail(ZHENXIONG, WUHUA, event)
    take: Callable[..., Any] = take_mail.take_mail

    def stumble(desk: Desk, arrivals: Sequence[Arrived]) -> Any:
        if any(isinstance(a, ArrivedMessage) and a.sender == SHUIFU for a in arrivals):
            raise RuntimeError("a fault of the program")
        return take(desk, arrivals)

    with monkeypatch.context() as broken:
        broken.setattr(mail_room, "take_mail", stumble)
        handle = province.node_of[WUHUA].mail_room.handle
        dispositions = await handle(WUHUA, [of_shuifu.data, b"no mail", of_zhenxiong.data])
        assert dispositions == [Disposition.AGAIN, Disposition.DONE, Disposition.DONE]
    assert answers(await hand_over(province, WUHUA, of_shuifu.data)) == ["APPLIED"]


async def test_without_a_key_to_sign_receipts_mail_stays_on_the_bus(
    province: Province, fates: Fates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken that could not be answered for; with the key back it is."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    event = forge.carried(forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)]))
    mail = forge.mail(SHUIFU, WUHUA, event)
    node = province.node_of[WUHUA]

    def no_key(*_args: Any) -> Any:
        raise Refusal(Reason.KEY_UNKNOWN, "No key.", "Ask.")

    with monkeypatch.context() as broken:
        broken.setattr(type(node.tools.signer), "sign", no_key)
        assert await node.mail_room.handle(WUHUA, [mail.data]) == [Disposition.AGAIN]
    assert answers(await hand_over(province, WUHUA, mail.data)) == ["APPLIED"]
