"""Retrieval 劝返 in the new holder's county: from the confirmed body to a child that stays."""

from adapters.reference import platform
from gateway.cli.demonstration.cast import (
    WUHUA,
    WUHUA_TOWNSHIP,
    ZHENXIONG,
    ZHENXIONG_TOWNSHIP,
    Cast,
)
from gateway.cli.demonstration.lines import Said
from gateway.cli.demonstration.sights import entry_of, of_case, told_of_entry
from gateway.cli.demonstration.stage import Stage
from gateway.cli.estate_plan import PLATFORM
from gateway.domain.organisations import OrgId
from gateway.v1 import event_pb2, retrieval_pb2
from gateway.v1.agency_pb2 import (
    PLATFORM_MATTER_RETRIEVAL_BODY,
    PLATFORM_MATTER_RETRIEVAL_ORDER,
    PLATFORM_MATTER_RETRIEVAL_STEP,
    PlatformMatter,
)


def read_only(stage: Stage, case_id: str) -> None:
    """The former holder tries to order its own township, and is refused."""
    stage.refused(
        WUHUA,
        "CASE_OFFICER",
        retrieval_pb2.IssueOrderRequest(
            case_id=case_id,
            version=stage.case(WUHUA, case_id).version,
            township=str(WUHUA_TOWNSHIP),
        ),
        retrieval_pb2.IssueOrderResponse,
        "NOT_HOLDER",
    )


def ordered(stage: Stage, cast: Cast, case_id: str) -> str:
    """The body is confirmed and the township ordered; the platform has both. Return the order."""
    stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        retrieval_pb2.ConfirmBodyRequest(
            case_id=case_id, version=stage.case(ZHENXIONG, case_id).version
        ),
        retrieval_pb2.ConfirmBodyResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_RETRIEVAL_BODY_CONFIRMED,
        of_case(case_id),
        (WUHUA, PLATFORM),
        Said("镇雄 is the retrieval body", "劝返主体:镇雄县"),
    )
    entered(stage, cast, PLATFORM_MATTER_RETRIEVAL_BODY, case_id, ZHENXIONG)
    order = stage.act(
        ZHENXIONG,
        "CASE_OFFICER",
        retrieval_pb2.IssueOrderRequest(
            case_id=case_id,
            version=stage.case(ZHENXIONG, case_id).version,
            township=str(ZHENXIONG_TOWNSHIP),
            instruction="请入户宣传教育,劝返复学。",
        ),
        retrieval_pb2.IssueOrderResponse,
    ).order
    stage.see(
        event_pb2.EVENT_TYPE_RETRIEVAL_ORDER_ISSUED,
        of_case(case_id),
        (ZHENXIONG_TOWNSHIP, WUHUA, PLATFORM),
        Said(order.order_no, order.order_no),
    )
    entered(stage, cast, PLATFORM_MATTER_RETRIEVAL_ORDER, order.order_id, ZHENXIONG)
    return order.order_id


def carried_out(stage: Stage, cast: Cast, case_id: str, order_id: str) -> None:
    """The township acknowledges, and takes the first of the four steps with success."""
    about = of_case(case_id)
    stage.act(
        ZHENXIONG_TOWNSHIP,
        "TOWNSHIP_OFFICER",
        retrieval_pb2.AcknowledgeOrderRequest(order_id=order_id),
        retrieval_pb2.AcknowledgeOrderResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_RETRIEVAL_ORDER_ACKNOWLEDGED,
        about,
        (ZHENXIONG, WUHUA),
        Said("The township has the order", "乡镇(街道)已收到指令"),
    )
    stage.act(
        ZHENXIONG_TOWNSHIP,
        "TOWNSHIP_OFFICER",
        retrieval_pb2.RecordStepRequest(
            order_id=order_id,
            step=retrieval_pb2.StepRecord(
                step=retrieval_pb2.RETRIEVAL_STEP_EDUCATION,
                outcome=retrieval_pb2.STEP_OUTCOME_EFFECTIVE,
                date=str(cast.days.back),
                service=retrieval_pb2.SERVICE_METHOD_HOME_VISIT,
            ),
        ),
        retrieval_pb2.RecordStepResponse,
    )
    stage.see(
        event_pb2.EVENT_TYPE_RETRIEVAL_STEP_RECORDED,
        about,
        (ZHENXIONG, WUHUA),
        Said("Step 1 education by home visit: EFFECTIVE", "第一步宣传教育(入户走访):有效"),
    )
    entered(stage, cast, PLATFORM_MATTER_RETRIEVAL_STEP, order_id, ZHENXIONG_TOWNSHIP)


def entered(
    stage: Stage,
    cast: Cast,
    matter: PlatformMatter.ValueType,
    object_id: str,
    asked_by: OrgId,
) -> None:
    """The platform's answer arrives, and the entry of that number stands on its screen."""
    answer = stage.see(
        event_pb2.EVENT_TYPE_PLATFORM_ENTRY_RECORDED,
        entry_of(matter, object_id),
        (asked_by,),
        told_of_entry,
    ).platform_entry_recorded
    shown = [entry.entry_no for entry in platform.entries(cast.systems.platform)]
    stage.require(answer.entry_no in shown, f"the platform shows the entry {answer.entry_no}")
