"""An adapter that answers as a test says, served by its host in the test province."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from adapters.reference.people import child
from gateway.adapter_api import (
    API_VERSION,
    Changes,
    Description,
    Done,
    Exchange,
    Health,
    Matter,
    Outcome,
    PlatformEntry,
)
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.service.adapter_host import AdapterHost
from tests.delivery.officers import report_on
from tests.world.estate import PLATFORM, WUHUA_SCHOOL
from tests.world.province import MONDAY, Province

OBJECT = "01a208ab-a2e7-72cf-b228-147d1bd856f3"


class Scripted:
    """An adapter that answers as the test says; it notes what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Exchange], Any] = lambda asked: Done(entry(asked.object_id))
        self.pages: dict[str, Any] = {}
        self.asked: list[Exchange] = []
        self.cursors: list[str] = []
        self.closed = 0

    def describe(self) -> Description:
        """See Adapter.describe."""
        kinds = ("absence_entry",)
        return Description("scripted", "rrb", API_VERSION, kinds, reports_changes=True)

    def health(self) -> Health:
        """See Adapter.health."""
        return Health(ok=True, detail="scripted")

    def handle(self, exchange: Exchange) -> Outcome:
        """See Adapter.handle."""
        self.asked.append(exchange)
        return cast("Outcome", self.answer(exchange))

    def changes(self, cursor: str) -> Changes:
        """See Adapter.changes."""
        self.cursors.append(cursor)
        page = self.pages.get(cursor, Changes((), cursor))
        if isinstance(page, Exception):
            raise page
        return cast("Changes", page)

    def close(self) -> None:
        """See Adapter.close."""
        self.closed += 1


def entry(object_id: str = OBJECT, number: str = "KS-1") -> PlatformEntry:
    """Return an entry on the platform."""
    return PlatformEntry(Matter.ABSENCE, number, object_id, MONDAY)


async def ask(province: Province, count: int) -> None:
    """Report so many absences; the platform gets an exchange for each."""
    for number in range(count):
        await province.act(
            WUHUA_SCHOOL,
            "AbsenceService/ReportAbsence",
            report_on(child(100 + number)),
            "HEAD_TEACHER",
        )
    await province.settle()


@asynccontextmanager
async def serving(province: Province, adapter: Scripted) -> AsyncIterator[None]:
    """Run the host of the adapter for the platform."""
    node = province.node_of[PLATFORM]
    host = AdapterHost(node.store, node.tools, PLATFORM, adapter)
    running = asyncio.create_task(host.run())
    try:
        yield
    finally:
        assert not running.done(), "the host ended by itself"
        running.cancel()
        await asyncio.wait({running})
        host.close()
        assert adapter.closed == 1


async def exchanges(province: Province) -> list[AgencyExchange]:
    """Return the platform's exchanges, oldest first."""
    found = await province.look(PLATFORM, lambda desk: desk.work.exchanges.page(PLATFORM))
    return list(reversed(found))


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Return the condition's first true value."""
    async with asyncio.timeout(30):
        while not (value := await condition()):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)
    return value


async def settled(province: Province, state: ExchangeState) -> list[AgencyExchange]:
    """Wait until every exchange is in the state, and return them."""

    async def all_there() -> list[AgencyExchange]:
        found = await exchanges(province)
        return found if {exchange.state for exchange in found} == {state} else []

    return cast("list[AgencyExchange]", await until(all_there))


async def entries_stated(province: Province) -> int:
    """Return how many facts stand in the platform's own log besides those it received."""
    end = await province.look(PLATFORM, lambda desk: desk.work.events.end(PLATFORM))
    received = len(await exchanges(province))
    return int(end) - received


async def called(calls: list[Any], times: int) -> bool:
    """Say whether there were so many calls."""
    return len(calls) >= times


async def two_rounds(adapter: Scripted) -> None:
    """Wait until the host has looked twice more whether something is due."""
    enough = len(adapter.cursors) + 3
    await until(lambda: called(adapter.cursors, enough))


async def tried(province: Province, attempts: int) -> bool:
    """Say whether every exchange was tried so often."""
    return {e.attempts for e in await exchanges(province)} == {attempts}
