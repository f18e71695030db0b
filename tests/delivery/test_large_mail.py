"""Mail of any size: what fits travels together, what never fits stands in nobody's way."""

import pytest

from gateway.codec import enums
from gateway.domain.facts import FactKind
from gateway.domain.lanes import FIRST
from gateway.ports.bus import LARGEST_ITEM
from gateway.ports.store import Work
from gateway.v1 import letter_pb2
from gateway.v1.event_pb2 import Event
from tests.delivery.conftest import Fates
from tests.delivery.dead_list import KIND, STATE, listed, redrive
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.world.estate import SHUIFU, WUHUA
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")


class Stated:
    """Facts of any size that 水富市 has to deliver to 五华区."""

    def __init__(self, province: Province, fates: Fates) -> None:
        self.province = province
        self._forge = Forge(province)
        assert not fates

    async def state(self, *sizes: int) -> list[str]:
        """Log facts of about these sizes, put them up for delivery, return their identifiers."""
        case = await (await Inquiry(self.province).settled("submitted")).case(WUHUA)
        made = [
            self._forge.event(
                SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], causation_id="x" * size
            )
            for size in sizes
        ]
        ids = [Event.FromString(event.payload).event_id for event in made]

        def log(work: Work) -> None:
            for event_id, event in zip(ids, made, strict=True):
                work.events.append(
                    SHUIFU,
                    event_id=event_id,
                    kind=enums.wire(FactKind.LETTER_NOTED),
                    source=str(SHUIFU),
                    case_ids=[case.id],
                    logged_at=self.province.clock.now(),
                    envelope=event.SerializeToString(),
                )
                work.outbox.deliver(SHUIFU, [WUHUA], event_id)

        await self.province.node_of[SHUIFU].store.write(log)
        return ids

    async def arrived(self, event_ids: list[str]) -> list[bool]:
        """Say which of the facts the receiver has in its log."""

        def held(work: Work) -> list[bool]:
            return [work.events.get(WUHUA, one) is not None for one in event_ids]

        return await self.province.node_of[WUHUA].store.read(held)


@pytest.fixture
def stated(province: Province, fates: Fates) -> Stated:
    """Return the way to state facts of any size."""
    return Stated(province, fates)


async def test_facts_that_are_too_large_together_travel_in_several_messages(
    stated: Stated,
) -> None:
    """Each of them within what the carrier takes, however they add up; one alone may fill it."""
    ids = await stated.state(200_000, 900_000, *[200_000] * 6, 10)
    await stated.province.settle()
    assert all(await stated.arrived(ids))
    assert max(len(item) for _, item in stated.province.bus.carried) <= LARGEST_ITEM


@pytest.mark.parametrize("beyond", [-2_000, 0, 500_000])
async def test_a_fact_that_no_message_can_carry_keeps_back_nothing(
    stated: Stated, beyond: int
) -> None:
    """It gets no number: the lane goes on without a gap, and an operator sees which fact it is.
    Taken up again it goes the same way, and is on the list once.
    """
    ids = await stated.state(10, LARGEST_ITEM + beyond, 10)
    await stated.province.settle()
    fits = beyond < 0
    assert await stated.arrived(ids) == [True, fits, True]
    letters = await listed(stated.province, SHUIFU)
    if fits:
        assert not letters
        return
    (letter,) = letters
    assert (letter.kind, letter.event_id) == (KIND.DEAD_LETTER_KIND_UNSENDABLE, ids[1])
    assert (letter.peer, letter.redrivable) == (str(WUHUA), True)
    await redrive(stated.province, SHUIFU, letter.dead_letter_id)
    await stated.province.settle()
    (again,) = await listed(stated.province, SHUIFU)
    assert (again.dead_letter_id, again.redrives) == (letter.dead_letter_id, 1)
    assert again.state == STATE.DEAD_LETTER_STATE_OPEN
    lane = await stated.province.look(SHUIFU, lambda d: d.work.outbox.lane(SHUIFU, WUHUA))
    assert lane.next_sequence == FIRST + 2
    assert not await stated.province.look(SHUIFU, lambda d: d.work.outbox.waiting(1))
