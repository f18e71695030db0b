"""A county's store comes back from an old backup in the middle of a story: nobody acts twice."""

import pytest

from gateway.domain.cases import CaseState
from gateway.domain.errors import Reason, Refusal
from gateway.domain.letters import LetterState, LineState
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.v1 import case_pb2, jurisdiction_pb2, letter_pb2, retrieval_pb2
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import take_aside
from tests.delivery.restoring import Restoring
from tests.world.estate import PLATFORM, WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.province import Province

E, H = "wuhua", "zhenxiong"

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


async def check_healed(restoring: Restoring, story: Inquiry) -> None:
    """Exactly one store may act; numbers, titles and receipts are as they must be."""
    actors = await restoring.actors()
    assert actors[story.case_id] == 1, "nobody may act"
    restoring.check_numbers()
    await restoring.check_titles()
    await restoring.check_receipted()


async def kinds_of(province: Province, org: OrgId, case_id: str) -> list[str]:
    """Return the kinds of facts about a case in an organisation's log, sorted."""
    request = case_pb2.GetTimelineRequest(case_id=case_id, page_size=200)
    timeline = await province.ask(org, "CaseService/GetTimeline", request)
    return sorted(entry.type.removeprefix("EVENT_TYPE_") for entry in timeline.entries)


async def test_a_case_granted_away_stays_away(province: Province, restoring: Restoring) -> None:
    """The backup still holds the case; the grant that came back says who does."""
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.settle()
    assert (await story.case(ZHENXIONG)).holder == ZHENXIONG
    await restoring.restore(E)
    assert (await story.case(WUHUA)).holder == WUHUA, "the backup was older than the grant"
    assert (await restoring.actors())[story.case_id] == 1, "who recovers may not act"
    await restoring.settle()
    case = await story.case(WUHUA)
    assert (case.holder, case.state, case.offer) == (ZHENXIONG, CaseState.ASSIGNED, None)
    letter = await story.letter(WUHUA)
    assert (letter.state, letter.lines[0].state) == (LetterState.ACCEPTED, LineState.GRANTED)
    for org in (WUHUA, ZHENXIONG):
        kinds = await kinds_of(province, org, story.case_id)
        assert (kinds.count("TITLE_GRANTED"), kinds.count("OFFER_ENDED")) == (1, 0)
    await check_healed(restoring, story)


async def test_who_recovers_performs_no_act_of_authority(
    province: Province, restoring: Restoring
) -> None:
    """Acts and answers are refused with RECOVERING and no message is numbered; facts are taken."""
    story = await Inquiry(province).until("determined")
    await restoring.back_up(E)
    await restoring.restore(E)
    before = {row.message_id for row in await rows(province, tables.outbox)}
    with pytest.raises(Refusal) as refused:
        await story.dispatched()
    assert refused.value.reason is Reason.RECOVERING
    case = await province.ask(
        WUHUA, "CaseService/GetCase", case_pb2.GetCaseRequest(case_id=story.case_id)
    )
    assert not case.case.may_act
    there = case_pb2.Whereabouts(kind=case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
    record = case_pb2.RecordWhereaboutsRequest(case_id=story.case_id, whereabouts=there)
    await story.act(WUHUA, "CaseService/RecordWhereabouts", record)
    await province.settle()
    numbered = [row for row in await rows(province, tables.outbox) if row.message_id not in before]
    assert not [row for row in numbered if row.sender == str(WUHUA)]
    await restoring.settle()
    await story.dispatched()
    await restoring.settle()
    assert (await story.letter(ZHENXIONG)).state is LetterState.DELIVERED
    await check_healed(restoring, story)


async def test_an_acceptance_is_remembered_for_the_accepter(
    province: Province, restoring: Restoring
) -> None:
    """The new holder's backup is older than the very letter: letter, answer and title come back."""
    story = await Inquiry(province).until("determined")
    await province.settle()
    await restoring.back_up(H)
    await story.dispatched()
    await province.settle()
    await story.accepted()
    await province.settle()
    await restoring.restore(H)
    assert await restoring.recovering()
    await restoring.settle()
    case, letter = await story.case(ZHENXIONG), await story.letter(ZHENXIONG)
    assert (case.holder, case.state) == (ZHENXIONG, CaseState.ASSIGNED)
    assert letter.lines[0].state is LineState.GRANTED
    await check_healed(restoring, story)


async def test_a_forgotten_grant_on_its_way_is_made_anew(
    province: Province, restoring: Restoring
) -> None:
    """The grant has left the node and nobody has it. Whoever answered the recovering county refuses
    those bytes, before the county has its memory back and ever after, so that it may grant again.
    """
    story = await Inquiry(province).until("accepted")
    await restoring.back_up(E)
    await province.send()
    await province.deliver()
    await province.send()
    forgotten = [(ZHENXIONG, data) for data in take_aside(province, WUHUA, ZHENXIONG)]
    assert forgotten
    province.bus.meddle = lambda receiver, item: () if receiver == PLATFORM else (item,)
    await restoring.restore(E)
    for _ in range(4):
        await restoring.step()
        await province.settle()
    assert WUHUA in await restoring.recovering(), "one peer is still waited for"
    titles = len(await rows(province, tables.titles))
    province.bus.waiting += forgotten
    await province.settle()
    refused = [row.reason for row in await rows(province, tables.dead_letters)]
    assert refused.count(Reason.LANE_BROKEN) == len(forgotten)
    assert len(await rows(province, tables.titles)) == titles, "the forgotten grant took effect"
    province.bus.meddle = lambda _receiver, item: (item,)
    await restoring.settle()
    await check_healed(restoring, story)
    assert (await story.case(ZHENXIONG)).holder == ZHENXIONG
    province.bus.waiting += forgotten
    await restoring.settle()
    await check_healed(restoring, story)


async def test_no_letter_number_is_used_twice(province: Province, restoring: Restoring) -> None:
    """The number of a letter that was dispatched after the backup is not given to another."""
    first, second = Inquiry(province, 1), Inquiry(province, 2)
    await first.until("determined")
    await second.until("determined")
    await province.settle()
    await restoring.back_up(E)
    await first.dispatched()
    await province.settle()
    await restoring.restore(E)
    await restoring.settle()
    await second.dispatched()
    await restoring.settle()
    numbers = [(await story.letter(ZHENXIONG)).letter_no for story in (first, second)]
    assert len(set(numbers)) == 2
    assert (await first.case()).offer is not None, "the offer stands again"


async def test_an_order_is_known_again(province: Province, restoring: Restoring) -> None:
    """The holder's backup is older than its order: the order is there once, and not issued again."""
    story = await Inquiry(province).settled("accepted")
    await restoring.back_up(H)
    version = (await story.case(ZHENXIONG)).version
    confirm = retrieval_pb2.ConfirmBodyRequest(case_id=story.case_id, version=version)
    await story.act(ZHENXIONG, "RetrievalService/ConfirmBody", confirm)
    order = retrieval_pb2.IssueOrderRequest(
        case_id=story.case_id, version=version + 1, township=str(ZHENXIONG_TOWNSHIP)
    )
    await story.act(ZHENXIONG, "RetrievalService/IssueOrder", order)
    await province.settle()
    await restoring.restore(H)
    await restoring.settle()
    case = await story.case(ZHENXIONG)
    assert (case.state, case.retrieval_body) == (CaseState.IN_RETRIEVAL, ZHENXIONG)
    orders = await province.look(ZHENXIONG, lambda desk: desk.work.orders.page(ZHENXIONG))
    assert [one.id for one in orders] == [case.order_id]
    await check_healed(restoring, story)


async def test_every_fact_that_came_back_is_on_the_work_list(
    province: Province, restoring: Restoring
) -> None:
    """Officers see what came back, and take it off the list by looking at it."""
    story = await Inquiry(province).until("determined")
    await province.settle()
    await restoring.back_up(E)
    await story.dispatched()
    await province.settle()
    await restoring.restore(E)
    await restoring.settle()
    listed = await province.ask(WUHUA, "CaseService/ListTodo", case_pb2.ListTodoRequest())
    due = [item for item in listed.items if item.duty == "CHECK_RECOVERED_FACT"]
    assert [item.label for item in due] == ["LETTER_DISPATCHED"]
    await restoring.check_fact(WUHUA, due[0].object_id)
    listed = await province.ask(WUHUA, "CaseService/ListTodo", case_pb2.ListTodoRequest())
    assert "CHECK_RECOVERED_FACT" not in {item.duty for item in listed.items}


async def test_a_retraction_is_remembered(province: Province, restoring: Restoring) -> None:
    """The backup holds the offer open; the retraction that came back ends it."""
    story = await Inquiry(province).settled("dispatched")
    await restoring.back_up(E)
    retract = letter_pb2.RetractLetterRequest(letter_id=story.letter_id, reason="另行函告")
    await story.act(WUHUA, "LetterService/RetractLetter", retract, "APPROVER")
    await province.settle()
    await restoring.restore(E)
    assert (await story.case()).offer is not None
    await restoring.settle()
    assert (await story.case()).offer is None
    assert (await story.letter(WUHUA)).state is LetterState.RETRACTED
    version = (await story.case()).version
    determine = jurisdiction_pb2.DetermineRequest(case_id=story.case_id, version=version)
    await story.act(WUHUA, "JurisdictionService/Determine", determine)
    await check_healed(restoring, story)
