"""Rows N1 to N5: the one broker dies, freezes, forgets, or wakes up in the past, under load."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.log_events import LogEvent
from tests.faults.broker_harm import (
    copy_disk,
    cut_off,
    freeze,
    lose_disk,
    newest_block,
    restore_disk,
    said,
    stream_state,
    turn_a_bit,
)
from tests.faults.load import LoadedProvince, officers_at_work, story_before_letter, tell_story
from tests.faults.reporting import FaultReport
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
FROZEN = float(os.environ.get("FAULT_FROZEN_SECONDS", "3"))
_CALM_BY = 120.0  # seconds


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedProvince]:
    """Two counties and two agencies, each a process, over a real broker."""
    province = LoadedProvince(tmp_path_factory.mktemp("loaded"))
    province.start()
    try:
        yield province
    finally:
        province.close()


def heals(province: LoadedProvince, report: FaultReport) -> None:
    """See that everything arrives once, by itself."""
    with report.healing():
        for name in province.nodes:
            eventually(lambda name=name: province.serving(name), f"{name} serving")  # type: ignore[misc]
        eventually(province.settled, "everything receipted", most=_CALM_BY)
    report.require(province.audit.healed(province.answered))


@pytest.mark.fault("N1")
def test_the_broker_is_killed_under_load(loaded: LoadedProvince, fault_report: FaultReport) -> None:
    """Again and again: mail that was handled but not acknowledged comes twice, and counts once."""
    before, rounds = said(loaded, LogEvent.MESSAGE_DUPLICATE), 0
    with officers_at_work(loaded, 2) as officers:
        # As often as asked, and on until a death has really brought mail twice.
        while rounds < ROUNDS or said(loaded, LogEvent.MESSAGE_DUPLICATE) == before:
            told = officers.told
            eventually(lambda told=told: officers.told > told, "a story told")  # type: ignore[misc]
            officers.check()
            loaded.restart_broker()
            fault_report.inject("kill -9 of the broker")
            rounds += 1
    heals(loaded, fault_report)
    doubles = said(loaded, LogEvent.MESSAGE_DUPLICATE) - before
    fault_report.remark(f"{doubles} messages came again")


@pytest.mark.fault("N2")
def test_the_broker_loses_its_disk(loaded: LoadedProvince, fault_report: FaultReport) -> None:
    """Under load: the loss is named, and all that has no receipt is sent again."""
    for _ in range(ROUNDS):
        before = said(loaded, LogEvent.BUS_REGRESSED)
        with officers_at_work(loaded, 2) as officers:
            told = officers.told
            eventually(lambda told=told: officers.told > told, "a story told")  # type: ignore[misc]
            loaded.kill_broker()
            lose_disk(loaded)
            fault_report.inject("loss of the broker's disk")
            loaded.broker.start()
        heals(loaded, fault_report)
        assert said(loaded, LogEvent.BUS_REGRESSED) >= before + len(loaded.nodes)


def waiting_for(province: LoadedProvince, count: int) -> list[Story]:
    """Have so many letters wait on the broker for a receiver that is away."""
    stories = [story_before_letter(province) for _ in range(count)]
    province.process("zhenxiong").kill()
    before = stream_state(province)["messages"]
    for story in stories:
        story.dispatched(ZHENXIONG)
    eventually(lambda: stream_state(province)["messages"] >= before + count, "mail waiting")
    return stories


def arrive(province: LoadedProvince, stories: list[Story]) -> None:
    """Let the receiver come back, and see that each letter is there."""
    province.restart("zhenxiong")
    for story in stories:
        story.letter(ZHENXIONG, "DELIVERED")
        story.letter(WUHUA, "DELIVERED")
    tell_story(province)  # new mail is not mistaken for old, though sequences are used again


@pytest.mark.fault("N3")
@pytest.mark.parametrize("harm", [turn_a_bit, pytest.param(cut_off, marks=pytest.mark.faults)])
def test_the_broker_silently_loses_mail(
    loaded: LoadedProvince, fault_report: FaultReport, harm: Callable[[Path], None]
) -> None:
    """A damaged file: the broker starts as if nothing were, and has less. Its senders have it."""
    for _ in range(ROUNDS):
        stories = waiting_for(loaded, 4)
        before = said(loaded, LogEvent.BUS_REGRESSED)
        loaded.kill_broker()
        harm(newest_block(loaded))
        loaded.broker.start()
        # The broker itself says nothing; that its sequence went back is the proof of its loss.
        eventually(
            lambda before=before: said(loaded, LogEvent.BUS_REGRESSED) > before,  # type: ignore[misc]
            "the loss noticed",
        )
        fault_report.inject(f"a file of the broker damaged ({harm.__name__})")
        arrive(loaded, stories)
        heals(loaded, fault_report)


@pytest.mark.fault("N4")
@pytest.mark.parametrize(
    "part",
    [
        pytest.param("", id="everything"),
        pytest.param("msgs", id="stream", marks=pytest.mark.faults),
        pytest.param("obs", id="consumers", marks=pytest.mark.faults),
    ],
)
def test_the_broker_wakes_up_in_the_past(
    loaded: LoadedProvince, fault_report: FaultReport, part: str
) -> None:
    """An older copy of its disk: of all, of the mail (its consumers are ahead), of the consumers."""
    tell_story(loaded)
    loaded.kill_broker()
    copy = copy_disk(loaded)
    loaded.broker.start()
    tell_story(loaded)
    stories = waiting_for(loaded, 2)
    before = said(loaded, LogEvent.BUS_REGRESSED)
    loaded.kill_broker()
    restore_disk(loaded, copy, part)
    fault_report.inject(f"older copy of the broker's disk put back ({part or 'everything'})")
    loaded.broker.start()
    arrive(loaded, stories)
    heals(loaded, fault_report)
    if part != "obs":
        assert said(loaded, LogEvent.BUS_REGRESSED) > before


@pytest.mark.fault("N5")
def test_the_broker_freezes(loaded: LoadedProvince, fault_report: FaultReport) -> None:
    """It stands still under load and goes on: what was sent twice meanwhile counts once."""
    for _ in range(ROUNDS):
        with officers_at_work(loaded, 2) as officers:
            told = officers.told
            eventually(lambda told=told: officers.told > told, "a story told")  # type: ignore[misc]
            freeze(loaded, FROZEN)
            fault_report.inject(f"SIGSTOP of the broker for {FROZEN:g} s")
            officers.check()
        heals(loaded, fault_report)


@pytest.mark.fault("N2")
def test_a_loss_while_everybody_was_down_is_named(
    loaded: LoadedProvince, fault_report: FaultReport
) -> None:
    """A node remembers over its restart how the stream stood, and says that it went back."""
    noted = partial(said, loaded, LogEvent.BUS_REGRESSED)
    for name in loaded.nodes:
        eventually(lambda name=name: remembers(loaded, name), f"{name} noting")  # type: ignore[misc]
    before = noted()
    for name in loaded.nodes:
        loaded.process(name).kill()
    loaded.kill_broker()
    lose_disk(loaded)
    fault_report.inject("loss of the broker's disk while all nodes were down")
    loaded.broker.start()
    for name in loaded.nodes:
        loaded.restart(name)
    assert noted() == before + len(loaded.nodes)
    heals(loaded, fault_report)


def remembers(province: LoadedProvince, name: str) -> bool:
    """Whether the node has noted how the stream stands."""
    org = next(org for org, node in province._node_of.items() if node == name)
    home = min((one for one, node in province._node_of.items() if node == name), key=str)
    return bool(province.look(org, lambda work: work.bookmarks.get(home, "mail stream seen")))
