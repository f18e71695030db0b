"""What an agency gets that nobody can read, and what its adapter says out of form, kills nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from gateway.adapter_api import (
    API_VERSION,
    Changes,
    Description,
    Done,
    Exchange,
    Health,
    Outcome,
    PlatformEntry,
)
from gateway.adapter_api import (
    Matter as Entered,
)
from gateway.codec import enums, fields
from gateway.crypto.development import Estate, EstateNode
from gateway.domain.errors import Reason
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Organisation, OrgId
from gateway.domain.visibility import PartKind
from gateway.ports.vault import VaultPart
from gateway.service import adapter_host, relay
from gateway.service.adapter_host import AdapterHost
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.v1 import absence_pb2, agency_pb2, retrieval_pb2, subject_pb2
from tests.delivery.standing import Course, Invented, Statement, fresh
from tests.stores import Stores
from tests.world import province as worlds
from tests.world.estate import (
    ESTATE,
    PLATFORM,
    POLICE,
    SHUIFU,
    SHUIFU_TOWNSHIP,
    WUHUA,
    WUHUA_TOWNSHIP,
    ZHENXIONG_SCHOOL,
)
from tests.world.province import MONDAY, Province

NOT_ALLOWED = Reason.JURISDICTION_NOT_ALLOWED
STEP = retrieval_pb2.RetrievalStepRecorded(
    order_id=fresh(),
    step=retrieval_pb2.StepRecord(
        step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
        outcome=retrieval_pb2.STEP_OUTCOME_INEFFECTIVE,
        date="2026-11-20",
    ),
)


class Register:
    """A platform whose first answers name a moment without its zone."""

    def __init__(self, naive: int = 0) -> None:
        self.asked: list[Exchange] = []
        self._naive = naive

    def describe(self) -> Description:
        """Describe an adapter that reports nothing by itself."""
        return Description("test", "rrb", API_VERSION, ("absence_entry",), reports_changes=False)

    def health(self) -> Health:
        """Say that all is well."""
        return Health(ok=True, detail="")

    def handle(self, exchange: Exchange) -> Outcome:
        """Enter it."""
        self.asked.append(exchange)
        moment = datetime(2026, 11, 23) if len(self.asked) <= self._naive else MONDAY  # noqa: DTZ001
        return Done(PlatformEntry(Entered.ABSENCE, "1", exchange.object_id, moment))

    def changes(self, cursor: str) -> Changes:
        """Report nothing."""
        return Changes((), cursor)

    def close(self) -> None:
        """Hold nothing."""


async def serve(
    province: Province, register: Register, until: Callable[[list[AgencyExchange]], bool]
) -> list[AgencyExchange]:
    """Let the platform's host run until its exchanges are as they should be, and return them."""
    node = province.node_of[PLATFORM]
    host = AdapterHost(node.store, node.tools, PLATFORM, register)
    running = asyncio.create_task(host.run())
    found: list[AgencyExchange] = []
    try:
        async with asyncio.timeout(60):
            while not until(found):
                assert not running.done(), "the host ended"
                found = await province.look(PLATFORM, _exchanges)
                await asyncio.sleep(0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        host.close()
    return found


def _exchanges(desk: Desk) -> list[AgencyExchange]:
    return list(desk.work.exchanges.page(PLATFORM))


def _all_done(found: list[AgencyExchange]) -> bool:
    return bool(found) and all(exchange.state is ExchangeState.DONE for exchange in found)


@pytest.fixture(autouse=True)
def _no_idling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_host, "_IDLE_SECONDS", 0.01)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff\xff",
        subject_pb2.PersonIdentity(name="某", birth_date="gestern").SerializeToString(),
    ],
    ids=["no protobuf", "no date"],
)
async def test_a_masked_part_nobody_can_read_stops_at_the_door(
    province: Province, content: bytes
) -> None:
    """PART_MISMATCH; the platform goes on with the next report, which is in order."""
    part = VaultPart(enums.wire(PartKind.MASKED_IDENTITY), "", b"0" * 16, content)
    body = absence_pb2.AbsenceReported(
        absence_id=fresh(),
        subject_id=fresh(),
        school=str(ZHENXIONG_SCHOOL),
        counted_days=["2026-11-20"],
    )
    statement = Statement(province, ZHENXIONG_SCHOOL, PLATFORM)
    await statement.refused(
        Reason.PART_MISMATCH,
        FactKind.ABSENCE_REPORTED,
        body,
        lambda _desk: Matter(school=ZHENXIONG_SCHOOL),
        lambda _desk: [part],
    )
    course = await Course(province).reported()
    (exchange,) = await serve(province, Register(), _all_done)
    assert exchange.object_id == course.absence_id


async def test_a_moment_without_zone_is_tried_again(province: Province) -> None:
    """An answer out of form spoils no transaction: the exchange waits, and is brought again."""
    await Course(province).reported()
    register = Register(naive=1)
    (waiting,) = await serve(
        province, register, lambda found: any(exchange.attempts for exchange in found)
    )
    assert (waiting.state, waiting.last_trouble) == (ExchangeState.WAITING, "ValueError")
    province.clock.advance(minutes=10)
    (exchange,) = await serve(province, register, _all_done)
    assert exchange.id == waiting.id
    assert len(register.asked) == 2


async def test_a_stranger_township_enters_no_step(province: Province) -> None:
    """RETRIEVAL_STEP_RECORDED reaches the platform by way of the holder alone."""
    course = await Course(province).confirmed()
    statement = Statement(province, SHUIFU_TOWNSHIP, PLATFORM)
    await statement.refused(NOT_ALLOWED, FactKind.RETRIEVAL_STEP_RECORDED, STEP, course.about)


async def test_who_does_not_hold_the_case_asks_nothing_of_the_police(province: Province) -> None:
    """HUKOU_QUERIED is the holder's, also when a case of the asker's own stands beside it."""
    course = await Course(province).confirmed()
    body = subject_pb2.HukouQueried(
        query_id=fresh(), subject_id=course.subject_id, agency=str(POLICE)
    )
    statement = Statement(province, SHUIFU, POLICE)
    await statement.refused(NOT_ALLOWED, FactKind.HUKOU_QUERIED, body, course.about)
    invented = Invented()

    def both(desk: Desk) -> Matter:
        return Matter(references=(*course.about(desk).references, invented.reference(desk)))

    await statement.refused(NOT_ALLOWED, FactKind.HUKOU_QUERIED, body, both)


@pytest.fixture
async def wider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: Stores
) -> AsyncIterator[Callable[[Organisation], Province]]:
    """Return a function that founds the province with one more organisation, on its own node."""
    monkeypatch.setattr(relay, "_REST_SECONDS", 0.01)
    made: list[Province] = []

    def found(more: Organisation) -> Province:
        estate = Estate(nodes=(*ESTATE.nodes, EstateNode("elsewhere", (more,))))
        monkeypatch.setattr(worlds, "ESTATE", estate)
        made.append(Province(tmp_path / "wider", stores))
        return made[-1]

    yield found
    for province in made:
        await province.close()


async def test_a_platform_enters_only_for_its_own_place(
    wider: Callable[[Organisation], Province],
) -> None:
    """PLATFORM_ENTRY_RECORDED by the platform of a prefecture elsewhere is refused."""
    stranger = OrgId.parse("5306/rrb")
    province = wider(Organisation(stranger, "别处平台", posts=("AGENCY_OFFICER",)))
    course = await Course(province).reported()
    body = agency_pb2.PlatformEntryRecorded(
        matter=agency_pb2.PLATFORM_MATTER_ABSENCE,
        entry_no="1",
        object_id=course.absence_id,
        entered_at=fields.timestamp(province.clock.now()),
    )
    kind = FactKind.PLATFORM_ENTRY_RECORDED
    statement = Statement(province, stranger, WUHUA)
    await statement.refused(NOT_ALLOWED, kind, body, lambda _desk: Matter(named=(WUHUA,)))
    own = Statement(province, PLATFORM, WUHUA)
    await own.state(kind, body, lambda _desk: Matter(named=(WUHUA,)))
    assert await own.taken()


async def test_a_school_next_door_rewrites_no_report(
    wider: Callable[[Organisation], Province],
) -> None:
    """An absence stays that of the school which reported it, in the same county too."""
    other = OrgId.parse("530102/sch/3153000999")
    township = WUHUA_TOWNSHIP.division
    province = wider(Organisation(other, "邻校", township=township, posts=("PRINCIPAL",)))
    course = await Course(province).reported()
    body = absence_pb2.AbsenceReported(
        absence_id=course.absence_id,
        subject_id=course.subject_id,
        school=str(other),
        counted_days=["2026-11-20"],
    )
    for victim in (WUHUA, WUHUA_TOWNSHIP):
        statement = Statement(province, other, victim)
        kind = FactKind.ABSENCE_REPORTED
        await statement.refused(NOT_ALLOWED, kind, body, lambda _desk: Matter(school=other))
