"""The same request_id gives the same answer; other content under it is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from gateway.domain.errors import Reason, Refusal
from gateway.service.answer_once import answer_once
from gateway.service.desk import Desk
from gateway.v1.event_pb2 import AckEventsRequest as Request
from gateway.v1.event_pb2 import AckEventsResponse as Response
from tests.stores import Stores
from tests.world.estate import WUHUA, WUHUA_SCHOOL
from tests.world.province import Province


class UseCase:
    """Counts how often it is carried out; refuses while told to."""

    def __init__(self) -> None:
        self.times = 0
        self.refuses = False

    def __call__(self, desk: Desk, request: Message) -> Response:
        """Carry out, or refuse after having changed something."""
        self.times += 1
        desk.work.bookmarks.set(desk.org, "times", str(self.times))
        if self.refuses:
            raise Refusal(Reason.NOT_FOUND, "No.", "None.")
        return Response(position=self.times)


@pytest.fixture
async def province(tmp_path: Path, stores: Stores) -> AsyncIterator[Province]:
    """Return a province with empty stores."""
    province = Province(tmp_path / "province", stores)
    yield province
    await province.close()


async def answer(
    province: Province,
    use_case: UseCase,
    request: Request,
    org: Any = WUHUA,
    method: str = "EventService/AckEvents",
) -> Response:
    """Answer a request in a transaction of its own."""
    return await province.node_of[org].store.write(
        lambda work: answer_once(province.desk(work, org, ""), method, request, use_case, Response)
    )


async def test_a_repeated_request_gets_the_first_answer(province: Province) -> None:
    """The use case runs once, also across a restart of the node."""
    use_case, request = UseCase(), Request(request_id=str(uuid4()), subscriber="a")
    first = await answer(province, use_case, request)
    assert await answer(province, use_case, request) == first
    node = province.node_of[WUHUA]
    await node.store.close()
    node.open()
    assert await answer(province, use_case, request) == first
    assert use_case.times == 1


async def test_other_content_under_the_same_id_is_refused(province: Province) -> None:
    """Another content, or another method, under a used request_id is a mistake of the caller."""
    use_case, request = UseCase(), Request(request_id=str(uuid4()), subscriber="a")
    await answer(province, use_case, request)
    other = Request(request_id=request.request_id, subscriber="b")
    for changed, method in ((other, "EventService/AckEvents"), (request, "Other/Method")):
        with pytest.raises(Refusal) as caught:
            await answer(province, use_case, changed, method=method)
        assert (caught.value.reason, caught.value.field) == (
            Reason.REQUEST_ID_REUSED,
            "request_id",
        )
    assert use_case.times == 1


async def test_a_refusal_is_not_remembered(province: Province) -> None:
    """Nothing of a refused request stays, and the same request may succeed later."""
    use_case, request = UseCase(), Request(request_id=str(uuid4()))
    use_case.refuses = True
    with pytest.raises(Refusal):
        await answer(province, use_case, request)
    kept = await province.look(WUHUA, lambda desk: desk.work.bookmarks.get(WUHUA, "times"))
    assert kept == ""
    use_case.refuses = False
    assert (await answer(province, use_case, request)).position == use_case.times


async def test_request_ids_belong_to_their_organisation(province: Province) -> None:
    """Two organisations of one node may choose the same identifier."""
    use_case, request = UseCase(), Request(request_id=str(uuid4()))
    await answer(province, use_case, request)
    await answer(province, use_case, request, WUHUA_SCHOOL)
    assert use_case.times == 2


@pytest.mark.parametrize(
    ("request_id", "reason"), [("", Reason.MISSING_FIELD), ("1", Reason.INVALID_FIELD)]
)
async def test_every_mutation_needs_an_identifier(
    province: Province, request_id: str, reason: Reason
) -> None:
    """Without a UUID nothing is done."""
    use_case = UseCase()
    with pytest.raises(Refusal) as caught:
        await answer(province, use_case, Request(request_id=request_id))
    assert (caught.value.reason, caught.value.field) == (reason, "request_id")
    assert use_case.times == 0
