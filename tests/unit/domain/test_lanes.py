"""The lane protocol alone: whatever the carrier does, each message is taken once and in order."""

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.domain.lanes import (
    Arrival,
    LaneHead,
    ReceivingLane,
    SendingLane,
    Standing,
    Verdict,
    compare,
    judge,
)


def message(lane: SendingLane, number: int) -> Arrival:
    """Return the lane's next message."""
    digest = hashlib.sha256(f"{lane}{number}".encode()).hexdigest()
    return Arrival(f"m{number}", digest, lane.incarnation, lane.next_sequence, lane.head_hash)


class Receiver:
    """A receiver's store as a dict, and what `judge` makes of each arrival."""

    def __init__(self) -> None:
        self.lane = ReceivingLane()
        self.taken: list[str] = []
        self.kept: dict[int, Arrival] = {}
        self.digests: dict[str, str] = {}
        self.numbers: dict[int, str] = {}

    def receive(self, arrival: Arrival) -> Verdict:
        """Take, keep or refuse an arrival."""
        verdict = judge(
            self.lane,
            arrival,
            self.digests.get(arrival.message_id),
            self.numbers.get(arrival.sequence),
        )
        if verdict is Verdict.KEEP:
            self.kept[arrival.sequence] = arrival
        if verdict in {Verdict.KEEP, Verdict.TAKE}:
            self.digests[arrival.message_id] = arrival.digest
            self.numbers[arrival.sequence] = arrival.digest
        if verdict is Verdict.TAKE:
            self.take(arrival)
            while (following := self.kept.pop(self.lane.next_sequence, None)) is not None:
                self.take(following)
        return verdict

    def take(self, arrival: Arrival) -> None:
        """Take the message whose turn it is."""
        assert (arrival.sequence, arrival.previous_hash) == (
            self.lane.next_sequence,
            self.lane.head_hash,
        )
        self.taken.append(arrival.message_id)
        self.lane = self.lane.advanced(arrival.digest)


class Carrier(RuleBasedStateMachine):
    """A sender that keeps everything, a carrier that loses, doubles and reorders, a receiver."""

    @initialize()
    def begin(self) -> None:
        """Nothing was sent."""
        self.sending = SendingLane()
        self.store: list[Arrival] = []
        self.way: list[Arrival] = []
        self.receiver = Receiver()

    @rule()
    def send(self) -> None:
        """The sender numbers one more message."""
        made = message(self.sending, len(self.store))
        self.sending = self.sending.advanced(made.digest)
        self.store.append(made)
        self.way.append(made)

    @precondition(lambda self: self.way)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """The carrier loses one."""
        self.way.pop(data.draw(st.integers(0, len(self.way) - 1)))

    @precondition(lambda self: self.way)
    @rule(data=st.data())
    def double(self, data: st.DataObject) -> None:
        """The carrier doubles one."""
        self.way.append(data.draw(st.sampled_from(self.way)))

    @precondition(lambda self: self.way)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Any one arrives."""
        arrival = self.way.pop(data.draw(st.integers(0, len(self.way) - 1)))
        verdict = self.receiver.receive(arrival)
        event(verdict)
        assert verdict in {Verdict.TAKE, Verdict.KEEP, Verdict.REPEATED}

    @precondition(lambda self: self.store)
    @rule()
    def send_again(self) -> None:
        """The sender repeats everything from its store."""
        self.way.extend(self.store)

    @invariant()
    def taken_once_in_order(self) -> None:
        """What was taken is the beginning of what was sent."""
        sent = [made.message_id for made in self.store]
        assert self.receiver.taken == sent[: len(self.receiver.taken)]

    def teardown(self) -> None:
        """Once the carrier heals and the sender repeats, nothing is missing."""
        for arrival in self.store:
            self.receiver.receive(arrival)
        assert self.receiver.taken == [made.message_id for made in self.store]
        assert self.receiver.lane.head_hash == self.sending.head_hash
        assert not self.receiver.kept


TestCarrier = Carrier.TestCase


def sent(count: int) -> list[Arrival]:
    """Return the first messages of a lane."""
    lane, made = SendingLane(), []
    for number in range(count):
        made.append(message(lane, number))
        lane = lane.advanced(made[-1].digest)
    return made


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_any_order_ends_in_the_sent_order(count: int, chance: random.Random) -> None:
    """A permutation with every message once needs no repetition at all."""
    messages = sent(count)
    shuffled = messages.copy()
    chance.shuffle(shuffled)
    receiver = Receiver()
    for arrival in shuffled:
        receiver.receive(arrival)
    assert receiver.taken == [made.message_id for made in messages]


FORGED = {
    "same id, other bytes": ({"digest": "f" * 64}, Verdict.EQUIVOCATION),
    "same number, other message": ({"message_id": "x", "digest": "f" * 64}, Verdict.EQUIVOCATION),
    "same message, other number": ({"sequence": 5}, Verdict.EQUIVOCATION),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("at", [0, 1])
def test_other_bytes_for_a_known_place_are_equivocation(name: str, at: int) -> None:
    """A known identifier or number never gets other bytes, taken or only kept."""
    first, _, third, *_ = sent(4)
    receiver = Receiver()
    receiver.receive(first)
    receiver.receive(third)
    change, verdict = FORGED[name]
    forged = replace((first, third)[at], **change)  # type: ignore[arg-type]
    assert receiver.receive(forged) is verdict
    assert receiver.taken == ["m0"]


@pytest.mark.parametrize(
    "change",
    [
        {"previous_hash": "0" * 64},
        {"incarnation": 0},
        {"sequence": 0},
        {"sequence": -1},
    ],
)
def test_a_message_that_does_not_fit_the_chain_is_broken(change: dict[str, object]) -> None:
    """The chain names the message before; another incarnation or a number below one is no place."""
    receiver = Receiver()
    first, second = sent(2)
    receiver.receive(first)
    forged = replace(second, message_id="x", digest="f" * 64, **change)  # type: ignore[arg-type]
    assert receiver.receive(forged) is Verdict.BROKEN
    assert receiver.receive(second) is Verdict.TAKE


def numbered(count: int, incarnation: int = 1) -> SendingLane:
    """Return a sending lane after so many messages."""
    lane = SendingLane(incarnation)
    for number in range(count):
        lane = lane.advanced(message(lane, number).digest)
    return lane


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_head_of_the_same_history_is_behind_level_or_ahead(own: int, peer: int) -> None:
    """What the peer has taken of one's own messages tells who has forgotten."""
    standing = compare(numbered(own), numbered(peer).head, numbered(peer).head_hash)
    if peer < own:
        assert standing is Standing.PEER_BEHIND
    elif peer == own:
        assert standing is Standing.AGREES
    else:
        assert standing is Standing.OWN_MEMORY_LOST


@given(st.integers(1, 6), st.integers(1, 6))
def test_another_history_is_told_by_its_hash(own: int, peer: int) -> None:
    """Another message under a number that was given: two histories, at the head or below."""
    other = LaneHead(1, min(own, peer), "f" * 64)
    there = numbered(min(own, peer)).head_hash
    assert compare(numbered(own), other, there) is Standing.FORKED


def test_below_the_head_the_hash_counts_only_where_it_was_looked_up() -> None:
    """Without the own message's hash a peer that is behind is just behind."""
    other = LaneHead(1, 2, "f" * 64)
    assert compare(numbered(3), other) is Standing.PEER_BEHIND
    assert compare(numbered(2), other) is Standing.FORKED


def test_what_is_said_of_another_incarnation() -> None:
    """One that has ended proves nothing against the present one; a later one proves lost memory."""
    assert compare(numbered(1, 2), numbered(9, 1).head) is Standing.PEER_BEHIND
    assert compare(numbered(9, 1), numbered(0, 2).head) is Standing.OWN_MEMORY_LOST


def test_a_higher_incarnation_begins_at_its_first_message() -> None:
    """It is taken from number 1, kept when early; a lower or impossible one is no lane."""
    lane = ReceivingLane(2, 5, "a" * 64)
    first = Arrival("m", "d", 3, 1, "")
    assert judge(lane, first, None, None) is Verdict.TAKE
    assert judge(lane, replace(first, sequence=2), None, None) is Verdict.KEEP
    assert judge(lane, replace(first, previous_hash="b"), None, None) is Verdict.BROKEN
    for incarnation in (1, 0, -1, 2**31):
        arrival = replace(first, incarnation=incarnation)
        assert judge(lane, arrival, None, None) is Verdict.BROKEN
