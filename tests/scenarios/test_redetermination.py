"""What was determined once may change: the holder keeps the case until somebody decides (J14, J15)."""

import grpc

from gateway.domain.errors import Reason
from gateway.v1 import case_pb2, subject_pb2
from tests.world.estate import WUHUA, ZHENXIONG, ZHENXIONG_SCHOOL
from tests.world.story import Story
from tests.world.waiting import eventually


def test_household_that_moves_after_the_hand_over(story: Story) -> None:
    """J14: given 530627 holds the case; when public security says that the household is in 530681;
    then Determine needs a decision and names its row, and 530627 still holds.
    """
    story.handed_over(ZHENXIONG)
    request = subject_pb2.RequestHukouRequest(case_id=story.case_id)
    story.world.act(ZHENXIONG, "SubjectService/RequestHukou", request)
    story.push(story.hukou_answer("530681"))
    eventually(lambda: story.case(ZHENXIONG).hukou_county == "530681", "the new county")

    refused = story.refused(
        ZHENXIONG, "JurisdictionService/Determine", story.determine_request(ZHENXIONG)
    )

    assert (refused.code, refused.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.NEEDS_DECISION,
    )
    assert refused.facts["row"] == "J14"
    assert story.case(ZHENXIONG).may_act


def test_enrolment_that_moves_while_the_case_runs(story: Story) -> None:
    """J15: given 530102 holds the case; when the enrolment is recorded at a school of 530627; then
    Determine needs a decision and names its row, and 530102 still holds.
    """
    story.confirmed()
    story.hukou(ZHENXIONG.division)
    case = story.whereabouts(case_pb2.WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
    moved = subject_pb2.AssertEnrolmentRequest(
        subject_id=case.subject_id, school=str(ZHENXIONG_SCHOOL), grade=7
    )
    story.world.act(WUHUA, "SubjectService/AssertEnrolment", moved)

    refused = story.refused(WUHUA, "JurisdictionService/Determine", story.determine_request())

    assert refused.reason is Reason.NEEDS_DECISION
    assert refused.facts["row"] == "J15"
    assert story.case(WUHUA).may_act
