"""A peer that says again and again that it takes no more, or lacks what it once receipted: it costs
this end little, and what it keeps silent about comes before the operators all the same.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.codec.lanes import encode_head
from gateway.domain.dead_letters import DeadLetter, DeadLetterKind
from gateway.domain.lanes import LaneHead, SendingLane
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import GAP_REQUEST, RECEIPT
from gateway.ports.outbox import MessageState
from gateway.ports.store import Work
from gateway.store import tables
from gateway.v1 import message_pb2
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over, header_of
from tests.delivery.test_statements import statement
from tests.world.estate import PLATFORM, WUHUA, ZHENXIONG
from tests.world.province import Province

TERM = 7  # days for which a message may wait for a receipt


async def lane(province: Province, sender: OrgId, receiver: OrgId) -> SendingLane:
    """Return the sender's end of a lane."""
    found: SendingLane = await province.look(
        sender, lambda desk: desk.work.outbox.lane(sender, receiver)
    )
    return found


async def numbered(province: Province, receiver: OrgId) -> Sequence[Any]:
    """Return what the county has numbered for a receiver, oldest first."""
    found = await rows(province, tables.outbox)
    mine = [row for row in found if (row.sender, row.receiver) == (str(WUHUA), str(receiver))]
    return sorted(mine, key=lambda row: (row.incarnation, row.sequence))


async def unreceipted(province: Province) -> Sequence[DeadLetter]:
    """Return the county's dead letters for want of a receipt."""
    kind = DeadLetterKind.UNRECEIPTED
    found: Sequence[DeadLetter] = await province.look(
        WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA, kind=kind)
    )
    return found


def messages_to(province: Province, receiver: OrgId, since: int) -> int:
    """Count the messages that were carried to a receiver since the bus had carried so many items."""
    return sum(
        to == receiver and header_of(item) is not None for to, item in province.bus.carried[since:]
    )


def deaf(province: Province, receiver: OrgId) -> None:
    """Let nothing reach the receiver any more."""
    province.bus.meddle = lambda to, item: () if to == receiver else (item,)


async def say_closed(province: Province, peer: OrgId) -> None:
    """Let the peer say that it takes no more of the county's present lane, and nothing else."""
    own = await lane(province, WUHUA, peer)
    head = encode_head(LaneHead(own.incarnation, 0, "", True))
    await hand_over(province, WUHUA, statement(province, peer, WUHUA, received=head))
    await province.send()


async def test_closed_said_again_packs_nothing_again(province: Province) -> None:
    """Whatever waits is packed anew once in an hour, and nothing is kept of what was replaced."""
    await Inquiry(province).settled("determined")
    deaf(province, PLATFORM)
    own = [
        row for row in await rows(province, tables.events) if row.org == row.source == str(WUHUA)
    ]

    def pile_up(work: Work) -> None:
        for _ in range(400):
            work.outbox.deliver(WUHUA, [PLATFORM], own[-1].event_id)

    await province.node_of[WUHUA].store.write(pile_up)
    await province.settle()
    before, first = len(province.bus.carried), await lane(province, WUHUA, PLATFORM)
    for _ in range(10):
        await say_closed(province, PLATFORM)
    renewed = await lane(province, WUHUA, PLATFORM)
    assert renewed.incarnation > first.incarnation
    assert messages_to(province, PLATFORM, before) == renewed.head.last_sequence
    replaced = [
        row for row in await numbered(province, PLATFORM) if row.state == MessageState.REPLACED
    ]
    assert replaced
    assert not any(row.envelope for row in replaced)
    province.clock.advance(hours=1)
    await say_closed(province, PLATFORM)
    assert (await lane(province, WUHUA, PLATFORM)).incarnation > renewed.incarnation


async def test_what_is_denied_again_is_sent_again_once(province: Province) -> None:
    """What a peer lacks goes again at once; denied meanwhile, it goes at the pace of all mail."""
    await Inquiry(province).settled("accepted")
    deaf(province, ZHENXIONG)
    before, own = len(province.bus.carried), await lane(province, WUHUA, ZHENXIONG)
    for _ in range(10):
        province.clock.advance(seconds=1)
        await deny(province)
    assert messages_to(province, ZHENXIONG, before) == own.head.last_sequence
    province.clock.advance(minutes=10)
    before = len(province.bus.carried)
    await deny(province)
    assert messages_to(province, ZHENXIONG, before) == own.head.last_sequence


async def deny(province: Province) -> None:
    """Let 镇雄县 say that it has nothing of what it took from 五华区."""
    sent = (await lane(province, ZHENXIONG, WUHUA)).head
    said = statement(province, ZHENXIONG, WUHUA, sent=encode_head(sent))
    await hand_over(province, WUHUA, said)
    await province.send()


@pytest.mark.parametrize("way", ["closed", "denied"])
async def test_no_statement_hides_silence(province: Province, way: str) -> None:
    """A peer that says so every day and gives no receipt stands on the list when the term is over,
    each message once, however often it was packed again.
    """
    story = await Inquiry(province).settled("determined")
    await story.dispatched()
    if way == "denied":
        await province.settle()
        province.clock.advance(seconds=1)
    deaf(province, ZHENXIONG)
    await province.settle()
    for day in range(TERM + 4):
        if way == "closed":
            await say_closed(province, ZHENXIONG)
        else:
            await deny(province)
        await province.tend()
        silent = {letter.message_id for letter in await unreceipted(province)}
        dead = {
            row.message_id
            for row in await numbered(province, ZHENXIONG)
            if row.state == MessageState.DEAD
        }
        assert silent == dead
        assert bool(silent) == (day > TERM), day
        province.clock.advance(days=1)


async def test_what_was_replaced_is_never_sent(province: Province) -> None:
    """Neither asked for by its old number nor told that it waits there: it has no bytes any more."""
    story = await Inquiry(province).settled("determined")
    await story.dispatched()
    deaf(province, ZHENXIONG)
    await province.settle()
    await say_closed(province, ZHENXIONG)
    old, new = await numbered(province, ZHENXIONG)
    assert (old.state, new.state) == (MessageState.REPLACED, MessageState.SENT)
    before = len(province.bus.carried)
    request = message_pb2.GapRequest(
        sender=str(WUHUA),
        receiver=str(ZHENXIONG),
        lane_incarnation=old.incarnation,
        first_missing=1,
        last_missing=1000,
    )
    receipt = message_pb2.Receipt(
        receipt_id=province.node_of[ZHENXIONG].tools.ids.new(),
        receiver=str(ZHENXIONG),
        sender=str(WUHUA),
    )
    receipt.items.add(
        message_id=old.message_id,
        message_digest=bytes.fromhex(old.digest),
        outcome=message_pb2.RECEIPT_OUTCOME_PARKED,
    )
    signer = province.node_of[ZHENXIONG].tools.signer
    for kind, wire in ((GAP_REQUEST, request), (RECEIPT, receipt)):
        signed = signer.sign(ZHENXIONG, kind, wire.SerializeToString())
        assert not await hand_over(province, WUHUA, signed.SerializeToString())
    province.clock.advance(hours=2)
    await province.send()
    carried = [header_of(item) for to, item in province.bus.carried[before:] if to == ZHENXIONG]
    assert [header.message_id for header in carried if header] == [new.message_id]
    assert (await numbered(province, ZHENXIONG))[0].state == MessageState.REPLACED
