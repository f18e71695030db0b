"""Published facts for those who are entitled to them, from the store of their source."""

from dataclasses import dataclass

from gateway.codec import enums, fields
from gateway.domain.entitlements import may_follow
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.ports.published_facts import ChainRecord
from gateway.service.desk import Desk
from gateway.service.pages import MOST_BYTES, Page
from gateway.service.renew_chains import incarnation_of
from gateway.v1 import fact_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope

_MOST = 500


@dataclass(frozen=True)
class FactCursor:
    """Up to which number of which incarnation a chain was given."""

    incarnation: int
    sequence: int


def facts_page(desk: Desk, request: fact_pb2.ReplayFactsRequest, cursor: FactCursor | None) -> Page:
    """FactService.ReplayFacts: the next page, the first when there is no cursor.

    Raises Refusal: INVALID_FIELD, NOT_AT_HOME, or NOT_ENTITLED.
    """
    source = fields.organisation(request.source, "source")
    kind = enums.required(FactKind, request.type, "type")
    after, last = _range(request)
    _check_right(desk, source, kind)
    chain = desk.work.facts.chains(source).get(request.type, ChainRecord()).chain
    incarnation = incarnation_of(desk.work, source)
    given = cursor or FactCursor(request.incarnation, after)
    now = given.sequence if given.incarnation == incarnation else 0
    found = desk.work.facts.page(source, request.type, now, _MOST, MOST_BYTES)
    notices = [notice for notice in found if not last or notice.sequence <= last]
    reached = notices[-1].sequence if notices else now
    response = None
    if notices or cursor is None:
        response = fact_pb2.ReplayFactsResponse(
            notices=[SignedEnvelope.FromString(notice.envelope) for notice in notices],
            end_sequence=chain.sequence,
            incarnation=incarnation,
        )
    caught_up = reached >= min(last or chain.sequence, chain.sequence)
    following = FactCursor(incarnation, reached)
    return Page(response, following, more=not caught_up, last=caught_up and not request.follow)


def _range(request: fact_pb2.ReplayFactsRequest) -> tuple[int, int]:
    if request.after_sequence < 0:
        raise fields.invalid("after_sequence", "Numbers begin with 1.", "Use 0 for all.")
    if request.last_sequence and (
        request.follow or request.last_sequence <= request.after_sequence
    ):
        raise fields.invalid(
            "last_sequence",
            "The range is empty, or a stream that goes on has an end.",
            "Name a last number above the first, or leave it out.",
        )
    return request.after_sequence, request.last_sequence


def _check_right(desk: Desk, source: OrgId, kind: FactKind) -> None:
    # Before anything is said of the source: who has no right learns nothing of its chains.
    if not may_follow(desk.tools.directory.entitlements(), desk.org, source, kind, desk.now):
        raise Refusal(
            Reason.NOT_ENTITLED,
            f"No entitlement of {desk.org} covers {kind.name} of {source} now.",
            "See DirectoryService.ListEntitlements; the directory's authority enters them.",
        )
    if source not in desk.tools.home:
        entry = desk.tools.directory.organisation(source)
        raise Refusal(
            Reason.NOT_AT_HOME,
            f"{source} is not at home on this node.",
            "Call the node that is home to the source.",
            field="source",
            node=entry.node if entry else "",
        )
