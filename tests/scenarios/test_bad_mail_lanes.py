"""Lanes: what comes twice, out of turn, or differently the second time."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.errors import Reason
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST, RECEIPT
from gateway.ports.outbox import MessageState, OutMessage
from gateway.ports.store import Work
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.forger import ForgedLetter, Forger
from tests.world.letter_box import LetterBox
from tests.world.running import RunningProvince
from tests.world.running_estate import EXPIRED_COUNTY, HOSTILE_COUNTY
from tests.world.story import Story
from tests.world.waiting import eventually


def letter(forger: Forger, sender: OrgId = HOSTILE_COUNTY) -> ForgedLetter:
    """A letter to 五华区 that is right in every point."""
    return forger.letter(forger.title(sender), WUHUA)


def digest_of(data: bytes) -> bytes:
    """The hash by which the next message of the lane names this one."""
    return hashlib.sha256(SignedEnvelope.FromString(data).payload).digest()


@pytest.mark.fault("M3")
def test_replayed_message(forger: Forger, wuhua_box: LetterBox) -> None:
    """The same message again and again: the very bytes of the first receipt, no second effect."""
    sent = letter(forger)
    data = forger.message(HOSTILE_COUNTY, WUHUA, [sent.carried])
    wuhua_box.answer(HOSTILE_COUNTY, data)
    after = wuhua_box.state()

    for times in range(2, 5):
        forger.put(WUHUA, data)
        wuhua_box.receipt(data, times=times)

    assert len(set(wuhua_box.receipt_bytes(data))) == 1
    assert wuhua_box.state() == after
    assert wuhua_box.has_letter(sent.letter_id)


@pytest.mark.fault("M3")
def test_replayed_event_in_a_new_message(forger: Forger, wuhua_box: LetterBox) -> None:
    """The same fact in another message: acknowledged, and without a second effect."""
    sent = letter(forger)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, [sent.carried]))
    after = wuhua_box.state()

    item = wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, [sent.carried]))

    assert item.outcome == message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.state() == after


@pytest.mark.fault("M7")
@pytest.mark.parametrize("same", ["message_id", "lane_sequence"])
def test_same_identifier_or_number_with_other_bytes(
    forger: Forger, wuhua_box: LetterBox, same: str, logs: list[dict[str, object]]
) -> None:
    """A message id or a number of the lane used twice: EQUIVOCATION, with alarm and evidence."""
    first = forger.message(HOSTILE_COUNTY, WUHUA, [letter(forger).carried])
    header = message_pb2.MessageHeader.FromString(
        message_pb2.Message.FromString(SignedEnvelope.FromString(first).payload).header
    )
    wuhua_box.answer(HOSTILE_COUNTY, first)

    again: dict[str, Any] = {"message_id": header.message_id} if same == "message_id" else {}
    second = forger.message(
        HOSTILE_COUNTY,
        WUHUA,
        [letter(forger).carried],
        lane_sequence=header.lane_sequence,
        previous_message_hash=header.previous_message_hash,
        **again,
    )

    assert wuhua_box.out_of_place(second) is Reason.EQUIVOCATION
    assert any(line["event"] == "alarm.equivocation" for line in logs)


@pytest.mark.fault("M7")
def test_same_event_with_other_content(forger: Forger, wuhua_box: LetterBox) -> None:
    """Two facts under one event identifier: the second is refused as EQUIVOCATION."""
    first = letter(forger)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, [first.carried]))
    second = forger.letter(forger.title(HOSTILE_COUNTY), WUHUA, event_id=first.event_id)

    data = forger.message(HOSTILE_COUNTY, WUHUA, [second.carried])

    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.EQUIVOCATION
    assert not wuhua_box.has_letter(second.letter_id)


def test_same_letter_with_other_content(forger: Forger, wuhua_box: LetterBox) -> None:
    """Two letters under one identifier: the second is refused, the first stays."""
    first, second = letter(forger), letter(forger)
    wuhua_box.answer(HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, [first.carried]))
    forged = forger.renamed(second, first.letter_id)

    data = forger.message(HOSTILE_COUNTY, WUHUA, [forged])

    assert wuhua_box.refused(HOSTILE_COUNTY, data) is Reason.EQUIVOCATION


def test_message_that_names_another_predecessor(forger: Forger, wuhua_box: LetterBox) -> None:
    """The next number with a hash that fits no message taken: LANE_BROKEN."""
    wuhua_box.answer(
        HOSTILE_COUNTY, forger.message(HOSTILE_COUNTY, WUHUA, [letter(forger).carried])
    )
    data = forger.message(
        HOSTILE_COUNTY, WUHUA, [letter(forger).carried], previous_message_hash=bytes(32)
    )
    assert wuhua_box.out_of_place(data) is Reason.LANE_BROKEN


def test_message_of_a_life_that_has_passed(forger: Forger, wuhua_box: LetterBox) -> None:
    """A message of an incarnation of the lane that has ended: LANE_BROKEN."""
    data = forger.message(HOSTILE_COUNTY, WUHUA, [letter(forger).carried], lane_incarnation=0)
    assert wuhua_box.out_of_place(data) is Reason.LANE_BROKEN


@pytest.mark.fault("M2")
def test_gap_is_asked_for_and_healed(forger: Forger, wuhua_box: LetterBox) -> None:
    """A message that came early waits; the receiver asks for the hole, and takes both in order."""
    early, missing = letter(forger, EXPIRED_COUNTY), letter(forger, EXPIRED_COUNTY)
    first = forger.message(EXPIRED_COUNTY, WUHUA, [missing.carried])
    lane = forger.lane(EXPIRED_COUNTY, WUHUA)
    second = forger.message(
        EXPIRED_COUNTY,
        WUHUA,
        [early.carried],
        lane_sequence=lane.next_sequence + 1,
        previous_message_hash=digest_of(first),
    )
    forger.put(WUHUA, second)

    def asked() -> message_pb2.GapRequest | None:
        for item in forger.world.observer.seen:
            if item.envelope.payload_type == GAP_REQUEST:
                request = message_pb2.GapRequest.FromString(item.envelope.payload)
                if (request.receiver, request.sender) == (str(WUHUA), str(EXPIRED_COUNTY)):
                    return request
        return None

    request = eventually(asked, "the request for the gap")
    assert request is not None
    assert (request.first_missing, request.last_missing) == (lane.next_sequence,) * 2
    assert not wuhua_box.has_letter(early.letter_id)

    forger.sent(EXPIRED_COUNTY, WUHUA, first)
    forger.counted(EXPIRED_COUNTY, WUHUA, second)
    for data in (first, second):
        assert wuhua_box.receipt(data).outcome == message_pb2.RECEIPT_OUTCOME_APPLIED
    assert wuhua_box.has_letter(missing.letter_id)
    assert wuhua_box.has_letter(early.letter_id)


def test_receipt_of_a_stranger_closes_nothing(forger: Forger, wuhua_box: LetterBox) -> None:
    """A receipt for a message to another, signed by whoever wants it to stay away: the message
    stays open at its sender until its true receiver has it.
    """
    world = forger.world
    story = Story(world)
    story.due("530627")
    world.broker.stop()
    try:
        story.dispatched(ZHENXIONG)
        message = eventually(lambda: newest(world, WUHUA, ZHENXIONG), "the packed message")
        assert message is not None
    finally:
        world.broker.start()
    assert message.state in {MessageState.READY, MessageState.SENT}  # an attempt may be under way
    forged = message_pb2.Receipt(
        receipt_id=forger.ids.new(),
        receiver=str(HOSTILE_COUNTY),
        sender=str(WUHUA),
        received_at=forger.moment(),
        items=[
            message_pb2.ReceiptItem(
                message_id=message.message_id,
                message_digest=bytes.fromhex(message.digest),
                outcome=message_pb2.RECEIPT_OUTCOME_REFUSED,
            )
        ],
    )
    data = forger.signer.sign(HOSTILE_COUNTY, RECEIPT, forged.SerializeToString())
    forger.put(WUHUA, data.SerializeToString())

    assert story.letter(ZHENXIONG, "DELIVERED").lines
    assert story.letter(WUHUA, "DELIVERED").lines
    closed = eventually(
        lambda: (
            found
            if (found := newest(world, WUHUA, ZHENXIONG)) and found.state is MessageState.APPLIED
            else None
        ),
        "the true receipt",
    )
    receipted = replace(message, state=MessageState.APPLIED, receipt_id=closed.receipt_id)
    assert closed == replace(receipted, attempts=closed.attempts)
    assert closed.receipt_id != forged.receipt_id


def newest(world: RunningProvince, sender: OrgId, receiver: OrgId) -> OutMessage | None:
    """The newest message of a lane in its sender's store."""

    def see(work: Work) -> OutMessage | None:
        last = work.outbox.lane(sender, receiver).next_sequence - 1
        return next(iter(work.outbox.between(sender, receiver, 1, last, last)), None)

    return world.look(sender, see)
