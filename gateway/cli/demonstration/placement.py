"""The way back to school: a school is asked, sees the child, and the case goes under watch."""

from gateway.cli.demonstration.cast import (
    WUHUA,
    WUHUA_SCHOOL,
    ZHENXIONG,
    ZHENXIONG_SCHOOL,
    ZHENXIONG_TOWNSHIP,
    Cast,
)
from gateway.cli.demonstration.lines import Said
from gateway.cli.demonstration.retrieval import entered
from gateway.cli.demonstration.sights import of_case
from gateway.cli.demonstration.stage import Stage
from gateway.v1 import case_pb2, event_pb2, placement_pb2
from gateway.v1.agency_pb2 import (
    PLATFORM_MATTER_RETURN,
)


def back_at_school(stage: Stage, cast: Cast, case_id: str) -> str:
    """A school is asked and confirms attendance; the order is fulfilled. Return the placement."""
    about = of_case(case_id)
    placement = stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        placement_pb2.ProposePlacementRequest(case_id=case_id, school=str(ZHENXIONG_SCHOOL)),
        placement_pb2.ProposePlacementResponse,
    ).placement
    stage.see(
        event_pb2.EVENT_TYPE_PLACEMENT_PROPOSED,
        about,
        (ZHENXIONG_SCHOOL,),
        Said("The school is asked to take the child", "商请学校接收"),
    )
    stage.act(
        ZHENXIONG_SCHOOL,
        "PRINCIPAL",
        case_pb2.RecordReturnRequest(case_id=case_id, first_day_attended=str(cast.days.back)),
        case_pb2.RecordReturnResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_STUDENT_RETURNED,
        about,
        (ZHENXIONG, WUHUA, WUHUA_SCHOOL, ZHENXIONG_TOWNSHIP),
        Said(f"Attendance since {cast.days.back}", f"自 {cast.days.back} 起到校"),
    )
    stage.see(
        event_pb2.EVENT_TYPE_RETRIEVAL_ORDER_FULFILLED,
        about,
        (ZHENXIONG_TOWNSHIP, WUHUA),
        Said("The order is closed by the return", "学生返校,指令办结"),
    )
    entered(stage, cast, PLATFORM_MATTER_RETURN, case_id, ZHENXIONG_SCHOOL)
    return placement.placement_id


def placed(stage: Stage, cast: Cast, case_id: str, placement_id: str) -> None:
    """The placement is decided and begins; every party sees the case under watch."""
    about = of_case(case_id)
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        placement_pb2.DecidePlacementRequest(
            case_id=case_id,
            version=stage.case(ZHENXIONG, case_id).version,
            kind=placement_pb2.PLACEMENT_KIND_REGULAR_CLASS,
        ),
        placement_pb2.DecidePlacementResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_PLACEMENT_DECIDED,
        about,
        (ZHENXIONG_SCHOOL, ZHENXIONG_TOWNSHIP, WUHUA),
        Said("regular class", "随班就读"),
    )
    stage.act(
        ZHENXIONG_SCHOOL,
        "PRINCIPAL",
        placement_pb2.StartPlacementRequest(
            placement_id=placement_id, start_date=str(cast.days.back)
        ),
        placement_pb2.StartPlacementResponse,
    )
    started = stage.see(
        event_pb2.EVENT_TYPE_PLACEMENT_STARTED,
        about,
        (ZHENXIONG, WUHUA, WUHUA_SCHOOL),
        Said("The case is under watch", "进入复学观察期"),
    ).placement_started
    stage.require(started.watch_until > str(cast.days.back), "the watch has an end")
    for org in (ZHENXIONG, ZHENXIONG_SCHOOL, WUHUA, WUHUA_SCHOOL):
        state = stage.case(org, case_id).state
        stage.require(state == case_pb2.CASE_STATE_WATCH, f"{org} sees the case under watch")
