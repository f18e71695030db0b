"""Retraction and acceptance cross on the way: one linear history comes of it, whatever is first."""

import grpc

from gateway.domain.errors import Reason
from gateway.v1 import letter_pb2
from tests.world.estate import WUHUA, ZHENXIONG
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually


def titles(world: RunningProvince, org: object, case_id: str) -> list[bytes]:
    """The chain of titles of a case as one county has it, signed bytes, oldest first."""
    return list(world.look(org, lambda work: work.titles.chain(org, case_id)))  # type: ignore[arg-type]


def test_acceptance_of_a_retracted_offer_ends(world: RunningProvince, story: Story) -> None:
    """Given a registered hand-over and no broker; when the receiver accepts and the sender
    retracts, each answered at once; then, with the broker back, the acceptance is answered
    OFFER_ENDED, the sender holds the case under its first title, and both have the same chain.
    """
    story.due("530627")
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    story.letter(WUHUA, "REGISTERED")
    world.broker.stop()
    try:
        story.accepted(ZHENXIONG)
        world.act(
            WUHUA,
            "LetterService/RetractLetter",
            letter_pb2.RetractLetterRequest(letter_id=story.letter_id, reason="核实后不再移交"),
            "APPROVER",
        )
        # Nobody may act on a mere acceptance.
        assert not story.case(ZHENXIONG).may_act
        assert story.case(WUHUA).may_act
    finally:
        world.broker.start()

    for org in (WUHUA, ZHENXIONG):
        eventually(lambda org=org: ended(story, org), f"the offer ended at {org}")  # type: ignore[misc]
        assert "OFFER_ENDED" in story.facts(org)
        assert "TITLE_GRANTED" not in story.facts(org)
    holder, other = story.case(WUHUA), story.case(ZHENXIONG)
    assert (holder.may_act, other.may_act) == (True, False)
    assert holder.title == other.title
    chain = titles(world, WUHUA, story.case_id)
    assert len(chain) == 1
    assert titles(world, ZHENXIONG, story.case_id) == chain

    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    story.accepted(ZHENXIONG)
    assert story.seen_by(ZHENXIONG, "ASSIGNED").title.epoch.number == 1
    assert titles(world, WUHUA, story.case_id) == titles(world, ZHENXIONG, story.case_id)


def ended(story: Story, org: object) -> bool:
    """Whether the letter's first line says that its offer has ended."""
    state = story.letter(org).lines[0].state  # type: ignore[arg-type]
    return bool(state == letter_pb2.LINE_STATE_OFFER_ENDED)


def test_retraction_after_the_grant_comes_too_late(world: RunningProvince, story: Story) -> None:
    """Given a hand-over that was accepted and granted; when the sender retracts; then it is
    refused, because acceptance is irrevocable.
    """
    story.handed_over(ZHENXIONG)
    story.letter(WUHUA, "ACCEPTED")

    refused = story.refused(
        WUHUA,
        "LetterService/RetractLetter",
        letter_pb2.RetractLetterRequest(letter_id=story.letter_id, reason="核实后不再移交"),
        "APPROVER",
    )
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.ILLEGAL_TRANSITION,
    )
    assert story.case(ZHENXIONG).may_act
