"""Facts for those who are entitled to them: over gRPC, over NATS, whole or healed, or refused."""

import threading
from collections.abc import Iterator
from queue import Queue
from shutil import rmtree

import grpc
import pytest

from gateway.crypto.directory import SignedDirectory
from gateway.crypto.verifier import DirectoryVerifier
from gateway.domain.errors import Reason
from gateway.domain.fact_chain import FactChain, FactVerdict, judge_notice
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, FACT_NOTICE
from gateway.v1 import event_pb2, fact_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.stores import Stores
from tests.world.clients import refusal_of
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.followers import NOBODY, SUPERVISED, SUPERVISION, Follower, digests
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

GRANTED, ACCEPTED = FactKind.TITLE_GRANTED, FactKind.LETTER_LINES_ACCEPTED
SUBJECT = "dx.v1.fact.title_granted.53.01.02.edu"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[RunningProvince]:
    """Two counties and public security at work; supervision has certificates and no node."""
    province = RunningProvince(tmp_path_factory.mktemp("province"), SUPERVISED, stores)
    try:
        province.start()
        yield province
    finally:
        province.close()


@pytest.fixture(scope="module")
def follower(world: RunningProvince) -> Follower:
    """Supervision, entitled to hand-overs of the province."""
    follower = Follower(world)
    follower.granted("53", GRANTED)
    return follower


def published(follower: Follower, at_least: int) -> list[SignedEnvelope]:
    """The chain of hand-overs by 五华区, once it has so many notices."""
    return eventually(
        lambda: found if len(found := follower.replayed(WUHUA, GRANTED)) >= at_least else None,
        f"{at_least} notices",
    )


def refused(follower: Follower, source: OrgId, kind: FactKind, as_: OrgId = SUPERVISION) -> Reason:
    """Why a chain is not given."""
    with pytest.raises(grpc.RpcError) as caught:
        follower.replayed(source, kind, as_)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    return refusal_of(caught.value).reason


def test_whole_chain_is_read_and_proves_itself(follower: Follower, story: Story) -> None:
    """A hand-over is published signed; notices and events verify, chain, and name no child."""
    before = len(follower.replayed(WUHUA, GRANTED))
    story.handed_over(ZHENXIONG)
    notices = published(follower, before + 1)

    authority = (follower.world.directory / "authority.pub.pem").read_bytes()
    verifier = DirectoryVerifier(
        SignedDirectory(follower.world.directory / "directory.bin", authority)
    )
    now, chain, event = follower.world.clock.now(), FactChain(), event_pb2.Event()
    for envelope, digest in zip(notices, digests(notices), strict=True):
        found = verifier.verify(envelope, FACT_NOTICE, now)
        assert (found.refusal, found.signer) == (None, WUHUA)
        notice = fact_pb2.FactNotice.FromString(envelope.payload)
        previous = notice.previous_notice_hash.hex()
        assert judge_notice(chain, notice.sequence, previous, digest) is FactVerdict.TAKE
        chain = chain.advanced(digest)
        assert verifier.verify(notice.event, EVENT, now).refusal is None
        event = event_pb2.Event.FromString(notice.event.payload)
        assert (event.source, event.type) == (str(WUHUA), event_pb2.EVENT_TYPE_TITLE_GRANTED)
        assert not follower.world.disclosed(envelope.SerializeToString().decode("utf-8", "ignore"))
    assert event.cases[0].case_id == story.case_id


def test_any_range_can_be_replayed(follower: Follower, story: Story) -> None:
    """A range gives exactly its notices, byte for byte; the answer names the end of the chain."""
    for one in (story, Story(follower.world)):
        one.handed_over(ZHENXIONG)
    whole = published(follower, 2)
    assert follower.replayed(WUHUA, GRANTED, after_sequence=1, last_sequence=2) == whole[1:2]
    assert follower.replayed(WUHUA, GRANTED, after_sequence=len(whole)) == []


def test_nats_carries_the_very_same_notices(follower: Follower, story: Story) -> None:
    """What comes over NATS is byte for byte what the source keeps."""
    story.handed_over(ZHENXIONG)
    whole = published(follower, 1)
    found = follower.over_nats("53", GRANTED, len(whole))
    assert [SignedEnvelope.FromString(data) for _, data in found] == whole
    assert {subject for subject, _ in found} == {SUBJECT}


def test_without_a_right_nothing_is_said(follower: Follower, story: Story) -> None:
    """Another organisation, another kind, and one that is never published are refused alike; an
    organisation whose role may follow nothing is refused for its role.
    """
    story.handed_over(ZHENXIONG)
    assert refused(follower, WUHUA, GRANTED, NOBODY) is Reason.NOT_ENTITLED
    assert refused(follower, ZHENXIONG, ACCEPTED) is Reason.NOT_ENTITLED
    assert refused(follower, WUHUA, FactKind.HUKOU_QUERIED) is Reason.NOT_ENTITLED
    school = OrgId.parse("530102/sch/3153000123")
    assert refused(follower, WUHUA, GRANTED, school) is Reason.WRONG_ROLE
    published_kinds = follower.world.look(WUHUA, lambda work: work.facts.chains(WUHUA))
    assert set(published_kinds) <= {event_pb2.EVENT_TYPE_TITLE_GRANTED}


def test_right_of_today_reaches_back_and_ends(follower: Follower, story: Story) -> None:
    """A chain that nobody wanted before begins with the first fact of its kind; when the right
    ends, a stream that is open ends with it.
    """
    story.handed_over(ZHENXIONG)
    follower.granted("5306", ACCEPTED)
    notices = eventually(lambda: follower.replayed(ZHENXIONG, ACCEPTED), "the chain")
    first = fact_pb2.FactNotice.FromString(notices[0].payload)
    assert first.sequence == 1

    told: Queue[Reason] = Queue()

    def follow() -> None:
        with pytest.raises(grpc.RpcError) as caught:
            follower.replayed(ZHENXIONG, ACCEPTED, follow=True)
        told.put(refusal_of(caught.value).reason)

    stream = threading.Thread(target=follow)
    stream.start()
    follower.ended()
    assert told.get(timeout=30) is Reason.NOT_ENTITLED
    stream.join(30)
    assert refused(follower, WUHUA, GRANTED) is Reason.NOT_ENTITLED
    follower.granted("53", GRANTED)


def test_lost_facts_are_filled_in_again(follower: Follower, story: Story) -> None:
    """Given a broker that loses its disk; then the sources publish anew what it had, from SQL."""
    story.handed_over(ZHENXIONG)
    whole = published(follower, 1)
    follower.over_nats("53", GRANTED, len(whole))
    follower.world.broker.stop()
    rmtree(follower.world.broker.store_dir)
    follower.world.broker.start()
    eventually(lambda: follower.world.serving("wuhua"), "the node linked again")
    stories = Story(follower.world)
    stories.handed_over(ZHENXIONG)
    after = published(follower, len(whole) + 1)
    found = follower.over_nats("53", GRANTED, len(after))
    assert [SignedEnvelope.FromString(data) for _, data in found] == after
