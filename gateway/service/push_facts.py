"""An agency's own system pushes its facts over gRPC, record by record (AgencyService)."""

from gateway.codec import enums, fields, subjects
from gateway.codec.exchanges import decode_entry, decode_statement
from gateway.domain.errors import Reason, Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Role
from gateway.domain.subjects import HukouFinding
from gateway.service.answer_exchange import (
    answer_exchange,
    remember_record,
    require_waiting,
    taken_before,
)
from gateway.service.desk import Desk
from gateway.service.parties import Matter
from gateway.service.private_parts import identity_parts
from gateway.service.resolve_subject import find_or_register
from gateway.service.state_fact import state_fact
from gateway.v1 import agency_pb2, subject_pb2

_ROLE_OF_FACT = {"hukou": Role.PSB, "platform_entry": Role.RRB}


def push_fact(desk: Desk, request: agency_pb2.PushFactsRequest) -> agency_pb2.PushFactsResponse:
    """AgencyService.PushFacts, one record."""
    fact = request.fact
    record_key = fields.text(fact.record_key, "fact.record_key", 200, required=True)
    which = fact.WhichOneof("fact")
    if which is None:
        raise fields.missing("fact.fact")
    if desk.org.role is not _ROLE_OF_FACT[which]:
        raise Refusal(
            Reason.WRONG_ROLE,
            f"{desk.org} may not state a fact of kind {which}.",
            f"It is for the role {_ROLE_OF_FACT[which]}.",
            field="fact",
        )
    content = fact.SerializeToString(deterministic=True)
    known = taken_before(desk, record_key, content)
    if known is not None:
        taken = agency_pb2.TakenFact(event_id=known, known=True)
        return agency_pb2.PushFactsResponse(request_id=request.request_id, taken=taken)
    if fact.exchange_id:
        exchange = require_waiting(desk, fields.uuid(fact.exchange_id, "fact.exchange_id"))
        statement = (
            decode_statement(fact.hukou.hukou)
            if which == "hukou"
            else decode_entry(fact.platform_entry)
        )
        event_id = answer_exchange(desk, exchange, statement)
    elif which == "hukou":
        event_id = _unasked_hukou(desk, fact.hukou)
    else:
        raise Refusal(
            Reason.MISSING_FIELD,
            "A platform entry answers an exchange.",
            "Fill in fact.exchange_id from AgencyService.ListExchanges.",
            field="fact.exchange_id",
        )
    remember_record(desk, record_key, content, event_id)
    taken = agency_pb2.TakenFact(event_id=event_id, known=False)
    return agency_pb2.PushFactsResponse(request_id=request.request_id, taken=taken)


def _unasked_hukou(desk: Desk, fact: agency_pb2.HukouFact) -> str:
    """State a household registration that nobody asked for to the bureau that is to know it."""
    recipient = fields.organisation(fact.recipient, "fact.hukou.recipient")
    desk.organisation(recipient, "fact.hukou.recipient")
    if recipient.role is not Role.EDU or not recipient.division.startswith(desk.org.division):
        raise Refusal(
            Reason.WRONG_JURISDICTION,
            f"{recipient} is no education bureau that {desk.org} serves.",
            "Name the education bureau of a county in your reach.",
            field="fact.hukou.recipient",
        )
    finding = enums.required(HukouFinding, fact.hukou.finding, "fact.hukou.hukou.finding")
    if finding is HukouFinding.FOUND:
        desk.require_current(fact.hukou.county, "fact.hukou.hukou.county")
    identity = subjects.decode_identity(fact.identity, desk.today)
    subject, _ = find_or_register(desk, identity, None)
    body = subject_pb2.HukouAsserted()
    body.CopyFrom(fact.hukou)
    body.subject_id = subject.id
    body.query_id = ""
    body.source = str(desk.org)
    if not body.HasField("snapshot_at"):
        raise fields.missing("fact.hukou.hukou.snapshot_at")
    return state_fact(
        desk,
        FactKind.HUKOU_ASSERTED,
        body,
        Matter(named=(recipient,)),
        parts=identity_parts(desk, subject.id),
        subject_id=subject.id,
    )
