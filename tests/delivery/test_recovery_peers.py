"""The peers of a recovery: who is waited for, who is waived, who proves the loss, and who lies."""

import pytest

from gateway.domain.errors import Reason, Refusal
from gateway.domain.lanes import LaneHead
from gateway.domain.organisations import OrgId
from gateway.domain.recovery import PeerState, Recovery, RecoveryCause
from gateway.service.arrived_returns import ArrivedReturn
from gateway.service.desk import Desk
from gateway.service.take_return import take_return
from gateway.store import recovery_tables, tables
from gateway.v1 import message_pb2, recovery_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring, statements
from tests.world.estate import PLATFORM, WUHUA, ZHENXIONG
from tests.world.province import Province

E = "wuhua"

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


def silence(province: Province, peer: OrgId) -> None:
    """Let nothing reach a peer any more."""
    province.bus.meddle = lambda receiver, item: () if receiver == peer else (item,)


async def running(province: Province, org: OrgId) -> Recovery:
    """Return the recovery of an organisation that recovers."""
    recovery = await province.look(org, lambda desk: desk.work.recoveries.active(org))
    assert isinstance(recovery, Recovery)
    return recovery


async def waive(province: Province, org: OrgId, peer: OrgId, post: str) -> recovery_pb2.Recovery:
    """Have a post of the organisation decide not to wait for a peer."""
    recovery = await running(province, org)
    request = recovery_pb2.WaivePeerRequest(
        recovery_id=recovery.id,
        organisations=[str(peer)],
        reason=recovery_pb2.WAIVER_REASON_NODE_GONE,
    )
    answer = await province.act(org, "RecoveryService/WaivePeer", request, post)
    shown: recovery_pb2.Recovery = answer.recovery
    return shown


async def forgotten_grant(province: Province, restoring: Restoring) -> Inquiry:
    """Restore the granting county to a moment before its grant."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    await restoring.restore(E)
    return story


async def go_on(restoring: Restoring) -> None:
    """Let time pass and mail travel; whoever does not end its recovery goes on recovering."""
    for _ in range(10):
        await restoring.step()
        await restoring.province.settle()
        restoring.province.clock.advance(minutes=11)


async def test_it_waits_until_two_posts_waive_a_silent_peer(
    province: Province, restoring: Restoring
) -> None:
    """A peer that does not answer is waited for; one post is not enough, two end the waiting."""
    silence(province, PLATFORM)
    story = await forgotten_grant(province, restoring)
    await go_on(restoring)
    assert WUHUA in await restoring.recovering()
    shown = await waive(province, WUHUA, PLATFORM, "OPERATOR")
    assert [peer.organisation for peer in shown.peers] == [str(PLATFORM)]
    await go_on(restoring)
    assert WUHUA in await restoring.recovering(), "one post has ended it"
    shown = await waive(province, WUHUA, PLATFORM, "APPROVER")
    (peer,) = shown.peers
    assert peer.state == recovery_pb2.RECOVERY_PEER_STATE_WAIVED
    assert {waiver.post for waiver in peer.waivers} == {"OPERATOR", "APPROVER"}
    await go_on(restoring)
    assert WUHUA not in await restoring.recovering()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


async def test_a_peer_that_is_not_waited_for_is_not_waived(
    province: Province, restoring: Restoring
) -> None:
    """Whoever decides names a peer that has not answered, in the recovery that runs."""
    silence(province, PLATFORM)
    await forgotten_grant(province, restoring)
    await go_on(restoring)
    with pytest.raises(Refusal) as refused:
        await waive(province, WUHUA, ZHENXIONG, "OPERATOR")
    assert refused.value.reason is Reason.INVALID_FIELD
    request = recovery_pb2.WaivePeerRequest(recovery_id="another", organisations=[str(PLATFORM)])
    with pytest.raises(Refusal) as refused:
        await province.act(WUHUA, "RecoveryService/WaivePeer", request, "OPERATOR")
    assert refused.value.reason is Reason.STALE_VERSION


async def test_a_waived_peer_may_answer_after_all(province: Province, restoring: Restoring) -> None:
    """What a waived peer returns late is taken: the grant that it alone knew is known again."""
    silence(province, ZHENXIONG)
    story = await Inquiry(province).until("dispatched")
    province.bus.meddle = lambda _receiver, item: (item,)
    await province.settle()
    await story.accepted()
    await restoring.back_up(E)
    await province.settle()
    silence(province, ZHENXIONG)
    await restoring.restore(E)
    await go_on(restoring)
    held = [item for item in province.bus.carried if item[0] == ZHENXIONG]
    for post in ("OPERATOR", "APPROVER"):
        await waive(province, WUHUA, ZHENXIONG, post)
    await go_on(restoring)
    assert (await story.case(WUHUA)).holder == WUHUA
    province.bus.meddle = lambda _receiver, item: (item,)
    province.bus.waiting += held
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1
    restoring.check_numbers()


async def test_a_peer_proves_the_loss(province: Province, restoring: Restoring) -> None:
    """No counter has noticed; the statement of a peer that has more begins the recovery."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    await restoring.put_back(E)
    assert not await restoring.recovering()
    await province.state_lanes()
    await province.settle()
    recovery = await running(province, WUHUA)
    assert (recovery.cause, recovery.witness) == (RecoveryCause.PEER_AHEAD, ZHENXIONG)
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1


async def test_an_empty_store_gets_back_what_others_had(
    province: Province, restoring: Restoring
) -> None:
    """The county's disk is gone altogether: the case comes back with its holder."""
    await restoring.back_up(E)
    story = await Inquiry(province).settled("dispatched")
    await restoring.restore(E)
    await restoring.settle()
    await story.accepted()
    await restoring.settle()
    assert (await story.case(WUHUA)).holder == ZHENXIONG
    assert (await restoring.actors())[story.case_id] == 1
    restoring.check_numbers()
    await restoring.check_titles()


async def test_a_statement_that_comes_again_does_no_harm(
    province: Province, restoring: Restoring
) -> None:
    """A recovering statement repeated after the end closes no lane that has begun anew."""
    story = await forgotten_grant(province, restoring)
    await restoring.settle()
    again = [item for item in province.bus.carried if statements([item])]
    assert again
    province.bus.waiting += again
    await restoring.settle()
    second = Inquiry(province, 2)
    await second.settled("dispatched")
    await restoring.settle()
    assert (await second.letter(ZHENXIONG)).sender == WUHUA
    assert (await restoring.actors())[story.case_id] == 1


async def test_every_organisation_of_the_directory_answers(
    province: Province, restoring: Restoring
) -> None:
    """Whoever never wrote to the recovering county says so, with empty lanes, and is settled."""
    await forgotten_grant(province, restoring)
    await restoring.settle()
    states = {
        row.peer: row.state
        for row in await rows(province, recovery_tables.recovery_peers)
        if row.org == str(WUHUA)
    }
    assert set(states.values()) == {PeerState.ANSWERED}
    assert set(states) == {str(org) for org in province.node_of} - {str(WUHUA)}


async def test_what_a_peer_invents_is_not_believed(
    province: Province, restoring: Restoring
) -> None:
    """Another's fact, or one whose bytes were changed, is kept as evidence and changes nothing."""
    silence(province, PLATFORM)
    await forgotten_grant(province, restoring)
    await go_on(restoring)
    recovery = await running(province, WUHUA)
    theirs = [row for row in await rows(province, tables.events) if row.source == str(ZHENXIONG)]
    changed = [row for row in await rows(province, tables.events) if row.source == str(WUHUA)][-1]
    forged = SignedEnvelope.FromString(changed.envelope)
    forged.payload += b"\x00"
    for number, envelope in enumerate(
        (SignedEnvelope.FromString(theirs[0].envelope), forged), start=1
    ):
        part = ArrivedReturn(
            author=ZHENXIONG,
            recovery_id=recovery.id,
            made_at=province.clock.now(),
            part=number,
            last=False,
            received=LaneHead(),
            sent=LaneHead(),
            events=(message_pb2.CarriedEvent(event=envelope),),
            envelope=bytes([number]),
        )
        before = await count_own(province)
        await on_desk(province, part)
        assert await count_own(province) == before
    dead = [row for row in await rows(province, tables.dead_letters) if row.org == str(WUHUA)]
    assert len(dead) == 2


async def count_own(province: Province) -> int:
    """Count the events in the county's log."""
    end: int = await province.look(WUHUA, lambda desk: desk.work.events.end(WUHUA))
    return end


async def on_desk(province: Province, part: ArrivedReturn) -> None:
    """Let the county take a returned part."""
    node = province.node_of[WUHUA]

    def take(desk: Desk) -> None:
        take_return(desk, part)

    await node.store.write(lambda work: take(province.desk(work, WUHUA, "SYSTEM")))
