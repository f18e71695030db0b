"""Answers in a recovery that are crowded, repeated, dated by a wrong clock, or good but for a title."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from gateway.codec import fields
from gateway.codec.lanes import encode_head
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.keys import KeyPurpose
from gateway.domain.lanes import MOST_EVENTS, LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import RETURNED_FACTS
from gateway.log_events import LogEvent
from gateway.service import take_return
from gateway.service.returned_parts import MOST_BYTES, first_of, split
from gateway.store import tables
from gateway.v1 import letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from gateway.v1.title_pb2 import Title
from tests.delivery.audit import rows
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over
from tests.delivery.restoring import Restoring
from tests.delivery.test_recovery_hostile import returned
from tests.delivery.test_recovery_peers import forgotten_grant, go_on, on_desk, running, silence
from tests.world.estate import PLATFORM, SHUIFU, WUHUA, ZHENXIONG
from tests.world.province import Province

E = "wuhua"
OUTSIDE = "01a208ab-a2e7-72cf-b228-147d1bd856f3"
NOTED = letter_pb2.LetterNoted(letter_id=OUTSIDE)

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[OrgId]:
    """Return who brought each fact that was checked."""
    found: list[OrgId] = []
    check = take_return.own_event

    def noted(*args: Any, brought_by: OrgId, **other: Any) -> Any:
        found.append(brought_by)
        return check(*args, brought_by=brought_by, **other)

    monkeypatch.setattr(take_return, "own_event", noted)
    return found


def part(province: Province, recovery_id: str, events: Sequence[message_pb2.CarriedEvent]) -> bytes:
    """Return the whole answer of 水富市 to 五华区, sealed and signed."""
    tools = province.node_of[SHUIFU].tools
    key = tools.directory.current_key(WUHUA, KeyPurpose.SEAL, province.clock.now())
    assert key is not None
    header = message_pb2.ReturnHeader(
        author=str(SHUIFU),
        peer=str(WUHUA),
        recovery_id=recovery_id,
        part=1,
        last=True,
        seal_key_id=key.key_id,
        received=encode_head(LaneHead()),
        sent=encode_head(LaneHead()),
        created_at=fields.timestamp(province.clock.now()),
    ).SerializeToString()
    content = message_pb2.MessageContent(events=events).SerializeToString()
    wire = message_pb2.ReturnedFacts(
        header=header, sealed_content=tools.sealer.seal(key, header, content)
    )
    signed = tools.signer.sign(SHUIFU, RETURNED_FACTS, wire.SerializeToString())
    return signed.SerializeToString()


async def set_aside(province: Province) -> list[DeadLetter]:
    """Return what 五华区 set aside as not authentic."""
    found: list[DeadLetter] = await province.look(
        WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA, kind=DeadLetterKind.UNAUTHENTIC)
    )
    return list(found)


async def waiting(province: Province, restoring: Restoring) -> tuple[Inquiry, str]:
    """Let 五华区 recover, for ever since the platform is silent; return story and recovery."""
    silence(province, PLATFORM)
    story = await forgotten_grant(province, restoring)
    await go_on(restoring)
    return story, (await running(province, WUHUA)).id


@pytest.mark.parametrize("recovering", [True, False])
async def test_a_crowded_part_is_refused_unread(
    province: Province, restoring: Restoring, checked: list[OrgId], recovering: bool
) -> None:
    """One more than any part has: not one of them is looked at, in a recovery or outside of one."""
    await Inquiry(province).settled("submitted")
    recovery_id = OUTSIDE
    if recovering:
        silence(province, PLATFORM)
        await restoring.back_up(E)
        await restoring.restore(E)
        recovery_id = (await running(province, WUHUA)).id
    crowd = [message_pb2.CarriedEvent()] * (MOST_EVENTS + 1)
    await hand_over(province, WUHUA, part(province, recovery_id, crowd))
    assert not checked
    assert [letter.reason for letter in await set_aside(province)] == [Reason.TOO_LARGE]
    await hand_over(province, WUHUA, part(province, recovery_id, crowd[1:]))
    assert checked == [SHUIFU] * MOST_EVENTS


async def test_a_proof_is_looked_at_once_in_a_while(
    province: Province, checked: list[OrgId]
) -> None:
    """Whoever shows one after the other costs no more than one."""
    await Inquiry(province).settled("submitted")
    shown = part(province, OUTSIDE, [message_pb2.CarriedEvent()] * 3)
    await hand_over(province, WUHUA, *[shown] * 5)
    assert len(checked) == 3
    province.clock.advance(seconds=11)
    await hand_over(province, WUHUA, shown)
    assert len(checked) == 6


def test_no_part_is_made_that_nobody_takes() -> None:
    """However small they are, no more facts go into one part than its taker reads."""
    small = [message_pb2.CarriedEvent()] * (2 * MOST_EVENTS + 1)
    assert [len(batch) for batch in split(small)] == [MOST_EVENTS, MOST_EVENTS, 1]
    assert len(first_of(small, MOST_BYTES, 7)) == 7


async def test_one_conflict_is_one_dead_letter(
    province: Province, restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Returned again and again, sealed anew each time: its peer and its fact name it, and it is
    logged in one line.
    """
    story, recovery_id = await waiting(province, restoring)
    forge = Forge(province)
    theirs = forge.event(
        ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(await story.case(WUHUA))]
    )
    crowd = [message_pb2.CarriedEvent(event=theirs), *[message_pb2.CarriedEvent()] * 9]
    counts: list[tuple[LogEvent, int]] = []

    def note(event: LogEvent, *, facts: int = 0, **_: object) -> None:
        counts.append((event, facts))

    monkeypatch.setattr(take_return, "log", note)
    for _ in range(3):
        await hand_over(province, WUHUA, part(province, recovery_id, crowd))
    (letter,) = await set_aside(province)
    event_id = Event.FromString(theirs.payload).event_id
    assert (letter.peer, letter.event_id) == (SHUIFU, event_id)
    assert counts == [(LogEvent.RECOVERY_CONFLICT, 10)] * 3


async def test_a_clock_that_was_behind_as_it_began_hides_nothing(
    province: Province, restoring: Restoring
) -> None:
    """The restored host starts three days back and is set right: its own facts are no conflict."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    right = province.clock.moment
    province.clock.moment = right - timedelta(days=3)
    await restoring.restore(E)
    province.clock.moment = right + timedelta(minutes=5)
    await restoring.settle()
    assert not await set_aside(province)
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


async def test_a_bad_title_takes_nothing_from_its_fact(
    province: Province, restoring: Restoring
) -> None:
    """The fact is ours and good, the title beside it is not: one is put back, the other reported."""
    story, recovery_id = await waiting(province, restoring)
    forge = Forge(province)
    fact = forge.event(WUHUA, FactKind.LETTER_NOTED, NOTED, [of_case(await story.case(WUHUA))])
    known = [row for row in await rows(province, tables.titles) if row.org == str(WUHUA)]
    envelope = SignedEnvelope.FromString(known[0].envelope)
    title = Title.FromString(envelope.payload)
    title.epoch.number = 7
    signer = province.node_of[PLATFORM].tools.signer
    bad = signer.sign(PLATFORM, envelope.payload_type, title.SerializeToString())
    carried = message_pb2.CarriedEvent(event=fact, titles=[bad])
    await on_desk(province, returned(province, carried, recovery_id=recovery_id, author=SHUIFU))
    event_id = Event.FromString(fact.payload).event_id
    assert await province.look(WUHUA, lambda desk: desk.work.events.get(WUHUA, event_id))
    assert [letter.event_id for letter in await set_aside(province)] == [event_id]
