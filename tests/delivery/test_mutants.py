"""The simulation is no decoration: a gateway with a fault put into it is found out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gateway.domain.lanes import Arrival, ReceivingLane, SendingLane, Verdict, judge
from gateway.ports.outbox import MessageState
from gateway.service import answer_letter, take_mail
from gateway.service.desk import Desk
from gateway.service.give_receipts import Replies, answer
from gateway.store.outbox import SqlOutbox
from gateway.transport import methods
from tests.delivery.conftest import Found
from tests.delivery.playing import play


def lost_after_publishing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that takes the carrier's word for delivery."""
    sent = SqlOutbox.sent

    def forget(self: SqlOutbox, message_ids: Sequence[str], next_attempt: datetime) -> None:
        sent(self, message_ids, next_attempt)
        for message_id in message_ids:
            self.close(message_id, MessageState.SENT, "", None)

    monkeypatch.setattr(SqlOutbox, "sent", forget)


def no_memory_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that does not recognise what it took."""

    def judge_anew(lane: ReceivingLane, arrival: Arrival, *_digests: str | None) -> Verdict:
        return Verdict.KEEP if arrival.sequence > lane.next_sequence else Verdict.TAKE

    monkeypatch.setattr(take_mail, "judge", judge_anew)


def no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that takes what comes, gap or no gap."""

    def judge_no_gap(*args: Any) -> Verdict:
        verdict = judge(*args)
        return Verdict.TAKE if verdict is Verdict.KEEP else verdict

    monkeypatch.setattr(take_mail, "judge", judge_no_gap)


def other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that leaves holes in its numbering."""
    advanced = SendingLane.advanced

    def skip(self: SendingLane, digest: str) -> SendingLane:
        following = advanced(self, digest)
        return replace(following, next_sequence=following.next_sequence + 1)

    monkeypatch.setattr(SendingLane, "advanced", skip)


def other_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that answers a repeated message with a new receipt."""

    def answer_anew(desk: Desk, arrived: Any, _lane: Any, _known: Any, replies: Replies) -> None:
        answer(desk, replies, arrived, ())

    monkeypatch.setattr(take_mail, "_answer_repeated", answer_anew)


def own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that acts as soon as it has accepted, before the grant."""

    def accept_and_take(desk: Desk, request: Any) -> Any:
        response = answer_letter.accept_lines(desk, request)
        for line in response.letter.lines:
            case = desk.work.cases.require(desk.org, line.case_id)
            desk.work.cases.put(desk.org, case.changed(desk.now, holder=desk.org))
        return response

    monkeypatch.setitem(methods.COMMANDS, "LetterService/AcceptLines", accept_and_take)


MUTANTS = (
    lost_after_publishing,
    no_memory_of_messages,
    no_order,
    other_numbers,
    other_receipts,
    own_word,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
async def test_a_gateway_with_this_fault_is_found_out(
    founded: Found, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """The invariants mean something: each of these faults breaks one within a few seeds."""
    mutant(monkeypatch)
    for seed in range(1, 6):
        try:
            await play(founded, seed)
        except AssertionError:
            return
    pytest.fail(f"{mutant.__name__} was not noticed")
