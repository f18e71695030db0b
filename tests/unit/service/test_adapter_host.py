"""The host of an adapter: three outcomes, crashes, echoes and the cursor."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import select

from gateway.adapter_api import Change, Changes, Done, Exchange, Outcome, Refused, TryLater
from gateway.domain.exchanges import ExchangeState
from gateway.ports.store import StoreUnavailable
from gateway.service import adapter_host
from gateway.service.answer_exchange import answer_exchange
from gateway.store import tables
from tests.unit.service.scripted_adapter import (
    Scripted,
    called,
    entries_stated,
    entry,
    exchanges,
    serving,
    settled,
    tried,
    two_rounds,
    until,
)
from tests.world.estate import PLATFORM, WUHUA_SCHOOL
from tests.world.province import MONDAY, Province


async def test_done_becomes_one_signed_fact(province: Province) -> None:
    """Oldest first, each once, with the person masked; the entry number reaches the school."""
    adapter = Scripted()
    async with serving(province, adapter):
        done = await settled(province, ExchangeState.DONE)
    assert [asked.exchange_id for asked in adapter.asked] == [e.id for e in done]
    assert all(asked.person is not None and asked.person.masked for asked in adapter.asked)
    assert await entries_stated(province) == 2
    await province.settle()
    absences = await province.look(WUHUA_SCHOOL, lambda desk: desk.work.absences.page(WUHUA_SCHOOL))
    assert {absence.platform_entry_no for absence in absences} == {"KS-1"}


async def test_refused_is_final_and_says_why(province: Province) -> None:
    """The exchange is not brought again, and nothing is stated."""
    adapter = Scripted()
    adapter.answer = lambda _asked: Refused("The platform has no such school.")
    async with serving(province, adapter):
        refused = await settled(province, ExchangeState.REFUSED)
        province.clock.advance(hours=1)
        await two_rounds(adapter)
    assert {e.last_trouble for e in refused} == {"The platform has no such school."}
    assert len(adapter.asked) == 2
    assert await entries_stated(province) == 0


async def test_try_later_waits_as_long_as_asked_then_longer(province: Province) -> None:
    """Each attempt is noted with its trouble; the pause doubles and is bounded."""
    adapter = Scripted()
    adapter.answer = lambda _asked: TryLater("The platform is closed.", 10.0)
    async with serving(province, adapter):
        for attempts, pause in ((1, 10), (2, 20), (3, 40)):
            await until(partial(tried, province, attempts))
            found = await exchanges(province)
            assert {e.last_trouble for e in found} == {"The platform is closed."}
            now = province.clock.now()
            assert {e.due_at - now for e in found} == {timedelta(seconds=pause)}
            asked = len(adapter.asked)
            province.clock.advance(seconds=pause - 1)
            await two_rounds(adapter)
            assert len(adapter.asked) == asked
            province.clock.advance(seconds=1)
        adapter.answer = lambda asked: Done(entry(asked.object_id))
        province.clock.advance(minutes=5)
        done = await settled(province, ExchangeState.DONE)
    assert {e.last_trouble for e in done} == {""}


SENSELESS: dict[str, Callable[[Exchange], Any]] = {
    "nothing": lambda _asked: None,
    "no fact": lambda _asked: Done(cast("Any", None)),
    "a fact without number": lambda a: Done(entry(a.object_id, cast("Any", None))),
    "a pause without end": lambda _asked: TryLater("later", float("inf")),
    "a pause that is none": lambda _asked: TryLater("later", float("nan")),
}


@pytest.mark.parametrize("name", SENSELESS)
async def test_an_answer_out_of_form_means_try_later(province: Province, name: str) -> None:
    """Nothing an adapter returns ends its host; the trouble is named by its type alone."""
    adapter = Scripted()
    adapter.answer = SENSELESS[name]
    async with serving(province, adapter):
        await until(lambda: tried(province, 1))
    found = await exchanges(province)
    assert {e.state for e in found} == {ExchangeState.WAITING}
    assert all(e.last_trouble.isidentifier() for e in found)


async def test_what_an_adapter_raises_is_shown_to_nobody(province: Province) -> None:
    """A raising adapter means try later, and the text it raised, which may name a child, is gone."""

    def raise_with_name(asked: Exchange) -> Outcome:
        raise ConnectionError(f"no such person: {asked.person}")

    adapter = Scripted()
    adapter.answer = raise_with_name
    async with serving(province, adapter):
        await until(lambda: tried(province, 1))
    assert {e.last_trouble for e in await exchanges(province)} == {"ConnectionError"}


async def test_one_that_waits_keeps_none_back(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old exchanges that have to wait do not stand in the way of newer ones."""
    monkeypatch.setattr(adapter_host, "_AT_ONCE", 1)
    monkeypatch.setattr(adapter_host, "_PAGE", 1)
    oldest = (await exchanges(province))[0].id
    adapter = Scripted()
    adapter.answer = lambda asked: (
        TryLater("no") if asked.exchange_id == oldest else Done(entry(asked.object_id))
    )
    async with serving(province, adapter):

        async def newer_done() -> bool:
            return (await exchanges(province))[1].state is ExchangeState.DONE

        await until(newer_done)
    assert (await exchanges(province))[0].state is ExchangeState.WAITING


async def test_a_crash_before_the_commit_brings_it_again_for_one_fact(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carried out, but not committed: the same exchange comes again, and one fact is stated."""
    store = province.node_of[PLATFORM].store
    write = store.write
    lost: list[Any] = []

    async def lose_the_first(task: Any) -> Any:
        if not lost:
            lost.append(task)
            raise StoreUnavailable("gone")
        return await write(task)

    monkeypatch.setattr(store, "write", lose_the_first)
    adapter = Scripted()
    async with serving(province, adapter):
        done = await settled(province, ExchangeState.DONE)
    assert [asked.exchange_id for asked in adapter.asked] == [done[0].id, done[0].id, done[1].id]
    assert await entries_stated(province) == 2


async def test_an_answer_that_came_by_grpc_meanwhile_stands(province: Province) -> None:
    """When the agency's officer was faster, the adapter's answer is dropped: one fact."""
    adapter = Scripted()
    first = (await exchanges(province))[0]

    async def answered_by_hand() -> None:
        node = province.node_of[PLATFORM]
        await node.store.write(
            lambda work: answer_exchange(
                province.desk(work, PLATFORM, "AGENCY_OFFICER"),
                work.exchanges.require(PLATFORM, first.id),
                entry(first.object_id, "BY-HAND"),
            )
        )

    loop = asyncio.get_running_loop()

    def slow(asked: Exchange) -> Outcome:
        if asked.exchange_id == first.id:
            asyncio.run_coroutine_threadsafe(answered_by_hand(), loop).result(30)
        return Done(entry(asked.object_id))

    adapter.answer = slow
    async with serving(province, adapter):
        await settled(province, ExchangeState.DONE)
    assert await entries_stated(province) == 2


async def test_changes_are_read_from_the_cursor_and_echoes_dropped(province: Province) -> None:
    """Page after page, each change once; what the gateway itself made is no news; a restart goes on
    where it stopped.
    """
    own = (await exchanges(province))[0].id
    own_work = Change("1", MONDAY, entry(), origin_exchange_id=own)
    news, again = Change("2", MONDAY, entry(number="2")), Change("2", MONDAY, entry(number="2"))
    adapter = Scripted()
    adapter.pages = {"": Changes((own_work, news), "a"), "a": Changes((again,), "b")}
    async with serving(province, adapter):
        await until(lambda: called(adapter.cursors, 4))
    assert adapter.cursors[:3] == ["", "a", "b"]
    assert await bookmarks(province) == {"adapter cursor": 1, "record": 1}

    second = Scripted()
    async with serving(province, second):
        await until(lambda: called(second.cursors, 1))
    assert set(second.cursors) == {"b"}


async def bookmarks(province: Province) -> dict[str, int]:
    """Count the platform's bookmarks by kind."""

    def read(work: Any) -> list[str]:
        t = tables.bookmarks
        query = select(t.c.name).where(t.c.org == str(PLATFORM))
        return list(work._connection.execute(query).scalars())

    names = await province.node_of[PLATFORM].store.read(read)
    return Counter("record" if name.startswith("record ") else name for name in names)


@pytest.mark.parametrize("page", [RuntimeError("牛街"), None, Changes((cast("Any", 1),), "x")])
async def test_changes_out_of_form_are_asked_for_again(province: Province, page: Any) -> None:
    """The cursor does not move past what could not be read, and exchanges go on meanwhile."""
    adapter = Scripted()
    adapter.pages = {"": page}
    async with serving(province, adapter):
        await until(lambda: called(adapter.cursors, 3))
        await settled(province, ExchangeState.DONE)
    assert set(adapter.cursors) == {""}
