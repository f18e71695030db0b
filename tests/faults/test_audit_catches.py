"""The audit of real parts is no decoration: nodes with a fault put into them are found out."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from gateway.crypto.development import Estate
from gateway.ports.failpoints import Failpoint
from gateway.service import mail_room
from gateway.transport import pipeline
from gateway.v1 import letter_pb2
from tests.faults.audit import Answered
from tests.faults.findings import Invariant
from tests.faults.mutant_node import FAULTY, HASTY_IN
from tests.faults.processes import NODE, ProcessProvince
from tests.stores import Stores
from tests.world.estate import ESTATE, POLICE, WUHUA, ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

_NAMES = {"wuhua", "zhenxiong", "police"}
_MUTANT = "tests.faults.mutant_node"
_A_WHILE = 8.0  # seconds in which a sound gateway would have healed


@pytest.fixture
def faulty(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[ProcessProvince]:
    """A province for one test, because what it does there cannot be healed."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = ProcessProvince(tmp_path_factory.mktemp("faulty"), estate, stores)
    try:
        province.start()
        yield province
    finally:
        province.close()


def dispatched(
    province: ProcessProvince, story: Story, before: Callable[[], None] = lambda: None
) -> Answered:
    """Dispatch a letter of the story, signed before, and keep the answer."""
    signed = story.signed(ZHENXIONG)
    request = letter_pb2.DispatchLetterRequest(letter_id=story.letter_id, version=signed.version)
    before()
    answer = province.act(WUHUA, "LetterService/DispatchLetter", request)
    return Answered(WUHUA, request.request_id, answer)


def broken(province: ProcessProvince, *answered: Answered) -> set[Invariant]:
    """Return the invariants that the audit finds broken, once a sound gateway had healed."""
    with suppress(AssertionError):  # a message that is never closed is what the audit is about
        eventually(province.audit.settled, "everything receipted", most=_A_WHILE)
    return {invariant for invariant, _ in province.audit.healed(answered).found}


def test_an_answer_before_the_commit_is_found_out(faulty: ProcessProvince) -> None:
    """The sender answers "dispatched", dies before it has that on disk, and forgets the letter."""
    story = Story(faulty)
    story.due(ZHENXIONG.division)
    eventually(faulty.audit.settled, "everything receipted")
    faulty.replace("wuhua", _MUTANT, **{FAULTY: "hasty", HASTY_IN: pipeline.__name__})
    wuhua = faulty.process("wuhua")
    answered = dispatched(faulty, story, lambda: wuhua.arm(Failpoint.STORE_BEFORE_COMMIT))
    wuhua.kill()  # it still hesitates to commit what it has answered
    faulty.replace("wuhua", NODE)
    assert Invariant.LOSS in broken(faulty, answered)


@pytest.mark.faults
def test_a_receipt_before_the_commit_is_found_out(faulty: ProcessProvince) -> None:
    """The receiver receipts the letter, dies before it has it on disk, and never asks for it."""
    faulty.replace("zhenxiong", _MUTANT, **{FAULTY: "hasty", HASTY_IN: mail_room.__name__})
    found: set[Invariant] = set()
    while not found:  # it may have died in another transaction, where it does no harm
        story = Story(faulty)
        story.due(ZHENXIONG.division)
        eventually(faulty.audit.settled, "everything receipted")
        faulty.process("zhenxiong").arm(Failpoint.STORE_BEFORE_COMMIT)
        answered = dispatched(faulty, story)
        faulty.process("zhenxiong").died()
        faulty.restart("zhenxiong")
        found = broken(faulty, answered)
    assert Invariant.LOSS in found


@pytest.mark.faults
def test_trust_in_the_brokers_word_is_found_out(faulty: ProcessProvince) -> None:
    """A sender that takes the broker's acknowledgement for delivery loses with the broker's disk."""
    story = Story(faulty)
    story.due(ZHENXIONG.division)
    eventually(faulty.audit.settled, "everything receipted")
    faulty.replace("wuhua", _MUTANT, **{FAULTY: "trusting"})
    faulty.process("zhenxiong").kill()
    answered = dispatched(faulty, story)
    faulty.run(faulty.observer.caught_up())
    eventually(lambda: faulty.observer.between(WUHUA, ZHENXIONG), "the letter on its way")
    faulty.kill_broker()
    shutil.rmtree(faulty.broker.store_dir)
    faulty.broker.start()
    faulty.restart("zhenxiong")
    assert Invariant.LOSS in broken(faulty, answered)


@pytest.mark.faults
def test_a_receiver_without_memory_is_found_out(faulty: ProcessProvince) -> None:
    """A receiver that does not recognise a repeated message spoils its lane."""
    story = Story(faulty)
    story.due(ZHENXIONG.division)
    faulty.replace("zhenxiong", _MUTANT, **{FAULTY: "no_memory_of_messages"})
    answered = dispatched(faulty, story)
    story.letter(WUHUA, "DELIVERED")
    (letter, *_) = faulty.observer.between(WUHUA, ZHENXIONG)
    faulty.run(faulty.observer.put(ZHENXIONG, letter.data))
    story.registered(ZHENXIONG)
    assert Invariant.LANE in broken(faulty, answered)


@pytest.mark.faults
def test_a_holder_that_acts_on_is_found_out(faulty: ProcessProvince) -> None:
    """A holder that grants its title away and keeps the case makes two who may act."""
    story = Story(faulty)
    story.due(ZHENXIONG.division)
    faulty.replace("wuhua", _MUTANT, **{FAULTY: "keeps_the_case"})
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    story.accepted(ZHENXIONG)
    story.seen_by(ZHENXIONG, "ASSIGNED")
    assert faulty.audit.at_any_time().count(Invariant.ACTORS)


@pytest.mark.faults
def test_mail_in_the_clear_is_found_out(faulty: ProcessProvince) -> None:
    """A sender that does not seal leaves a child's number in the broker's files."""
    faulty.replace("wuhua", _MUTANT, **{FAULTY: "in_the_clear"})
    faulty.process("police").kill()  # so that the query about the child lies in its letter-box
    Story(faulty).confirmed()
    eventually(lambda: faulty.observer.between(WUHUA, POLICE), "the query on its way")
    assert any(place.endswith(".blk") for place in faulty.leaked())
    faulty.restart("police")
