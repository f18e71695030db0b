"""Events that cannot take effect yet wait, in order, and are answered twice: parked, then final."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.cases import CaseState
from gateway.domain.errors import Parked, Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.ports.signing import Verification
from gateway.store import tables
from gateway.v1 import jurisdiction_pb2, letter_pb2, message_pb2
from gateway.v1.event_pb2 import Event
from tests.delivery.conftest import Fates
from tests.delivery.forge import Forge, of_case
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import answers, hand_over, receipts_in, take_aside
from tests.world.estate import (
    SHUIFU,
    WUHUA,
    WUHUA_SCHOOL,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
)
from tests.world.province import Province

APPLIED = message_pb2.RECEIPT_OUTCOME_APPLIED
NOTED = letter_pb2.LetterNoted(letter_id="01a208ab-a2e7-72cf-b228-147d1bd856f3")


def determined() -> jurisdiction_pb2.JurisdictionDetermined:
    """Return the body of an act of authority that changes the case of whoever follows it."""
    decision = jurisdiction_pb2.JurisdictionDecision(row="J5", responsible=str(ZHENXIONG))
    return jurisdiction_pb2.JurisdictionDetermined(decision=decision)


async def test_an_act_under_an_unknown_title_waits_for_the_chain(province: Province) -> None:
    """Rule 5: parked while its title is not known here, applied when the chain arrives, and the
    final receipt names the one that said PARKED.
    """
    inquiry = await Inquiry(province).settled("dispatched")
    await inquiry.accepted()
    await province.send()
    await province.deliver()
    await province.send()  # the grant leaves for the new holder, the school and the township
    withheld = take_aside(province, WUHUA, WUHUA_SCHOOL)
    await province.settle()
    holder = await inquiry.case(ZHENXIONG)
    forge = Forge(province)
    act = forge.event(ZHENXIONG, FactKind.JURISDICTION_DETERMINED, determined(), [of_case(holder)])
    mail = forge.mail(ZHENXIONG, WUHUA_SCHOOL, forge.carried(act))

    first = await hand_over(province, WUHUA_SCHOOL, mail.data)
    assert answers(first) == ["PARKED TITLE_UNKNOWN"]
    assert (await inquiry.case(WUHUA_SCHOOL)).jurisdiction_row == "J3"
    repeated = await hand_over(province, WUHUA_SCHOOL, mail.data)
    assert repeated == first

    then = await hand_over(province, WUHUA_SCHOOL, *withheld)
    case = await inquiry.case(WUHUA_SCHOOL)
    assert (case.holder, case.jurisdiction_row) == (ZHENXIONG, "J5")
    (final,) = [r for r in receipts_in(then) if r.sender == str(ZHENXIONG)]
    assert final.items[0].message_id == mail.message_id
    assert final.items[0].outcome == APPLIED
    assert final.items[0].follows_receipt_id == receipts_in(first)[0].receipt_id
    again = await hand_over(province, WUHUA_SCHOOL, mail.data)
    assert [r.receipt_id for r in receipts_in(again)] == [final.receipt_id]


async def test_what_comes_before_its_case_waits_for_it(province: Province) -> None:
    """The bureau's confirmation overtakes the school's submission: the township parks it, and the
    bureau's own message is closed by the final receipt.
    """
    inquiry = Inquiry(province)
    await inquiry.submitted()
    await province.send()
    withheld = take_aside(province, WUHUA_SCHOOL, WUHUA_TOWNSHIP)
    await province.settle()
    await inquiry.confirmed()
    await province.settle()
    await inquiry.determined()
    await province.settle()
    states = await lane_states(province, WUHUA, WUHUA_TOWNSHIP)
    assert states == ["PARKED"] * len(states)
    assert len(states) > 1

    await hand_over(province, WUHUA_TOWNSHIP, *withheld)
    await province.settle()
    case = await inquiry.case(WUHUA_TOWNSHIP)
    assert (case.state, case.holder) == (CaseState.JURISDICTION_PENDING, WUHUA)
    assert set(await lane_states(province, WUHUA, WUHUA_TOWNSHIP)) == {"APPLIED"}


async def lane_states(province: Province, sender: Any, receiver: Any) -> list[str]:
    """Return the states of a lane's messages at the sender, in order."""

    def read(work: Any) -> list[str]:
        t = tables.outbox
        query = select(t.c.state).where(t.c.sender == str(sender), t.c.receiver == str(receiver))
        return list(work._connection.execute(query.order_by(t.c.sequence)).scalars())

    return await province.node_of[sender].store.read(read)


async def test_nothing_overtakes_a_parked_event_of_its_lane_and_case(
    province: Province, fates: Fates
) -> None:
    """An event behind a parked one parks too, also when it could take effect by itself, and a
    retry does not let it pass; another case on the same lane is not kept back.
    """
    one = await (await Inquiry(province).settled("confirmed")).case(WUHUA_SCHOOL)
    other = await (await Inquiry(province, 2).settled("confirmed")).case(WUHUA_SCHOOL)
    forge = Forge(province)
    unknown = of_case(one)
    unknown.title.epoch.number = 7
    act = forge.event(SHUIFU, FactKind.JURISDICTION_DETERMINED, determined(), [unknown])
    behind = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(one)])
    beside = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(other)])
    both = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(other), of_case(one)])
    mails = [
        forge.mail(SHUIFU, WUHUA_SCHOOL, forge.carried(event))
        for event in (act, behind, beside, both)
    ]
    said = [answers(await hand_over(province, WUHUA_SCHOOL, mail.data)) for mail in mails]
    wait = ["PARKED TITLE_UNKNOWN"]
    assert said == [wait, wait, ["APPLIED"], wait]

    # A fact of the same case by another lane takes effect, and what waits is tried again.
    fact = forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(one)])
    by_another = forge.mail(ZHENXIONG, WUHUA_SCHOOL, forge.carried(fact))
    assert answers(await hand_over(province, WUHUA_SCHOOL, by_another.data)) == ["APPLIED"]
    waiting = await province.look(
        WUHUA_SCHOOL, lambda desk: desk.work.inbox.parked(WUHUA_SCHOOL, one.id)
    )
    assert [e.message_id for e in waiting] == [mails[n].message_id for n in (0, 1, 3)]


async def test_each_event_of_a_message_has_its_own_fate(province: Province, fates: Fates) -> None:
    """One applied, one refused, two parked: every receipt says all that is known by then, and the
    final one forgets no refusal on the way.
    """
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    events = [forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)]) for _ in range(4)]
    mail = forge.mail(SHUIFU, WUHUA, *map(forge.carried, events))
    _, refused, third, last = (Event.FromString(event.payload).event_id for event in events)
    fates[refused] = Refusal(Reason.MATTER_UNKNOWN, "No.", "None.")
    fates[third] = fates[last] = Parked(Reason.TITLE_UNKNOWN, "Not yet.", "Wait.")
    said = [await hand_over(province, WUHUA, mail.data)]
    assert answers(said[0]) == ["PARKED MATTER_UNKNOWN TITLE_UNKNOWN TITLE_UNKNOWN"]

    fates[third] = Refusal(Reason.STALE_EPOCH, "Too late.", "None.")
    said.append(await hand_over(province, WUHUA, mail.data))
    assert said[1][0] == said[0][0]
    assert answers(said[1][1:]) == ["PARKED MATTER_UNKNOWN TITLE_UNKNOWN STALE_EPOCH"]

    del fates[last]
    said.append(await hand_over(province, WUHUA, mail.data))
    assert said[2][0] == said[1][1]
    assert answers(said[2][1:]) == ["REFUSED MATTER_UNKNOWN STALE_EPOCH"]
    chain = [receipts_in(items)[-1] for items in said]
    follows = [receipt.items[0].follows_receipt_id for receipt in chain]
    assert follows == ["", chain[0].receipt_id, chain[1].receipt_id]


async def test_what_waits_for_a_message_of_the_same_batch_is_answered_once(
    province: Province, fates: Fates
) -> None:
    """Parked and then applied within one batch: the one receipt says the end of it."""
    one = Inquiry(province)
    await one.submitted()
    await province.send()
    withheld = take_aside(province, WUHUA_SCHOOL, WUHUA_TOWNSHIP)
    await province.settle()
    await one.confirmed()
    await province.send()
    early = take_aside(province, WUHUA, WUHUA_TOWNSHIP)
    said = await hand_over(province, WUHUA_TOWNSHIP, *early, *withheld)
    assert set(answers(said)) == {"APPLIED"}
    (answer,) = [r for r in receipts_in(said) if r.sender == str(WUHUA)]
    assert [item.follows_receipt_id for item in answer.items] == [""] * len(early)


async def test_a_key_that_ends_meanwhile_does_not_undo_an_arrival(
    province: Province, fates: Fates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B22: what was good when it arrived takes effect, also when its turn comes after the keys of
    its sender have expired.
    """
    case = await (await Inquiry(province).settled("submitted")).case(WUHUA)
    forge = Forge(province)
    event = forge.event(SHUIFU, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    event_id = Event.FromString(event.payload).event_id
    fates[event_id] = Parked(Reason.TITLE_UNKNOWN, "Not yet.", "Wait.")
    mail = forge.mail(SHUIFU, WUHUA, forge.carried(event))
    await hand_over(province, WUHUA, mail.data)
    verifier = province.node_of[WUHUA].tools.verifier
    arrival, verify = province.clock.now(), type(verifier).verify
    province.clock.advance(minutes=1)

    ended = {key.key_id for key in province.node_of[WUHUA].tools.directory.keys_of(SHUIFU)}

    def expired(self: Any, envelope: Any, payload_type: str, at: datetime) -> Any:
        if at > arrival and ended & {signature.key_id for signature in envelope.signatures}:
            return Verification((), Reason.KEY_EXPIRED, None, "")
        return verify(self, envelope, payload_type, at)

    monkeypatch.setattr(type(verifier), "verify", expired)
    del fates[event_id]
    other = forge.event(ZHENXIONG, FactKind.LETTER_NOTED, NOTED, [of_case(case)])
    said = await hand_over(province, WUHUA, forge.mail(ZHENXIONG, WUHUA, forge.carried(other)).data)
    assert answers(said) == ["APPLIED", "APPLIED"]
