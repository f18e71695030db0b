"""Packing and sending: lanes without a key wait alone, in order; attempts are paced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.errors import Reason, Refusal
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.service import pack_lanes
from gateway.service.relay import Relay, next_pause
from gateway.store import tables
from gateway.v1 import letter_pb2
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import header_of, take_aside
from tests.world.estate import WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP, ZHENXIONG
from tests.world.province import Province

Lacks = Callable[[OrgId], Any]


@pytest.fixture
def without_seal_key(province: Province, monkeypatch: pytest.MonkeyPatch) -> Lacks:
    """Return a context in which the directory of 五华区 has no sealing key of an organisation."""
    directory = province.node_of[WUHUA].tools.directory

    @contextmanager
    def lacking(org: OrgId) -> Iterator[None]:
        current = directory.current_key

        def none_of_one(owner: OrgId, purpose: KeyPurpose, at: Any) -> Any:
            lacks = owner == org and purpose is KeyPurpose.SEAL
            return None if lacks else current(owner, purpose, at)

        with monkeypatch.context() as patch:
            patch.setattr(directory, "current_key", none_of_one)
            yield

    return lacking


def receivers_on_the_bus(province: Province) -> set[OrgId]:
    """Return to whom something is on its way."""
    return {receiver for receiver, _ in province.bus.waiting}


async def test_a_receiver_without_a_key_holds_back_its_own_lane_only(
    province: Province, without_seal_key: Lacks
) -> None:
    """The others get their mail; the lane's mail follows by itself when there is a key, in order,
    also when nothing else has to be sent and newer mail came meanwhile.
    """
    inquiry = await Inquiry(province).settled("submitted")
    with without_seal_key(WUHUA_SCHOOL):
        await inquiry.confirmed()
        await province.send()
        assert WUHUA_SCHOOL not in receivers_on_the_bus(province)
        assert WUHUA_TOWNSHIP in receivers_on_the_bus(province)
        await province.settle()
        province.clock.advance(seconds=30)
    await inquiry.determined()
    await province.settle()
    province.clock.advance(minutes=1)
    await province.settle()
    assert (await inquiry.case(WUHUA_SCHOOL)).jurisdiction_row == "J3"
    numbers = await deliveries_of(province, WUHUA, WUHUA_SCHOOL)
    assert numbers == sorted(numbers)


async def test_held_mail_leaves_although_nothing_else_happens(
    province: Province, without_seal_key: Lacks
) -> None:
    """A lane that was held back is tried again by the clock alone."""
    inquiry = await Inquiry(province).settled("submitted")
    with without_seal_key(WUHUA_SCHOOL):
        await inquiry.confirmed()
        await province.settle()
    await province.settle()
    assert (await inquiry.case(WUHUA_SCHOOL)).holder is None
    province.clock.advance(minutes=1, seconds=1)
    await province.settle()
    assert (await inquiry.case(WUHUA_SCHOOL)).holder == WUHUA


async def deliveries_of(province: Province, sender: OrgId, receiver: OrgId) -> list[int]:
    """Return the delivery numbers of a lane in the order of its messages."""

    def read(work: Any) -> list[int]:
        d, o = tables.deliveries, tables.outbox
        query = (
            select(d.c.number)
            .join(o, o.c.message_id == d.c.message_id)
            .where(o.c.sender == str(sender), o.c.receiver == str(receiver))
            .order_by(o.c.sequence, d.c.number)
        )
        return list(work._connection.execute(query).scalars())

    return await province.node_of[sender].store.read(read)


async def test_held_mail_in_masses_keeps_nobody_back(
    province: Province, without_seal_key: Lacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More held deliveries than are looked at together: the others still leave at once."""
    monkeypatch.setattr(pack_lanes, "_MOST_WAITING", 2)
    inquiry = await Inquiry(province).settled("submitted")
    with without_seal_key(WUHUA_SCHOOL):
        await inquiry.confirmed()
        await inquiry.determined()
        await inquiry.dispatched()
        await province.send()
        assert receivers_on_the_bus(province) >= {WUHUA_TOWNSHIP, ZHENXIONG}
    await inquiry.act(WUHUA, *retraction(inquiry))
    await province.settle()
    numbers = await deliveries_of(province, WUHUA, WUHUA_SCHOOL)
    assert numbers == sorted(numbers)
    assert (await inquiry.case(WUHUA_SCHOOL)).jurisdiction_row in {"", "J3"}


async def test_a_mass_of_held_mail_gives_the_relay_rest(
    province: Province, without_seal_key: Lacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More waits on a held lane than is looked at together: nothing is due before the moment, and
    then each of it leaves, in order.
    """
    monkeypatch.setattr(pack_lanes, "_MOST_WAITING", 2)
    monkeypatch.setattr(pack_lanes, "_SHARE", 1)
    inquiry = await Inquiry(province).settled("submitted")
    node = province.node_of[WUHUA]
    relay = Relay(node.store, province.bus, node.tools)
    with without_seal_key(WUHUA_SCHOOL):
        for step in (inquiry.confirmed, inquiry.determined, inquiry.dispatched):
            await step()
        rounds = [await relay._round() for _ in range(20)]
        assert not any(rounds[-3:])
    province.clock.advance(minutes=1, seconds=1)
    await province.settle()
    numbers = await deliveries_of(province, WUHUA, WUHUA_SCHOOL)
    assert len(numbers) > 2
    assert numbers == sorted(numbers)


def retraction(inquiry: Inquiry) -> tuple[str, Any]:
    """Return the command that takes the letter back."""
    request = letter_pb2.RetractLetterRequest(letter_id=inquiry.letter_id, reason="另行函告")
    return "LetterService/RetractLetter", request


async def test_a_sender_without_a_key_holds_back_its_own_lanes_only(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One organisation's expired key stops neither its neighbours on the node nor the node."""
    inquiry = await Inquiry(province).settled("submitted")
    await Inquiry(province, 2).submitted()
    await inquiry.confirmed()
    signer = type(province.node_of[WUHUA].tools.signer)
    sign = signer.sign

    def no_key(self: Any, org: OrgId, payload_type: str, payload: bytes) -> Any:
        if org == WUHUA_SCHOOL:
            raise Refusal(Reason.KEY_UNKNOWN, "No key.", "Ask.")
        return sign(self, org, payload_type, payload)

    with monkeypatch.context() as broken:
        broken.setattr(signer, "sign", no_key)
        await province.send()
        senders = {header.sender for _, item in province.bus.waiting if (header := header_of(item))}
        assert senders == {str(WUHUA)}
    province.clock.advance(minutes=1, seconds=1)
    await province.settle()
    sent = await deliveries_of(province, WUHUA_SCHOOL, WUHUA)
    assert len(sent) == 4


async def test_a_lane_on_which_the_node_stumbles_waits_alone(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged record of one lane keeps back no other; mended, the lane's mail leaves by itself."""
    inquiry = await Inquiry(province).settled("submitted")
    carried = pack_lanes._carried

    def stumble(desk: Any, receiver: OrgId, event_id: str) -> Any:
        if receiver == WUHUA_SCHOOL:
            raise LookupError("a private part is gone")
        return carried(desk, receiver, event_id)

    with monkeypatch.context() as patch:
        patch.setattr(pack_lanes, "_carried", stumble)
        await inquiry.confirmed()
        await province.send()
        assert WUHUA_TOWNSHIP in receivers_on_the_bus(province)
        assert WUHUA_SCHOOL not in receivers_on_the_bus(province)
    await province.settle()
    province.clock.advance(minutes=1, seconds=1)
    await province.settle()
    assert (await inquiry.case(WUHUA_SCHOOL)).holder == WUHUA


async def test_late_mail_carries_the_titles_of_its_own_time(
    province: Province, without_seal_key: Lacks
) -> None:
    """An act that is packed only after the title passed on is not stale for it: beside it go the
    titles up to its own.
    """
    inquiry = await Inquiry(province).settled("submitted")
    with without_seal_key(WUHUA_SCHOOL):
        await inquiry.confirmed()
        await province.settle()
        for step in (inquiry.determined, inquiry.dispatched, inquiry.accepted):
            await step()
            await province.settle()
    province.clock.advance(minutes=2)
    await province.settle()
    case = await inquiry.case(WUHUA_SCHOOL)
    assert (case.holder, case.jurisdiction_row) == (ZHENXIONG, "J3")
    refused = [
        row
        for row in await outbox(province, WUHUA)
        if row.receiver == str(WUHUA_SCHOOL) and row.state != "APPLIED"
    ]
    assert not refused


async def outbox(province: Province, org: OrgId) -> list[Any]:
    """Return the messages that a node has sent."""

    def read(work: Any) -> list[Any]:
        return list(work._connection.execute(select(tables.outbox)).all())

    return await province.node_of[org].store.read(read)


async def test_a_lane_cuts_its_messages_at_the_limit(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many events make several messages, each with as many as fit; none is left out."""
    monkeypatch.setattr(pack_lanes, "MOST_EVENTS", 2)
    inquiry = await Inquiry(province).settled("submitted")
    for step in (inquiry.confirmed, inquiry.determined):
        await step()
    await province.send()
    lane = take_aside(province, WUHUA, WUHUA_SCHOOL)
    events = await deliveries_of(province, WUHUA, WUHUA_SCHOOL)
    assert len(lane) == (len(events) + 1) // 2
    monkeypatch.setattr(pack_lanes, "_MOST_BYTES", 1)
    await inquiry.dispatched()
    await province.send()
    assert len(take_aside(province, WUHUA, ZHENXIONG)) == 1


async def test_a_first_attempt_is_paced_as_a_first_one(province: Province) -> None:
    """New mail is not slowed down by old mail to the same receiver that was tried often."""
    inquiry = await Inquiry(province).settled("submitted")
    await inquiry.confirmed()
    for _ in range(6):
        await province.send()
        province.bus.waiting.clear()
        province.clock.advance(minutes=11)
    await inquiry.determined()
    await province.send()
    now = province.clock.now()
    due = [
        (row.attempts, row.next_attempt - now)
        for row in await outbox(province, WUHUA)
        if row.receiver == str(WUHUA_SCHOOL)
    ]
    assert (1, next_pause(0)) in due
    assert max(attempts for attempts, _ in due) == 7


@pytest.mark.parametrize("attempts", [0, 1, 5, 6, 7, 100, 10**6])
def test_pauses_double_and_are_bounded(attempts: int) -> None:
    """The first pause is short, and however long it lasts the receiver is asked twice a day."""
    pause = next_pause(attempts)
    assert next_pause(0) <= pause <= next_pause(10**6)
    assert next_pause(attempts + 1) in {2 * pause, next_pause(10**6)}
    assert next_pause(0) < timedelta(minutes=1)
    assert next_pause(10**6) <= timedelta(hours=12)
