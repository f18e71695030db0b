"""The host of an adapter when something is wrong on the gateway's side of it."""

import asyncio
import threading

import pytest

from gateway.adapter_api import Done, Exchange, Outcome
from gateway.crypto.keyring import Keyring
from gateway.domain.exchanges import AgencyExchange, ExchangeState
from gateway.ports.store import Work
from gateway.service.adapter_host import AdapterHost
from tests.unit.service.scripted_adapter import (
    Scripted,
    entries_stated,
    entry,
    exchanges,
    serving,
    settled,
    tried,
    until,
)
from tests.world.estate import PLATFORM
from tests.world.province import Province


async def test_an_answer_that_cannot_be_signed_yet_is_stated_later(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agency did its part: a key missing here makes no refusal of what was carried out."""
    signer = province.node_of[PLATFORM].tools.signer
    keyring = Keyring({})
    with monkeypatch.context() as keyless:
        keyless.setattr(signer, "_keyring", keyring)
        async with serving(province, Scripted()):
            await until(lambda: tried(province, 1))
    found = await exchanges(province)
    assert {e.state for e in found} == {ExchangeState.WAITING}
    assert all(e.last_trouble.startswith("KEY_UNKNOWN") for e in found)
    province.clock.advance(minutes=1)
    async with serving(province, Scripted()):
        await settled(province, ExchangeState.DONE)
    assert await entries_stated(province) == 2


async def test_one_that_cannot_be_read_keeps_none_back(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exchange whose person the store cannot give waits with its trouble; the next is done."""
    first, second = await exchanges(province)
    asked_of = AdapterHost._asked

    def unreadable(host: AdapterHost, exchange: AgencyExchange, work: Work) -> Exchange:
        if exchange.id == first.id:
            raise LookupError("the part is gone")
        return asked_of(host, exchange, work)

    monkeypatch.setattr(AdapterHost, "_asked", unreadable)
    adapter = Scripted()
    async with serving(province, adapter):

        async def second_done() -> bool:
            return (await exchanges(province))[1].state is ExchangeState.DONE

        await until(second_done)
    assert [asked.exchange_id for asked in adapter.asked] == [second.id]
    assert (await exchanges(province))[0].last_trouble == "LookupError"


async def test_a_host_that_is_stopped_waits_for_its_adapter(province: Province) -> None:
    """While the agency's system is being written to, the host has not ended: no other may begin."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(asked: Exchange) -> Outcome:
        begun.set()
        go_on.wait(30)
        return Done(entry(asked.object_id))

    adapter = Scripted()
    adapter.answer = slow
    node = province.node_of[PLATFORM]
    host = AdapterHost(node.store, node.tools, PLATFORM, adapter)
    running = asyncio.create_task(host.run())
    await asyncio.to_thread(begun.wait, 30)
    running.cancel()
    await asyncio.wait({running}, timeout=0.1)
    assert not running.done()
    go_on.set()
    await asyncio.wait({running})
    assert running.cancelled()
    host.close()
