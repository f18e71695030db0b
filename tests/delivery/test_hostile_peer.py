"""A peer that signs with its own good keys, but not in good faith."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.codec import cases, enums
from gateway.domain.errors import Reason
from gateway.domain.facts import FactKind
from gateway.domain.lanes import MOST_EVENTS
from gateway.domain.organisations import OrgId
from gateway.domain.payload_types import EVENT, TITLE
from gateway.domain.titles import Title, first_title, granted_title
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service.arrivals import ArrivedMessage, Unauthentic, read_arrival
from gateway.service.titles import read_title
from gateway.v1 import absence_pb2, letter_pb2, message_pb2, retrieval_pb2, subject_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import CaseReference, Event
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over
from tests.delivery.test_order import quarantine
from tests.world.estate import PLATFORM, SHUIFU, WUHUA, WUHUA_SCHOOL, ZHENXIONG
from tests.world.province import Province

pytestmark = pytest.mark.every_store

NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")
BODY = retrieval_pb2.RetrievalBodyConfirmed()


def signed_title(province: Province, title: Title, signer: OrgId) -> bytes:
    """Return a title's signed bytes."""
    payload = cases.encode_title(title).SerializeToString()
    return province.node_of[signer].tools.signer.sign(signer, TITLE, payload).SerializeToString()


async def say(province: Province, forge: Forge, receiver: OrgId, *carried: Any) -> list[str]:
    """Send events from 水富市 and return the receiver's answers."""
    return answers(await hand_over(province, receiver, forge.mail(SHUIFU, receiver, *carried).data))


async def test_nobody_else_makes_the_first_title(province: Province, fates: Fates) -> None:
    """A title squatted on a case before its bureau confirms is refused; the true one is taken."""
    inquiry = await Inquiry(province).settled("submitted")
    case = await inquiry.case(WUHUA_SCHOOL)
    forge = Forge(province)
    squatted = signed_title(province, first_title(case.id, SHUIFU, "cause"), SHUIFU)
    reference = of_case(case, read_title(SignedEnvelope.FromString(squatted)).ref)
    act = forge.event(SHUIFU, FactKind.RETRIEVAL_BODY_CONFIRMED, BODY, [reference])
    said = await say(province, forge, WUHUA_SCHOOL, forge.carried(act, titles=[squatted]))
    assert said == ["REFUSED TITLE_INVALID"]
    await inquiry.confirmed()
    await province.settle()
    assert (await inquiry.case(WUHUA_SCHOOL)).holder == WUHUA


@pytest.mark.parametrize(
    ("forged", "reason"), [("maker", "SIGNER_MISMATCH"), ("thief", "TITLE_INVALID")]
)
async def test_nobody_takes_a_title_for_himself(
    province: Province, fates: Fates, forged: str, reason: str
) -> None:
    """The next title is the holder's to make: neither its name nor one's own will do."""
    inquiry = await Inquiry(province).settled("confirmed")
    chain = await province.look(WUHUA, lambda desk: desk.work.titles.chain(WUHUA, inquiry.case_id))
    title = granted_title(read_title(SignedEnvelope.FromString(chain[-1])), SHUIFU, "cause")
    if forged == "thief":
        title = replace(title, maker=SHUIFU)
    stolen = signed_title(province, title, SHUIFU)
    reference = of_case(await inquiry.case(), read_title(SignedEnvelope.FromString(stolen)).ref)
    forge = Forge(province)
    act = forge.event(SHUIFU, FactKind.RETRIEVAL_BODY_CONFIRMED, BODY, [reference])
    said = await say(province, forge, WUHUA_SCHOOL, forge.carried(act, titles=[*chain, stolen]))
    assert said == [f"REFUSED {reason}"]
    assert (await inquiry.case(WUHUA_SCHOOL)).holder == WUHUA


async def test_an_act_under_anothers_or_an_old_title_is_refused(
    province: Province, fates: Fates
) -> None:
    """Rule 5: authority is fenced by the epoch, and the title has to be the actor's own."""
    inquiry = await Inquiry(province).settled("accepted")
    present = await inquiry.case()
    forge = Forge(province)
    chain = await province.look(WUHUA, lambda d: d.work.titles.chain(WUHUA, inquiry.case_id))
    old = of_case(present, read_title(SignedEnvelope.FromString(chain[0])).ref)
    none = CaseReference(case_id=present.id, subject_id=present.subject_id, episode=1)
    for reference, reason in (
        (of_case(present), "TITLE_INVALID"),
        (old, "STALE_EPOCH"),
        (none, "TITLE_INVALID"),
    ):
        act = forge.event(SHUIFU, FactKind.RETRIEVAL_BODY_CONFIRMED, BODY, [reference])
        said = await say(province, forge, WUHUA_SCHOOL, forge.carried(act))
        assert said == [f"REFUSED {reason}"]


@pytest.mark.fault("M7")
async def test_two_facts_never_share_an_identifier(province: Province, fates: Fates) -> None:
    """Another fact under a known identifier is refused aloud, with both kept as their source
    signed them; the very same one is not new.
    """
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    event_id = Event.FromString(event.payload).event_id
    other = forge.event(
        SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], event_id=event_id, causation_id="x"
    )
    assert await say(province, forge, WUHUA, forge.carried(event)) == ["APPLIED"]
    assert await say(province, forge, WUHUA, forge.carried(event)) == ["APPLIED"]
    for _ in range(2):
        assert await say(province, forge, WUHUA, forge.carried(other)) == ["REFUSED EQUIVOCATION"]
    (listed,) = await province.look(WUHUA, lambda desk: desk.work.dead_letters.page(WUHUA))
    letter = await province.look(WUHUA, lambda d: d.work.dead_letters.get(WUHUA, listed.id))
    assert (letter.kind, letter.peer, letter.event_id) == ("EQUIVOCATION", SHUIFU, event_id)
    kept = [SignedEnvelope.FromString(data) for data in (letter.evidence, letter.envelope)]
    assert kept == [event, other]


def in_minutes(province: Province, minutes: int) -> Timestamp:
    """Return a moment so far ahead."""
    stamp = Timestamp()
    stamp.FromDatetime(province.clock.now() + timedelta(minutes=minutes))
    return stamp


UUID = "01a208ab-a2e7-72cf-b228-147d1bd856f3"
OUT_OF_FORM: dict[str, tuple[dict[str, Any], str]] = {
    "identifier": ({"event_id": UUID.upper()}, "PAYLOAD_INVALID"),
    "no identifier": ({"event_id": ""}, "PAYLOAD_INVALID"),
    "type and body differ": ({"type": 1}, "PAYLOAD_INVALID"),
    "unknown type": ({"type": 9999}, "PAYLOAD_INVALID"),
    "no case": ({"cases": []}, "PAYLOAD_INVALID"),
    "case twice": (
        {"cases": [CaseReference(case_id=UUID, subject_id=UUID)] * 2},
        "PAYLOAD_INVALID",
    ),
    "case by name": ({"cases": [CaseReference(case_id="x", subject_id=UUID)]}, "PAYLOAD_INVALID"),
    "no moment": ({"recorded_at": None}, "MISSING_FIELD"),
    "another source": ({"source": str(ZHENXIONG)}, "SIGNER_MISMATCH"),
}


@pytest.mark.parametrize("name", OUT_OF_FORM)
async def test_a_fact_out_of_form_is_refused(province: Province, fates: Fates, name: str) -> None:
    """Signed well, but wrong in itself: refused for what is wrong, and nothing is half-done."""
    change, reason = OUT_OF_FORM[name]
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], **change)
    end = await province.look(WUHUA, lambda desk: desk.work.events.end(WUHUA))
    assert await say(province, forge, WUHUA, forge.carried(event)) == [f"REFUSED {reason}"]
    assert await province.look(WUHUA, lambda desk: desk.work.events.end(WUHUA)) == end


@pytest.mark.parametrize("field", ["recorded_at", "occurred_at"])
@pytest.mark.parametrize(("minutes", "said"), [(9, "APPLIED"), (11, "REFUSED FROM_THE_FUTURE")])
async def test_a_fact_from_the_future_is_refused(
    province: Province, fates: Fates, field: str, minutes: int, said: str
) -> None:
    """B33: clocks may differ by ten minutes, not more."""
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    ahead: dict[str, Any] = {field: in_minutes(province, minutes)}
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], **ahead)
    assert await say(province, forge, WUHUA, forge.carried(event)) == [said]


async def test_not_everybody_passes_facts_on(province: Province, fates: Fates) -> None:
    """A fact brought by another than its source is taken from a holder of the case alone, and only
    when facts of its kind are passed on.
    """
    case = await (await Inquiry(province).settled("confirmed")).case()
    forge = Forge(province)
    noted = forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    assert await say(province, forge, WUHUA, forge.carried(noted)) == ["REFUSED SIGNER_MISMATCH"]
    kind, body = FactKind.RETRIEVAL_STEP_RECORDED, retrieval_pb2.RetrievalStepRecorded()
    township = OrgId.parse("530627001/twn")
    step = forge.event(township, kind, body, [of_case(case)])
    said = await say(province, forge, WUHUA, forge.carried(step))
    assert said == ["REFUSED JURISDICTION_NOT_ALLOWED"]


def part(kind: PartKind, subject_id: str, name: str = "李四") -> VaultPart:
    """Return a private part."""
    content = subject_pb2.PersonIdentity(name=name).SerializeToString()
    return VaultPart(enums.wire(kind), subject_id, b"s" * 16, content)


async def test_private_parts_have_to_fit_the_fact(province: Province, fates: Fates) -> None:
    """A part without its commitment, with other content, or of a child the fact is not about."""
    case = await (await Inquiry(province).settled("submitted")).case()
    stranger = await (await Inquiry(province, 2).settled("submitted")).case()
    forge = Forge(province)
    mine, other = part(PartKind.GUARDIAN, case.subject_id), part(PartKind.GUARDIAN, UUID)
    foreign = part(PartKind.IDENTITY, stranger.subject_id)

    async def brought(committed: Sequence[VaultPart], shown: Sequence[VaultPart]) -> list[str]:
        event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], parts=committed)
        return await say(province, forge, WUHUA, forge.carried(event, parts=shown))

    assert await brought([mine], [mine]) == ["APPLIED"]
    assert await brought([mine, other], [mine]) == ["APPLIED"]
    assert await brought([], [mine]) == ["REFUSED PART_MISMATCH"]
    assert await brought([mine], [replace(mine, content=b"")]) == ["REFUSED PART_MISMATCH"]
    assert await brought([foreign], [foreign]) == ["REFUSED PART_MISMATCH"]


async def test_what_the_role_may_not_see_is_not_kept(province: Province, fates: Fates) -> None:
    """D.6: shown more than its role allows, the platform keeps none of it."""
    case = await (await Inquiry(province).settled("submitted")).case()
    forge = Forge(province)
    kinds = (PartKind.IDENTITY, PartKind.GUARDIAN, PartKind.MASKED_IDENTITY)
    parts = [part(kind, case.subject_id) for kind in kinds]
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)], parts=parts)
    assert await say(province, forge, PLATFORM, forge.carried(event, parts=parts)) == ["APPLIED"]
    event_id = Event.FromString(event.payload).event_id
    kept = await province.look(
        PLATFORM, lambda desk: desk.work.vault.reveal(PLATFORM, event_id, purpose="test")
    )
    assert [entry.kind for entry in kept] == [enums.wire(PartKind.MASKED_IDENTITY)]


async def test_a_message_with_too_many_facts_is_refused_whole(
    province: Province, fates: Fates
) -> None:
    """So that its receipt stays small."""
    forge = Forge(province)
    many = [message_pb2.CarriedEvent()] * (MOST_EVENTS + 1)
    assert await say(province, forge, WUHUA, *many) == ["REFUSED TOO_LARGE"]


async def test_bytes_without_an_author_are_kept_once_and_never_answered(
    province: Province,
) -> None:
    """Neither a number nor a receipt for what nobody certain has sent."""
    forge = Forge(province)
    to_another = forge.mail(SHUIFU, ZHENXIONG)
    as_another = forge.mail(SHUIFU, WUHUA, sender=str(ZHENXIONG))
    event = forge.event(SHUIFU, FactKind.ABSENCE_REPORTED, absence_pb2.AbsenceReported())
    assert event.payload_type == EVENT
    items = [b"", b"\xff" * 9, to_another.data, as_another.data, event.SerializeToString()]
    assert not await hand_over(province, WUHUA, *items, *items)
    found = await quarantine(province, WUHUA)
    assert sorted(found) == sorted(
        [
            Reason.ENVELOPE_MALFORMED,
            Reason.ENVELOPE_MALFORMED,
            Reason.WRONG_RECEIVER,
            Reason.SIGNER_MISMATCH,
            Reason.PAYLOAD_TYPE_UNEXPECTED,
        ]
    )


@pytest.mark.fault("M8")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_bytes_make_the_reader_stumble(province: Province, data: st.DataObject) -> None:
    """Whatever is flipped, cut or invented: it is unauthentic, or its author signed it so."""
    forge = Forge(province)
    valid = forge.mail(SHUIFU, WUHUA, message_pb2.CarriedEvent()).data
    mutated = bytearray(valid)
    places = st.dictionaries(st.integers(0, len(valid) - 1), st.integers(1, 255), min_size=1)
    for place, flipped in data.draw(places).items():
        mutated[place] ^= flipped
    cut = valid[: data.draw(st.integers(0, len(valid) - 1))]
    invented = data.draw(st.binary(max_size=200))
    tools, now = province.node_of[WUHUA].tools, province.clock.now()
    for item in (bytes(mutated), cut, invented):
        assert isinstance(read_arrival(tools, WUHUA, item, now), Unauthentic)


@pytest.mark.fault("M8")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_signed_content_makes_the_reader_stumble(
    province: Province, data: st.DataObject
) -> None:
    """A signed event or message may hold anything: what is wrong becomes a fault with its reason."""
    forge = Forge(province)
    event = SignedEnvelope(payload=data.draw(st.binary(max_size=80)), payload_type=EVENT)
    signer = province.node_of[SHUIFU].tools.signer
    signed = signer.sign(SHUIFU, EVENT, event.payload or b"x")
    mail = forge.mail(SHUIFU, WUHUA, message_pb2.CarriedEvent(event=signed))
    arrived = read_arrival(province.node_of[WUHUA].tools, WUHUA, mail.data, province.clock.now())
    assert isinstance(arrived, ArrivedMessage)
    assert arrived.faults
    assert not arrived.events
