"""Mail of a lane's earlier incarnations: what a peer took and forgot reaches it on the present one."""

import pytest

from gateway.domain.payload_types import RETURNED_FACTS
from gateway.store import tables
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over
from tests.delivery.restoring import Restoring
from tests.delivery.test_proofs import lacking, recoverer
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.province import Province

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


async def heard(province: Province) -> set[str]:
    """Return the facts of 镇雄县 that 五华区 has."""
    return {
        row.event_id
        for row in await rows(province, tables.events)
        if (row.org, row.source) == (str(WUHUA), str(ZHENXIONG))
    }


async def lane(province: Province) -> int:
    """Return the incarnation of the lane from 镇雄县 to 五华区."""
    found = await province.look(ZHENXIONG, lambda desk: desk.work.outbox.lane(ZHENXIONG, WUHUA))
    incarnation: int = found.incarnation
    return incarnation


async def recovered(restoring: Restoring, name: str) -> None:
    """Restore a node from a copy that lacks nothing: all its lanes begin anew."""
    await restoring.back_up(name)
    await restoring.restore(name)
    await restoring.settle()


async def check_all_is_there(province: Province, restoring: Restoring, story: Inquiry) -> None:
    """Both ends show the letter alike, one store may act, every number has its receipt."""
    assert (await story.letter(WUHUA)).state is (await story.letter(ZHENXIONG)).state
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1
    await restoring.check_receipted()
    restoring.check_numbers()


@pytest.mark.parametrize("lives", [1, 2])
async def test_forgotten_mail_of_earlier_lives_comes_again(
    province: Province, restoring: Restoring, lives: int
) -> None:
    """五华区 comes back from before mail of 镇雄县, whose lane has begun anew since, once or twice: the
    recovery ends when that mail is there.
    """
    story = await Inquiry(province).settled("determined")
    await restoring.back_up("wuhua")
    await story.dispatched()
    await province.settle()
    await story.accepted()
    await province.settle()
    before, first = await heard(province), await lane(province)
    for _ in range(lives):
        await recovered(restoring, "zhenxiong")
        province.clock.advance(minutes=2)
    assert await lane(province) > first
    await restoring.restore("wuhua")
    await restoring.settle()
    assert await heard(province) == before != set()
    await check_all_is_there(province, restoring, story)


async def test_forgotten_mail_of_several_lives_comes_again(
    province: Province, restoring: Restoring
) -> None:
    """One letter was answered in the first life of the lane, one in the second: both come again."""
    stories = [await Inquiry(province, number).settled("determined") for number in (2, 3)]
    await restoring.back_up("wuhua")
    for story in stories:
        await story.dispatched()
        await province.settle()
        await story.accepted()
        await province.settle()
        await recovered(restoring, "zhenxiong")
        province.clock.advance(minutes=2)
    before = await heard(province)
    await restoring.restore("wuhua")
    await restoring.settle()
    assert await heard(province) == before
    for story in stories:
        await check_all_is_there(province, restoring, story)


async def test_what_came_back_reaches_who_returned_it_once_more(
    province: Province, restoring: Restoring
) -> None:
    """镇雄县 returned 五华区 its dispatch, then comes back itself from before it: 五华区, whose outbox
    forgot that message, sends it again.
    """
    story = await Inquiry(province).settled("determined")
    await restoring.back_up("zhenxiong")
    await restoring.back_up("wuhua")
    await story.dispatched()
    await province.settle()
    await restoring.restore("wuhua")
    await restoring.settle()
    await restoring.restore("zhenxiong")
    await restoring.settle()
    assert (await story.letter(ZHENXIONG)).id == story.letter_id
    await story.accepted()
    await restoring.settle()
    await check_all_is_there(province, restoring, story)


async def test_an_answer_counts_the_mail_that_it_put_back(
    province: Province, restoring: Restoring
) -> None:
    """镇雄县 returns nothing before what 五华区 denied has numbers: those are waited for."""
    story = await Inquiry(province).settled("dispatched")
    await story.accepted()
    await province.settle()
    await recovered(restoring, "zhenxiong")
    province.clock.advance(minutes=2)
    question = lacking(province, WUHUA, ZHENXIONG, "01a208ab-a2e7-72cf-b228-147d1bd856f3")
    await hand_over(province, ZHENXIONG, question)
    before = len(province.bus.carried)
    assert not await recoverer(province, ZHENXIONG).step()
    await province.send()
    await recoverer(province, ZHENXIONG).step()
    (answer,) = [
        envelope
        for to, item in province.bus.carried[before:]
        if to == WUHUA
        and (envelope := SignedEnvelope.FromString(item)).payload_type == RETURNED_FACTS
    ]
    returned = message_pb2.ReturnedFacts.FromString(answer.payload)
    sent = message_pb2.ReturnHeader.FromString(returned.header).sent
    assert (sent.incarnation, sent.last_sequence) == (await lane(province), 1)
