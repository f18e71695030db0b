"""The three stories, in the words of the procedure: one hand-over, one notification, one return."""

from adapters.reference import household_register
from gateway.cli.demonstration import letters, opening, placement, retrieval
from gateway.cli.demonstration.cast import SHUIFU_COUNTY, WUHUA, Cast
from gateway.cli.demonstration.lines import Said
from gateway.cli.demonstration.opening import Expected
from gateway.cli.demonstration.stage import Stage
from gateway.v1.case_pb2 import (
    WHEREABOUTS_KIND_IN_ENROLMENT_COUNTY,
    WHEREABOUTS_KIND_IN_HUKOU_COUNTY,
)
from gateway.v1.jurisdiction_pb2 import LETTER_KIND_HANDOVER, LETTER_KIND_NOTIFICATION
from gateway.v1.subject_pb2 import RequestHukouRequest, RequestHukouResponse

_AWAY = Expected(WHEREABOUTS_KIND_IN_HUKOU_COUNTY, "J3", LETTER_KIND_HANDOVER)
_HERE = Expected(WHEREABOUTS_KIND_IN_ENROLMENT_COUNTY, "J2", LETTER_KIND_NOTIFICATION)


def across_the_county_line(stage: Stage, cast: Cast) -> str:
    """A case goes to the household county and ends with the child at school; return it."""
    stage.scene(
        Said("First child: the case crosses the county line", "第一名学生:案件跨县区移交"),
        Said("enrolled in 五华, household and child in 镇雄", "学籍在五华区,户籍和人在镇雄县"),
    )
    case_id = _opened(stage, cast, 0, _AWAY)
    letter_id = letters.letter(stage, case_id, _AWAY.letter)
    letters.taken_over(stage, case_id, letter_id)
    retrieval.read_only(stage, case_id)
    order_id = retrieval.ordered(stage, cast, case_id)
    retrieval.carried_out(stage, cast, case_id, order_id)
    placement_id = placement.back_at_school(stage, cast, case_id)
    placement.placed(stage, cast, case_id, placement_id)
    return case_id


def notified_only(stage: Stage, cast: Cast) -> str:
    """The child is in the enrolment county, which keeps the case and notifies; return it."""
    stage.scene(
        Said("Second child: a notification, the holder stays", "第二名学生:函告知,持案机构不变"),
        Said("the child is in 五华, its household in 镇雄", "人在五华区,户籍在镇雄县"),
    )
    case_id = _opened(stage, cast, 1, _HERE)
    letter_id = letters.letter(stage, case_id, _HERE.letter)
    letters.noted(stage, case_id, letter_id)
    return case_id


def sent_back(stage: Stage, cast: Cast) -> str:
    """The household moves while the letter is on its way: the letter comes back; return the case.

    The holder, which never changed, asks public security again and knows the county now.
    """
    stage.scene(
        Said("Third child: the letter comes back", "第三名学生:来函退回"),
        Said("the household moves on to 水富 meanwhile", "其间户籍迁往水富市"),
    )
    case_id = _opened(stage, cast, 2, _AWAY)
    letter_id = letters.letter(stage, case_id, _AWAY.letter)
    household_register.move(
        cast.systems.register, cast.children[2].id_number, SHUIFU_COUNTY, on=cast.today
    )
    letters.returned(stage, case_id, letter_id, SHUIFU_COUNTY)
    asked = stage.act(
        WUHUA, "CASE_OFFICER", RequestHukouRequest(case_id=case_id), RequestHukouResponse
    )
    opening.hukou(stage, case_id, asked.query_id, SHUIFU_COUNTY)
    return case_id


def _opened(stage: Stage, cast: Cast, number: int, expected: Expected) -> str:
    case_id = opening.suspected(stage, cast, cast.children[number])
    opening.confirmed(stage, case_id)
    opening.responsible(stage, case_id, expected)
    return case_id
