"""Letters whose lines are decided one by one, returned letters, and letters taken back."""

from collections.abc import Callable

import grpc
import pytest

from gateway.domain.errors import Reason
from gateway.v1 import letter_pb2
from tests.world.estate import SHUIFU, WUHUA, ZHENXIONG
from tests.world.running import RunningProvince
from tests.world.story import HANDOVER, Story

pytestmark = pytest.mark.every_store

MOVED_OUT = letter_pb2.RETURN_REASON_HUKOU_MOVED_OUT


def returned(story: Story, line: letter_pb2.ReturnedLine) -> None:
    """镇雄 returns one line."""
    request = letter_pb2.ReturnLinesRequest(letter_id=story.letter_id, lines=[line])
    story.world.act(ZHENXIONG, "LetterService/ReturnLines", request)


def test_siblings_on_one_letter_are_decided_each(stories: Callable[[int], list[Story]]) -> None:
    """B31: one line accepted, the other returned; one case passes, the other stays."""
    elder, younger = stories(2)
    for sibling in (elder, younger):
        sibling.due("530627")
    elder.dispatched(ZHENXIONG, cases=[elder.case_id, younger.case_id])
    younger.letter_id = elder.letter_id
    elder.registered(ZHENXIONG)

    letter = elder.accepted(ZHENXIONG, [1])
    assert letter.state == letter_pb2.LETTER_STATE_REGISTERED, "one line is still open"
    returned(younger, letter_pb2.ReturnedLine(line_no=2, reason=MOVED_OUT, county="530681"))

    letter = elder.letter(WUHUA, "ACCEPTED")
    assert [line.state for line in letter.lines] == [
        letter_pb2.LINE_STATE_GRANTED,
        letter_pb2.LINE_STATE_RETURNED,
    ]
    assert (letter.lines[1].return_reason, letter.lines[1].return_county) == (MOVED_OUT, "530681")
    assert elder.seen_by(ZHENXIONG, "ASSIGNED").may_act
    assert not elder.case(WUHUA).may_act
    stays = younger.case(WUHUA)
    assert (stays.may_act, stays.open_letter_id) == (True, "")
    assert not younger.case(ZHENXIONG).may_act


def test_returned_letter_leaves_the_holder(story: Story) -> None:
    """B02: given a hand-over to 530627; when it is returned because the household moved to 530681;
    then the holder never left 530102, the reason is on both letters, and once public security has
    named the new county a new letter goes there.
    """
    story.due("530627")
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    returned(story, letter_pb2.ReturnedLine(line_no=1, reason=MOVED_OUT, county="530681"))

    for org in (WUHUA, ZHENXIONG):
        line = story.letter(org, "RETURNED").lines[0]
        assert (line.return_reason, line.return_county) == (MOVED_OUT, "530681")
    case = story.case(WUHUA)
    assert (case.holder, case.may_act, case.open_letter_id) == (str(WUHUA), True, "")
    assert case.title.epoch.number == 0

    first_letter = story.letter_id
    story.asked_again("530681")
    decision = story.determined()
    assert (decision.row, decision.responsible) == ("J3", str(SHUIFU))
    story.dispatched(SHUIFU)
    story.registered(SHUIFU)
    story.accepted(SHUIFU)
    assert story.seen_by(SHUIFU, "ASSIGNED").may_act
    assert story.letter_id != first_letter


def test_retracted_letter_takes_no_answer(world: RunningProvince, story: Story) -> None:
    """Given a letter on its way; when the sender retracts it; then the offer ends at once, and the
    receiver's acceptance is refused once the retraction is there.
    """
    story.due("530627")
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    story.letter(WUHUA, "REGISTERED")
    request = letter_pb2.RetractLetterRequest(letter_id=story.letter_id, reason="核实后不再移交")
    world.act(WUHUA, "LetterService/RetractLetter", request, "APPROVER")
    assert story.case(WUHUA).open_letter_id == ""

    story.letter(ZHENXIONG, "RETRACTED")
    accept = letter_pb2.AcceptLinesRequest(letter_id=story.letter_id, line_nos=[1])
    refused = story.refused(ZHENXIONG, "LetterService/AcceptLines", accept)
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.ILLEGAL_TRANSITION,
    )
    assert story.case(WUHUA).may_act


def test_case_has_one_open_offer(story: Story) -> None:
    """While a hand-over waits for its answer the holder offers and orders nothing else."""
    story.due("530627")
    story.dispatched(ZHENXIONG)

    draft = letter_pb2.CreateDraftRequest(
        kind=HANDOVER, recipient=str(ZHENXIONG), case_ids=[story.case_id]
    )
    for method, request in (
        ("LetterService/CreateDraft", draft),
        ("JurisdictionService/Determine", story.determine_request()),
    ):
        refused = story.refused(WUHUA, method, request)
        assert refused.reason is Reason.OFFER_OPEN
        assert refused.facts["letter_id"] == story.letter_id
