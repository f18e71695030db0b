"""A peer that states an end of a lane that none can be: it is set aside, and stops nothing else."""

from collections.abc import Callable

import pytest

from gateway.codec import fields
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.keys import KeyPurpose
from gateway.domain.payload_types import RECEIPT, RETURNED_FACTS
from gateway.domain.recovery import RecoveryCause
from gateway.service.desk import Desk
from gateway.service.recovery import begin_recovery
from gateway.v1 import letter_pb2, message_pb2
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over
from tests.delivery.test_statements import reasons, statement
from tests.world.estate import SHUIFU, WUHUA
from tests.world.province import Province

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
LIKE_A_HASH = b"f" * 32
LONGEST = message_pb2.LaneHead(
    incarnation=2**31 - 1, last_sequence=2**63 - 1, head_hash=LIKE_A_HASH, closed=True
)
IMPOSSIBLE = {
    "long hash": message_pb2.LaneHead(incarnation=1, head_hash=b"f" * 4096),
    "short hash": message_pb2.LaneHead(incarnation=1, head_hash=b"f"),
    "many lives": message_pb2.LaneHead(incarnation=2**31, head_hash=LIKE_A_HASH),
    "fewer lives than none": message_pb2.LaneHead(incarnation=-(2**63), last_sequence=2**63 - 1),
    "less than nothing": message_pb2.LaneHead(incarnation=1, last_sequence=-1),
}
Says = Callable[[Province, message_pb2.LaneHead, str], bytes]


def in_a_receipt(province: Province, head: message_pb2.LaneHead, _recovery: str) -> bytes:
    """Return a receipt with that head."""
    tools = province.node_of[SHUIFU].tools
    receipt = message_pb2.Receipt(
        receipt_id=tools.ids.new(), receiver=str(SHUIFU), sender=str(WUHUA), head=head
    )
    receipt.received_at.FromDatetime(province.clock.now())
    return tools.signer.sign(SHUIFU, RECEIPT, receipt.SerializeToString()).SerializeToString()


def as_sent(province: Province, head: message_pb2.LaneHead, _recovery: str) -> bytes:
    """Return a statement that this was numbered."""
    return statement(province, SHUIFU, WUHUA, sent=head)


def as_received(province: Province, head: message_pb2.LaneHead, _recovery: str) -> bytes:
    """Return a statement that this was taken."""
    return statement(province, SHUIFU, WUHUA, received=head)


def in_a_return(province: Province, head: message_pb2.LaneHead, recovery_id: str) -> bytes:
    """Return the whole answer to one who recovers, with that head at both ends."""
    tools, now = province.node_of[SHUIFU].tools, province.clock.now()
    key = tools.directory.current_key(WUHUA, KeyPurpose.SEAL, now)
    assert key is not None
    header = message_pb2.ReturnHeader(
        author=str(SHUIFU),
        peer=str(WUHUA),
        recovery_id=recovery_id,
        part=1,
        last=True,
        seal_key_id=key.key_id,
        received=head,
        sent=head,
        created_at=fields.timestamp(now),
    ).SerializeToString()
    sealed = tools.sealer.seal(key, header, message_pb2.MessageContent().SerializeToString())
    returned = message_pb2.ReturnedFacts(header=header, sealed_content=sealed)
    signed = tools.signer.sign(SHUIFU, RETURNED_FACTS, returned.SerializeToString())
    return signed.SerializeToString()


async def recovering(province: Province) -> str:
    """Let the county recover, and return the identifier of that."""

    def begin(desk: Desk) -> str:
        return begin_recovery(desk, RecoveryCause.RESTORED).id

    store = province.node_of[WUHUA].store
    return await store.write(lambda work: begin(province.desk(work, WUHUA, "SYSTEM")))


@pytest.mark.parametrize("says", [in_a_receipt, as_sent, as_received, in_a_return])
@pytest.mark.parametrize("how", IMPOSSIBLE)
async def test_an_end_that_cannot_be_is_set_aside(province: Province, says: Says, how: str) -> None:
    """In each kind of mail that states one; what came with it in one batch is taken."""
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    recovery_id = await recovering(province)
    forge = Forge(province)
    fact = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    beside = forge.mail(SHUIFU, WUHUA, forge.carried(fact))
    said = await hand_over(
        province, WUHUA, says(province, IMPOSSIBLE[how], recovery_id), beside.data
    )
    assert len(answers(said)) == 1
    assert await reasons(province, WUHUA) == [Reason.INVALID_FIELD]


@pytest.mark.every_store
async def test_the_longest_end_that_can_be_is_kept(province: Province) -> None:
    """In a recovery each peer's ends are stored as it states them."""
    await Inquiry(province).settled("submitted")
    recovery_id = await recovering(province)
    await hand_over(province, WUHUA, in_a_return(province, LONGEST, recovery_id))
    peer = await province.look(
        WUHUA, lambda desk: desk.work.recoveries.peer(WUHUA, recovery_id, SHUIFU)
    )
    assert peer.sent is not None
    assert (peer.sent.last_sequence, len(peer.sent.head_hash)) == (2**63 - 1, 64)
