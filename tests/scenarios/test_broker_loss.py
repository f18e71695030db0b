"""The broker may stop, and may lose its whole disk: nothing acknowledged is lost (promise 1)."""

import shutil

import pytest
from sqlalchemy import func, select

from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST, LANE_STATEMENT, MESSAGE, RECEIPT
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import Work
from gateway.store import tables
from gateway.v1 import letter_pb2, message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

pytestmark = pytest.mark.every_store


def rows(world: RunningProvince, node: str, table: str, **equal: object) -> int:
    """Count rows of a node's database."""
    found = tables.metadata.tables[table]
    query = select(func.count()).where(*(found.c[name] == value for name, value in equal.items()))
    with world.engine(node).connect().execution_options(reading=True) as connection:
        return int(connection.execute(query.select_from(found)).scalar_one())


def last_message(world: RunningProvince, sender: OrgId, receiver: OrgId) -> OutMessage | None:
    """The newest message of a lane in its sender's store."""

    def see(work: Work) -> OutMessage | None:
        last = work.outbox.lane(sender, receiver).next_sequence - 1
        return next(iter(work.outbox.between(sender, receiver, 1, last, last)), None)

    return world.look(sender, see)


def receipt_for(world: RunningProvince, org: OrgId, message: OutMessage) -> bytes:
    """The signed receipt for a message as an organisation keeps it; empty when it has none."""
    database = "wuhua" if org == WUHUA else "zhenxiong"
    with world.engine(database).connect().execution_options(reading=True) as connection:
        kept = connection.execute(
            select(tables.receipts.c.envelope).where(tables.receipts.c.org == str(org))
        ).scalars()
        found = [
            data
            for data in kept
            for item in message_pb2.Receipt.FromString(
                SignedEnvelope.FromString(data).payload
            ).items
            if item.message_id == message.message_id
        ]
    return found[0] if found else b""


def test_letter_survives_the_loss_of_the_broker(world: RunningProvince, story: Story) -> None:
    """Given a stopped broker; when a letter is dispatched; then it is accepted for delivery. When
    the broker's data is deleted and the broker started; then the letter arrives, once: one letter,
    one event, one message, and both sides hold the same receipt.
    """
    story.due("530627")
    world.broker.stop()

    letter = story.dispatched(ZHENXIONG)
    assert letter.state == letter_pb2.LETTER_STATE_DISPATCHED
    assert letter.letter_no
    shutil.rmtree(world.broker.store_dir)
    world.broker.start()

    assert story.letter(ZHENXIONG, "DELIVERED").letter_no == letter.letter_no
    story.letter(WUHUA, "DELIVERED")
    message = eventually(lambda: last_message(world, WUHUA, ZHENXIONG), "the message")
    assert message is not None
    assert message.state is MessageState.APPLIED
    assert story.facts(ZHENXIONG).count("LETTER_DISPATCHED") == 1
    assert rows(world, "zhenxiong", "letters", id=letter.letter_id) == 1
    assert rows(world, "zhenxiong", "inbox", message_id=message.message_id) == 1
    receipt = receipt_for(world, WUHUA, message)
    assert receipt
    assert receipt == receipt_for(world, ZHENXIONG, message)


def test_mail_that_only_the_broker_had_comes_again(world: RunningProvince, story: Story) -> None:
    """Given a letter that the broker took while its receiver was away; when the broker loses its
    disk; then the sender sends it again by itself, and it arrives once.
    """
    story.due("530627")
    world.run(world.nodes["zhenxiong"].stop())
    before = len(world.observer.between(WUHUA, ZHENXIONG))
    letter = story.dispatched(ZHENXIONG)
    eventually(
        lambda: len(world.observer.between(WUHUA, ZHENXIONG)) > before, "the letter on the bus"
    )
    world.broker.stop()
    shutil.rmtree(world.broker.store_dir)
    world.broker.start()
    world.run(world.nodes["zhenxiong"].start())

    assert story.letter(ZHENXIONG, "DELIVERED").letter_id == letter.letter_id
    story.letter(WUHUA, "DELIVERED")
    assert story.facts(ZHENXIONG).count("LETTER_DISPATCHED") == 1
    assert rows(world, "zhenxiong", "letters", id=letter.letter_id) == 1


def test_bus_shows_only_where_mail_goes(world: RunningProvince, story: Story) -> None:
    """On the bus there are subjects of organisations and sealed, signed bytes: no header tells
    what a message is about, and every item is an envelope.
    """
    story.handed_over(ZHENXIONG)
    world.run(world.observer.caught_up())
    assert world.observer.seen
    for item in world.observer.seen:
        assert item.subject.startswith("dx.v1.mail.")
        assert set(item.headers) <= {
            "Nats-Expected-Stream",
            "Nats-Batch-Id",
            "Nats-Batch-Sequence",
            "Nats-Batch-Commit",
        }
        assert item.envelope.payload_type in {GAP_REQUEST, LANE_STATEMENT, MESSAGE, RECEIPT}
