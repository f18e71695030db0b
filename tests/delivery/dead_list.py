"""The list of dead letters as its operator works with it."""

from typing import Any

from gateway.domain.organisations import OrgId
from gateway.v1 import delivery_pb2
from tests.world.province import Province

KIND = delivery_pb2.DeadLetterKind
STATE = delivery_pb2.DeadLetterState


async def listed(province: Province, org: OrgId, **filters: Any) -> list[delivery_pb2.DeadLetter]:
    """Return the organisation's list as its operator sees it."""
    request = delivery_pb2.ListDeadLettersRequest(**filters)
    answer = await province.ask(org, "DeliveryService/ListDeadLetters", request)
    return list(answer.dead_letters)


async def redrive(province: Province, org: OrgId, letter_id: str) -> delivery_pb2.DeadLetter:
    """Take a dead letter up again."""
    request = delivery_pb2.RedriveDeadLetterRequest(dead_letter_id=letter_id)
    answer = await province.act(org, "DeliveryService/RedriveDeadLetter", request, "OPERATOR")
    letter: delivery_pb2.DeadLetter = answer.dead_letter
    return letter


async def discard(province: Province, org: OrgId, letter_id: str) -> delivery_pb2.DeadLetter:
    """Give a dead letter up."""
    reason = delivery_pb2.DISCARD_REASON_OUTDATED
    request = delivery_pb2.DiscardDeadLetterRequest(dead_letter_id=letter_id, reason=reason)
    answer = await province.act(org, "DeliveryService/DiscardDeadLetter", request, "OPERATOR")
    letter: delivery_pb2.DeadLetter = answer.dead_letter
    return letter
