"""A message is closed by the receipt for exactly its bytes, from exactly its receiver."""

from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.cases import CaseState
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.letters import LetterState
from gateway.domain.organisations import OrgId
from gateway.service.effects.table import EFFECTS
from gateway.store import tables
from gateway.v1 import letter_pb2, message_pb2
from tests.delivery.forge import Forge
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import hand_over, header_of, take_aside
from tests.world.estate import SHUIFU, WUHUA, ZHENXIONG
from tests.world.province import Province

APPLIED = message_pb2.RECEIPT_OUTCOME_APPLIED
REFUSED = message_pb2.RECEIPT_OUTCOME_REFUSED
PARKED = message_pb2.RECEIPT_OUTCOME_PARKED
UNKNOWN = "01a208ab-a2e7-72cf-b228-147d1bd856f3"


async def state_of(province: Province, org: OrgId, message_id: str) -> Any:
    """Return the state of a message at its sender, and the receipt that closed it."""

    def read(work: Any) -> Any:
        t = tables.outbox
        return work._connection.execute(
            select(t.c.state, t.c.receipt_id, t.c.digest).where(t.c.message_id == message_id)
        ).one()

    return await province.node_of[org].store.read(read)


async def receipts_kept(province: Province, org: OrgId) -> int:
    """Return how many receipts the organisation keeps."""

    def read(work: Any) -> int:
        t = tables.receipts
        return len(work._connection.execute(select(t).where(t.c.org == str(org))).all())

    return await province.node_of[org].store.read(read)


@pytest.fixture
async def letter_sent(province: Province) -> tuple[Inquiry, str, bytes]:
    """Return an inquiry whose letter left, the identifier of its message and the bytes."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await province.send()
    (item,) = take_aside(province, WUHUA, ZHENXIONG)
    header = header_of(item)
    assert header is not None
    return inquiry, header.message_id, item


Sent = tuple[Inquiry, str, bytes]


async def test_a_letter_is_delivered_with_its_receipt(
    province: Province, letter_sent: Sent
) -> None:
    """Before the receipt the letter is dispatched, however often it was sent; then delivered."""
    inquiry, message_id, item = letter_sent
    assert (await inquiry.letter(WUHUA)).state is LetterState.DISPATCHED
    said = await hand_over(province, ZHENXIONG, item)
    assert (await inquiry.letter(WUHUA)).state is LetterState.DISPATCHED
    await hand_over(province, WUHUA, *said, *said)
    letter = await inquiry.letter(WUHUA)
    assert (letter.state, letter.delivered_at) == (LetterState.DELIVERED, province.clock.now())
    assert (await state_of(province, WUHUA, message_id)).state == "APPLIED"


@pytest.mark.parametrize("wrong", ["receiver", "digest", "message", "outcome"])
async def test_a_receipt_for_what_was_never_sent_is_ignored(
    province: Province, letter_sent: Sent, wrong: str
) -> None:
    """Another's word, other bytes, an unknown message or no outcome close nothing."""
    inquiry, message_id, _ = letter_sent
    digest = bytes.fromhex((await state_of(province, WUHUA, message_id)).digest)
    kept = await receipts_kept(province, WUHUA)
    item = message_pb2.ReceiptItem(
        message_id=UNKNOWN if wrong == "message" else message_id,
        message_digest=b"\0" * 32 if wrong == "digest" else digest,
        outcome=(message_pb2.RECEIPT_OUTCOME_UNSPECIFIED if wrong == "outcome" else APPLIED),
    )
    giver = SHUIFU if wrong == "receiver" else ZHENXIONG
    await hand_over(province, WUHUA, Forge(province).receipt(giver, WUHUA, item))
    assert (await state_of(province, WUHUA, message_id)).state == "SENT"
    assert (await inquiry.letter(WUHUA)).state is LetterState.DISPATCHED
    assert await receipts_kept(province, WUHUA) == kept


async def test_a_final_receipt_stays_final(province: Province, letter_sent: Sent) -> None:
    """What came later or overtook it changes nothing any more."""
    inquiry, message_id, item = letter_sent
    await hand_over(province, WUHUA, *await hand_over(province, ZHENXIONG, item))
    digest = bytes.fromhex((await state_of(province, WUHUA, message_id)).digest)
    for outcome in (PARKED, REFUSED):
        late = message_pb2.ReceiptItem(
            message_id=message_id, message_digest=digest, outcome=outcome
        )
        await hand_over(province, WUHUA, Forge(province).receipt(ZHENXIONG, WUHUA, late))
    assert (await state_of(province, WUHUA, message_id)).state == "APPLIED"
    assert (await inquiry.letter(WUHUA)).state is LetterState.DELIVERED


def fate(monkeypatch: pytest.MonkeyPatch, raised: Exception | None) -> None:
    """Let every letter that arrives raise this, or take effect as always."""
    real = ORIGINAL

    def meet(desk: Any, arrived: Any) -> None:
        if raised is not None and desk.org == ZHENXIONG:
            raise raised
        real(desk, arrived)

    monkeypatch.setitem(EFFECTS, FactKind.LETTER_DISPATCHED, meet)


ORIGINAL = EFFECTS[FactKind.LETTER_DISPATCHED]


async def test_a_refused_letter_is_undeliverable_and_frees_its_offer(
    province: Province, letter_sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender sees that it was declined, still holds the case, and may write again."""
    inquiry, message_id, item = letter_sent
    fate(monkeypatch, Refusal(Reason.JURISDICTION_NOT_ALLOWED, "No.", "None."))
    await hand_over(province, WUHUA, *await hand_over(province, ZHENXIONG, item))
    assert (await state_of(province, WUHUA, message_id)).state == "REFUSED"
    assert (await inquiry.letter(WUHUA)).state is LetterState.UNDELIVERABLE
    case = await inquiry.case()
    assert (case.holder, case.offer) == (WUHUA, None)
    fate(monkeypatch, None)
    await inquiry.dispatched()
    await province.settle()
    assert (await inquiry.letter(ZHENXIONG)).state is LetterState.DELIVERED


@pytest.mark.parametrize("then", ["applied", "refused"])
async def test_a_parked_letter_is_neither_delivered_nor_given_up(
    province: Province, letter_sent: Sent, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Only the final receipt says what became of it; until then it is asked for by the hour."""
    inquiry, message_id, item = letter_sent
    fate(monkeypatch, Parked(Reason.TITLE_UNKNOWN, "Not yet.", "Wait."))
    await hand_over(province, WUHUA, *await hand_over(province, ZHENXIONG, item))
    assert (await state_of(province, WUHUA, message_id)).state == "PARKED"
    assert (await inquiry.letter(WUHUA)).state is LetterState.DISPATCHED
    await province.settle()
    refusal = Refusal(Reason.STALE_EPOCH, "Too late.", "None.")
    fate(monkeypatch, refusal if then == "refused" else None)
    province.clock.advance(minutes=59)
    await province.settle()
    assert (await inquiry.letter(WUHUA)).state is LetterState.DISPATCHED
    province.clock.advance(minutes=2)
    await province.settle()
    letter, case = await inquiry.letter(WUHUA), await inquiry.case()
    if then == "refused":
        assert (letter.state, case.offer) == (LetterState.UNDELIVERABLE, None)
    else:
        assert letter.state is LetterState.DELIVERED
        assert case.offer is not None
    assert case.state is CaseState.JURISDICTION_PENDING


async def test_a_letter_that_could_not_be_read_at_all_is_undeliverable(
    province: Province, letter_sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seal that does not open refuses the whole message with everything in it."""
    inquiry, message_id, item = letter_sent
    sealer = type(province.node_of[ZHENXIONG].tools.sealer)

    def broken(*_args: Any) -> bytes:
        raise Refusal(Reason.SEAL_BROKEN, "No.", "None.")

    with monkeypatch.context() as patch:
        patch.setattr(sealer, "open", broken)
        said = await hand_over(province, ZHENXIONG, item)
    await hand_over(province, WUHUA, *said)
    assert (await state_of(province, WUHUA, message_id)).state == "REFUSED"
    assert (await inquiry.letter(WUHUA)).state is LetterState.UNDELIVERABLE
    assert (await inquiry.case()).offer is None


async def test_another_refused_fact_beside_a_letter_does_not_undo_it(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal counts for the event it names; the letter in the same message is delivered."""
    inquiry = await Inquiry(province).settled("determined")
    await inquiry.dispatched()
    await inquiry.act(WUHUA, *retraction_of(inquiry))
    await province.send()
    (item,) = take_aside(province, WUHUA, ZHENXIONG)
    verifier = type(province.node_of[ZHENXIONG].tools.verifier)
    verify, seen = verifier.verify, []

    def second_event_fails(self: Any, envelope: Any, payload_type: str, at: Any) -> Any:
        found = verify(self, envelope, payload_type, at)
        seen.append(payload_type)
        if sum("event" in kind for kind in seen) == 2 and "event" in payload_type:
            return type(found)(found.steps, Reason.SIGNATURE_INVALID, found.signer, found.key_id)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(verifier, "verify", second_event_fails)
        said = await hand_over(province, ZHENXIONG, item)
    assert (await inquiry.letter(ZHENXIONG)).state is LetterState.DELIVERED
    await hand_over(province, WUHUA, *said)
    letter = await inquiry.letter(WUHUA)
    assert letter.delivered_at is not None
    assert letter.state is LetterState.RETRACTED


def retraction_of(inquiry: Inquiry) -> tuple[str, Any]:
    """Return the command that takes the letter back."""
    request = letter_pb2.RetractLetterRequest(letter_id=inquiry.letter_id, reason="另行函告")
    return "LetterService/RetractLetter", request
