"""What did not take effect waits in the open; an operator takes it up again, once, or gives it up."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from gateway.domain.dead_letters import MOST_TRIES
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.service import park_events
from gateway.service.desk import Desk
from gateway.v1 import delivery_pb2, letter_pb2
from gateway.v1.event_pb2 import Event
from tests.delivery.conftest import Fates
from tests.delivery.dead_list import KIND, STATE, discard, listed, redrive
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over
from tests.delivery.rotation import without_keys
from tests.world.estate import SHUIFU, WUHUA
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
PARKED = Parked(Reason.TITLE_UNKNOWN, "Not yet.", "Wait.")


async def logged(province: Province, event_id: str) -> bool:
    """Say whether the bureau has the event in its log."""
    entry = await province.look(WUHUA, lambda desk: desk.work.events.get(WUHUA, event_id))
    return entry is not None


class Noted:
    """Facts about two cases of the bureau, each in a message of its own."""

    def __init__(self, province: Province, fates: Fates) -> None:
        self.province = province
        self.fates = fates
        self.forge = Forge(province)
        self.cases: list[Any] = []

    async def begin(self) -> "Noted":
        """Open the cases."""
        for number in (1, 2):
            inquiry = await Inquiry(self.province, number).settled("submitted")
            self.cases.append(await inquiry.case(WUHUA))
        return self

    async def arrive(self, case: int, fate: Exception | None = None) -> tuple[str, bytes]:
        """Bring a fact of a case; return its identifier and its message."""
        reference = of_case(self.cases[case])
        event = self.forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [reference])
        event_id = Event.FromString(event.payload).event_id
        if fate is not None:
            self.fates[event_id] = fate
        mail = self.forge.mail(SHUIFU, WUHUA, self.forge.carried(event))
        await hand_over(self.province, WUHUA, mail.data)
        return event_id, mail.data

    async def wait_out(self) -> None:
        """Let the clock try whatever is parked until it tries no more."""
        for _ in range(MOST_TRIES + 1):
            self.province.clock.advance(hours=50)
            await self.province.tend()


@pytest.fixture
async def noted(province: Province, fates: Fates) -> Noted:
    """Return two cases and the way to bring facts of them."""
    return await Noted(province, fates).begin()


async def test_a_parked_event_dies_in_the_open_and_keeps_back_its_own_case_alone(
    noted: Noted,
) -> None:
    """After a bounded number of tries it is a dead letter; it stays parked, is never refused in
    silence, and what came behind it waits without dying; another case goes on.
    """
    stuck, message = await noted.arrive(0, PARKED)
    behind, _ = await noted.arrive(0)
    assert not await listed(noted.province, WUHUA)
    await noted.wait_out()
    (letter,) = await listed(noted.province, WUHUA)
    assert (letter.kind, letter.event_id) == (KIND.DEAD_LETTER_KIND_PARKED, stuck)
    assert (letter.peer, letter.redrivable) == (str(SHUIFU), True)
    said = answers(await hand_over(noted.province, WUHUA, message))
    assert said == ["PARKED TITLE_UNKNOWN"]
    assert not await logged(noted.province, behind)
    other, _ = await noted.arrive(1)
    assert await logged(noted.province, other)


async def test_a_parked_event_is_taken_up_again_once(noted: Noted) -> None:
    """Not yet mended it comes back to the list; mended it takes effect with all behind it, leaves
    the list, and cannot be taken up a second time.
    """
    stuck, message = await noted.arrive(0, PARKED)
    behind, _ = await noted.arrive(0)
    await noted.wait_out()
    (letter,) = await listed(noted.province, WUHUA)
    still = await redrive(noted.province, WUHUA, letter.dead_letter_id)
    assert (still.state, still.redrives) == (STATE.DEAD_LETTER_STATE_OPEN, 1)
    noted.fates.clear()
    done = await redrive(noted.province, WUHUA, letter.dead_letter_id)
    assert (done.state, done.redrives) == (STATE.DEAD_LETTER_STATE_REDRIVEN, 2)
    assert await logged(noted.province, stuck)
    assert await logged(noted.province, behind)
    assert not await listed(noted.province, WUHUA)
    with pytest.raises(Refusal, match="ILLEGAL_TRANSITION"):
        await redrive(noted.province, WUHUA, letter.dead_letter_id)
    assert answers(await hand_over(noted.province, WUHUA, message)) == ["APPLIED", "APPLIED"]


async def test_giving_a_parked_event_up_refuses_it_and_frees_its_case(noted: Noted) -> None:
    """Its sender gets a linked refusal, what waited behind it takes effect."""
    stuck, message = await noted.arrive(0, PARKED)
    behind, _ = await noted.arrive(0)
    await noted.wait_out()
    (letter,) = await listed(noted.province, WUHUA)
    given_up = await discard(noted.province, WUHUA, letter.dead_letter_id)
    assert given_up.state == STATE.DEAD_LETTER_STATE_DISCARDED
    assert given_up.discard_reason == delivery_pb2.DISCARD_REASON_OUTDATED
    assert not await logged(noted.province, stuck)
    assert await logged(noted.province, behind)
    said = answers(await hand_over(noted.province, WUHUA, message))
    assert said == ["REFUSED TITLE_UNKNOWN", "APPLIED"]
    assert not await listed(noted.province, WUHUA)


@pytest.mark.parametrize(
    ("settle", "said"),
    [(redrive, ["APPLIED", "APPLIED"]), (discard, ["REFUSED TITLE_UNKNOWN", "APPLIED"])],
)
async def test_the_sender_hears_unasked_what_an_operator_decided(
    noted: Noted, settle: Callable[..., Any], said: list[str]
) -> None:
    """The receipts leave at the keeper's next turn, once, also after a restart in between."""
    await noted.arrive(0, PARKED)
    await noted.arrive(0)
    await noted.wait_out()
    noted.fates.clear()
    (letter,) = await listed(noted.province, WUHUA)
    await settle(noted.province, WUHUA, letter.dead_letter_id)
    node = noted.province.node_of[WUHUA]
    await node.store.close()
    node.open()
    for answered in (said, []):
        before = len(noted.province.bus.carried)
        await node.lane_keeper.tend()
        carried = noted.province.bus.carried[before:]
        assert answers([data for receiver, data in carried if receiver == SHUIFU]) == answered


async def test_a_message_taken_up_again_is_answered_unasked(noted: Noted) -> None:
    """As if it had just come."""
    with without_keys(noted.province, WUHUA, SHUIFU):
        event_id, _ = await noted.arrive(0)
    (letter,) = await listed(noted.province, WUHUA)
    await redrive(noted.province, WUHUA, letter.dead_letter_id)
    assert await logged(noted.province, event_id)
    before = len(noted.province.bus.carried)
    await noted.province.node_of[WUHUA].lane_keeper.tend()
    carried = noted.province.bus.carried[before:]
    assert answers([data for receiver, data in carried if receiver == SHUIFU]) == ["APPLIED"]


async def test_what_takes_effect_after_all_leaves_the_list_by_itself(noted: Noted) -> None:
    """A dead event is still tried when its case goes on or its sender asks."""
    stuck, message = await noted.arrive(0, KeyError("a fault of the program"))
    (letter,) = await listed(noted.province, WUHUA)
    assert letter.kind == KIND.DEAD_LETTER_KIND_PARKED
    noted.fates.clear()
    assert answers(await hand_over(noted.province, WUHUA, message)) == [
        "PARKED INTERNAL",
        "APPLIED",
    ]
    assert await logged(noted.province, stuck)
    state = STATE.DEAD_LETTER_STATE_HEALED
    (healed,) = await listed(noted.province, WUHUA, state=state)
    assert healed.dead_letter_id == letter.dead_letter_id


async def test_bytes_that_are_authentic_later_are_read_again(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose key the directory lacked is read along the same way once it has it."""
    verifier = type(noted.province.node_of[WUHUA].tools.verifier)
    verify = verifier.verify

    def unknown(self: Any, envelope: Any, payload_type: str, at: Any) -> Any:
        found = verify(self, envelope, payload_type, at)
        return type(found)(found.steps, Reason.KEY_UNKNOWN, None, found.key_id)

    with monkeypatch.context() as patch:
        patch.setattr(verifier, "verify", unknown)
        event_id, message = await noted.arrive(0)
        (letter,) = await listed(noted.province, WUHUA)
        assert (letter.kind, letter.peer) == (KIND.DEAD_LETTER_KIND_UNAUTHENTIC, "")
        still = await redrive(noted.province, WUHUA, letter.dead_letter_id)
        assert still.state == STATE.DEAD_LETTER_STATE_OPEN
    done = await redrive(noted.province, WUHUA, letter.dead_letter_id)
    assert done.state == STATE.DEAD_LETTER_STATE_REDRIVEN
    assert await logged(noted.province, event_id)
    assert answers(await hand_over(noted.province, WUHUA, message)) == ["APPLIED"]


async def test_what_a_receipt_refused_can_only_be_given_up(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An equivocation stays refused; discarded it does not come back when it is sent again."""
    await noted.arrive(0)
    forged = Forge(noted.province).mail(SHUIFU, WUHUA)
    await hand_over(noted.province, WUHUA, forged.data)
    (letter,) = await listed(noted.province, WUHUA)
    assert (letter.kind, letter.redrivable) == (KIND.DEAD_LETTER_KIND_EQUIVOCATION, False)
    with pytest.raises(Refusal, match="ILLEGAL_TRANSITION"):
        await redrive(noted.province, WUHUA, letter.dead_letter_id)
    await discard(noted.province, WUHUA, letter.dead_letter_id)
    said = await hand_over(noted.province, WUHUA, forged.data)
    assert answers(said) == ["REFUSED EQUIVOCATION"]
    assert not await listed(noted.province, WUHUA)


async def test_the_list_has_pages_and_belongs_to_its_organisation(noted: Noted) -> None:
    """Oldest first, page by page; what is another's is not found."""
    for case in (0, 0, 1):
        await noted.arrive(case, KeyError("a fault of the program"))
    request = delivery_pb2.ListDeadLettersRequest(page_size=1)
    first = await noted.province.ask(WUHUA, "DeliveryService/ListDeadLetters", request)
    request.page_token = first.next_page_token
    second = await noted.province.ask(WUHUA, "DeliveryService/ListDeadLetters", request)
    seen = [page.dead_letters[0].dead_letter_id for page in (first, second)]
    assert seen == [letter.dead_letter_id for letter in await listed(noted.province, WUHUA)]
    assert not second.next_page_token
    assert not await listed(noted.province, SHUIFU)
    for letter_id in (seen[0], str(uuid4())):
        with pytest.raises(Refusal, match="NOT_FOUND"):
            await discard(noted.province, SHUIFU, letter_id)


async def test_a_try_by_the_clock_that_fails_keeps_back_no_other(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parked event is a transaction of its own."""
    first, _ = await noted.arrive(0, PARKED)
    second, _ = await noted.arrive(1, PARKED)
    noted.fates.clear()
    retry = park_events._retry

    def stumble(desk: Desk, waiting: Any, replies: Any) -> Any:
        if waiting.event_id == first:
            raise RuntimeError("a fault of the program")
        return retry(desk, waiting, replies)

    monkeypatch.setattr(park_events, "_retry", stumble)
    noted.province.clock.advance(hours=1)
    await noted.province.tend()
    assert not await logged(noted.province, first)
    assert await logged(noted.province, second)
