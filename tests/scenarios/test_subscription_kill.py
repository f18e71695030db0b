"""Subscriptions prove that they are complete after kill -9 of the node and the loss of the broker."""

from collections.abc import Iterator
from shutil import rmtree

import grpc
import pytest

from gateway.domain.facts import FactKind
from gateway.domain.log_chain import START, head_of
from gateway.ports.failpoints import Failpoint
from gateway.v1 import event_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.faults.processes import ProcessProvince
from tests.stores import Stores
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.followers import SUPERVISED, Follower
from tests.world.story import Story
from tests.world.waiting import eventually

GRANTED = FactKind.TITLE_GRANTED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[ProcessProvince]:
    """Each node a process of its own, which can be killed."""
    province = ProcessProvince(tmp_path_factory.mktemp("province"), SUPERVISED, stores)
    try:
        province.start()
        yield province
    finally:
        province.close()


class Subscriber:
    """Follows the log of 五华区 and keeps nothing but position and head."""

    def __init__(self, world: ProcessProvince) -> None:
        self._world = world
        self.position = 0
        self.head = START
        self.event_ids: list[str] = []

    def caught_up(self) -> None:
        """Read up to the present end; every page must prove that it goes on where the last was."""
        request = event_pb2.SubscribeRequest(
            after_position=self.position, after_head=self.head, page_size=3, stop_at_end=True
        )
        for page in self._world.clients.pages(WUHUA, "EventService/Subscribe", request):
            payloads = [logged.envelope.payload for logged in page.events]
            assert page.previous_head == self.head
            assert page.head == head_of(self.head, self.position, payloads)
            self.position, self.head = page.position, page.head
            self.event_ids += [logged.event.event_id for logged in page.events]


# How a client hears of a node that died under its call; on a busy machine by its own deadline.
GONE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_nothing_is_missing_after_kills_and_a_lost_broker(world: ProcessProvince) -> None:
    """Given subscribers of log and facts; when the node is killed between commit and answer, around
    publishing, and the broker loses its disk; then the log goes on from the remembered head with
    every event once, and the chain of facts is the one that was, and goes on.
    """
    follower, subscriber = Follower(world), Subscriber(world)
    follower.granted("53", GRANTED)
    Story(world).handed_over(ZHENXIONG)
    subscriber.caught_up()
    before = eventually(lambda: follower.replayed(WUHUA, GRANTED), "the first hand-over")

    node = world.process("wuhua")
    for point in (Failpoint.STORE_AFTER_COMMIT, Failpoint.STORE_BEFORE_COMMIT):
        story = Story(world)
        story.due(ZHENXIONG.division)
        node.arm(point)
        try:
            story.dispatched(ZHENXIONG)
        except grpc.RpcError as error:
            assert error.code() in GONE  # noqa: PT017 # it died meanwhile
        node.died()
        world.restart("wuhua")
        subscriber.caught_up()
    world.kill_broker()
    rmtree(world.broker.store_dir)
    world.broker.start()
    eventually(lambda: world.serving("wuhua"), "the node linked again")
    Story(world).handed_over(ZHENXIONG)

    subscriber.caught_up()
    whole = Subscriber(world)
    whole.caught_up()
    assert (subscriber.position, subscriber.head) == (whole.position, whole.head)
    assert subscriber.event_ids == whole.event_ids
    assert len(set(whole.event_ids)) == whole.position
    count = len(before) + 1
    after = eventually(
        lambda: found if len(found := follower.replayed(WUHUA, GRANTED)) >= count else None,
        "the hand-over after the loss",
    )
    assert after[: len(before)] == before
    over_nats = follower.over_nats("53", GRANTED, len(after))
    assert [SignedEnvelope.FromString(data) for _, data in over_nats] == after
