"""The same request_id gives the same answer: stored with what it changed, in one transaction."""

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from google.protobuf.message import Message

from gateway.codec import fields
from gateway.domain.errors import Reason, Refusal
from gateway.service.desk import Desk


class Mutation(Protocol):
    """A request that changes something."""

    @property
    def request_id(self) -> str:
        """Chosen by the caller."""
        ...


Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


def answer_once(
    desk: Desk, method: str, request: Q, use_case: Callable[[Desk, Q], A], answer: type[A]
) -> A:
    """Run the use case unless its request_id was answered before; then give that answer again.

    Raises Refusal(REQUEST_ID_REUSED) when the id came before with other content, and whatever the
    use case raises: a refusal is not remembered, so that a mended state can answer otherwise.
    """
    request_id = fields.uuid(cast("Mutation", request).request_id, "request_id")
    content = request.SerializeToString(deterministic=True)
    digest = desk.work.vault.fingerprint(desk.org, f"{method}\0".encode() + content)
    known = desk.work.requests.answer(desk.org, request_id)
    if known is not None:
        if known[0] != digest:
            raise Refusal(
                Reason.REQUEST_ID_REUSED,
                "This request_id was used before with other content.",
                "Use a new UUID for a new request; repeat the old one unchanged.",
                field="request_id",
            )
        return answer.FromString(known[1])
    response = use_case(desk, request)
    desk.work.requests.remember(
        desk.org, request_id, digest, response.SerializeToString(), desk.now
    )
    return response
