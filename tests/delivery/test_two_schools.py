"""Two schools say that the child is back: both are heard, whichever got the placement."""

from collections.abc import Sequence

from gateway.domain.cases import CaseState
from gateway.domain.organisations import OrgId
from gateway.store import tables
from gateway.v1 import case_pb2, placement_pb2, retrieval_pb2
from tests.delivery.audit import rows
from tests.delivery.inquiry import Inquiry
from tests.delivery.post import header_of
from tests.world.estate import WUHUA_SCHOOL, ZHENXIONG, ZHENXIONG_SCHOOL, ZHENXIONG_TOWNSHIP
from tests.world.province import Province


async def test_a_school_that_was_asked_is_heard_after_another_was_chosen(
    province: Province,
) -> None:
    """The asked school's return takes no effect any more, and is no offence either (rule 5)."""
    story = await Inquiry(province).settled("accepted")
    await in_retrieval(story)
    ask = placement_pb2.ProposePlacementRequest(case_id=story.case_id, school=str(ZHENXIONG_SCHOOL))
    await story.act(ZHENXIONG, "PlacementService/ProposePlacement", ask)
    await province.settle()
    province.bus.meddle = keep_back
    for school in (ZHENXIONG_SCHOOL, WUHUA_SCHOOL):
        back = case_pb2.RecordReturnRequest(case_id=story.case_id, first_day_attended="2026-11-23")
        await story.act(school, "CaseService/RecordReturn", back, "PRINCIPAL")
    await province.settle()
    case = await story.case(ZHENXIONG)
    decide = placement_pb2.DecidePlacementRequest(
        case_id=story.case_id,
        version=case.version,
        kind=placement_pb2.PLACEMENT_KIND_REGULAR_CLASS,
    )
    await story.act(ZHENXIONG, "PlacementService/DecidePlacement", decide)
    province.bus.meddle = lambda _receiver, item: (item,)
    province.clock.advance(minutes=10)
    await province.settle()
    case = await story.case(ZHENXIONG)
    assert (case.state, case.returned_to) == (CaseState.PLACED, WUHUA_SCHOOL)
    assert {row.state for row in await rows(province, tables.outbox)} == {"APPLIED"}


def keep_back(receiver: OrgId, item: bytes) -> Sequence[bytes]:
    """Lose what the asked school sends to the holder."""
    header = header_of(item)
    lost = receiver == ZHENXIONG and header is not None and header.sender == str(ZHENXIONG_SCHOOL)
    return () if lost else (item,)


async def in_retrieval(story: Inquiry) -> None:
    """The holder confirms who retrieves and issues the order."""
    case = await story.case(ZHENXIONG)
    body = retrieval_pb2.ConfirmBodyRequest(case_id=story.case_id, version=case.version)
    await story.act(ZHENXIONG, "RetrievalService/ConfirmBody", body)
    case = await story.case(ZHENXIONG)
    order = retrieval_pb2.IssueOrderRequest(
        case_id=story.case_id, version=case.version, township=str(ZHENXIONG_TOWNSHIP)
    )
    await story.act(ZHENXIONG, "RetrievalService/IssueOrder", order)
    await story.province.settle()
